import type { TotpSeed } from '../../identity/totp.ts';
import { personalOf, type PeopleOptions } from '../people-options.ts';
import {
  change,
  earlierEvent,
  needsConfirmation,
  needsSecondStep,
  readPerson,
  type Asked,
  type NotConfirmed,
  type RefusedByRules,
} from './asked.ts';

/** One-time passwords of an authenticator app. */
export type PersonTotp = {
  /** The secret counts once a code of it confirms it. Until then an earlier one remains in force. */
  enrol(asked: Asked): Promise<({ readonly kind: 'enrolled' } & TotpSeed) | NotConfirmed>;
  confirm(
    asked: Asked,
    code: string,
  ): Promise<
    | { readonly kind: 'confirmed'; readonly repeated: boolean }
    | { readonly kind: 'code_wrong' }
    | RefusedByRules
    | NotConfirmed
  >;
  /** Staff keep a second step. `changed` is false if there was none. */
  remove(
    asked: Asked,
  ): Promise<{ readonly kind: 'removed'; readonly changed: boolean } | RefusedByRules | NotConfirmed>;
};

export const createPersonTotp = (options: PeopleOptions): PersonTotp => {
  const { identity, now } = options;
  return {
    enrol: async (asked) => {
      const { personId } = asked.session;
      const person = await readPerson(options, personId);
      const unconfirmed = needsConfirmation(asked.session, person, now());
      if (unconfirmed) return unconfirmed;
      const personal = await personalOf(options, personId, person);
      return { kind: 'enrolled', ...(await identity.totp.enrol(personId, personal?.email ?? personId)) };
    },
    confirm: async (asked, code) => {
      const { personId } = asked.session;
      if ((await earlierEvent(options, asked))?.type === 'TotpEnabled') return { kind: 'confirmed', repeated: true };
      const unconfirmed = needsConfirmation(asked.session, await readPerson(options, personId), now());
      if (unconfirmed) return unconfirmed;
      if (!(await identity.totp.confirm(personId, code))) return { kind: 'code_wrong' };
      // The seed comes first: without its event it counts nowhere.
      const outcome = await change(options, asked, { type: 'EnableTotp' });
      return outcome.kind === 'refused' ? outcome : { kind: 'confirmed', repeated: false };
    },
    remove: async (asked) => {
      const { personId } = asked.session;
      const person = await readPerson(options, personId);
      const unconfirmed = person.hasTotp && needsSecondStep(asked.session, person, now());
      if (unconfirmed) return unconfirmed;
      // The event comes first: from then on the seed counts nowhere.
      const outcome = await change(options, asked, { type: 'DisableTotp', reason: 'removed by the person' });
      if (outcome.kind === 'refused') return outcome;
      await identity.totp.remove(personId);
      return { kind: 'removed', changed: outcome.events.length > 0 };
    },
  };
};
