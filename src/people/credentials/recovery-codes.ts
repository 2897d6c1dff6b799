import type { PeopleOptions } from '../people-options.ts';
import { change, needsConfirmation, readPerson, type Asked, type NotConfirmed, type RefusedByRules } from './asked.ts';

export type PersonRecoveryCodes = {
  /** New codes, to be shown now; earlier ones become invalid. A repetition has none: they were shown, or the answer was lost. */
  renew(
    asked: Asked,
  ): Promise<{ readonly kind: 'renewed'; readonly codes: readonly string[] | null } | RefusedByRules | NotConfirmed>;
  /** How many are left. */
  count(personId: string): Promise<number>;
};

export const createPersonRecoveryCodes = (options: PeopleOptions): PersonRecoveryCodes => {
  const { identity } = options;
  return {
    renew: async (asked) => {
      const { personId } = asked.session;
      const unconfirmed = needsConfirmation(asked.session, await readPerson(options, personId), options.now());
      if (unconfirmed) return unconfirmed;
      // The event comes first, so that there are no codes without evidence.
      const outcome = await change(options, asked, { type: 'RenewRecoveryCodes' });
      if (outcome.kind === 'refused') return outcome;
      return { kind: 'renewed', codes: outcome.repeated ? null : await identity.recoveryCodes.renew(personId) };
    },
    count: (personId) => identity.recoveryCodes.count(personId),
  };
};
