import { personOfStream } from '../domain/identity/person.ts';
import type { Fact } from '../eventstore/journal/codec.ts';
import type { Process, Reaction } from '../reactions/process.ts';
import { revokeAfter, TYPES_THAT_END_ROLES } from './credentials/ended-roles.ts';
import type { PeopleTokens } from './credentials/tokens.ts';
import type { FurtherAccounts } from './further-accounts.ts';
import { forgetPerson } from './leaving/forget-person.ts';
import type { PeopleOptions } from './people-options.ts';
import type { Registration } from './registration.ts';

/**
 * What the events of persons cause: the mail of a registration, the account after the claim of its identity, the end of
 * the tokens that rested on a role, and the end of what is known of a person.
 */
export const createPeopleProcess = (
  options: PeopleOptions,
  { invite, complete, openAccount }: Registration,
  further: FurtherAccounts,
  tokens: PeopleTokens,
): Process => {
  const { pendingRegistrations: pending } = options.identity;
  const reactTo = ({ event, time }: Fact, personId: string): readonly Reaction[] => {
    if (event.type === 'PersonRegistered') {
      if (event.how !== 'registration') return [];
      return [does(() => pending.add(personId, time)), does(() => invite(personId, time))];
    }
    if (event.type === 'AddressVerified') return [does(() => pending.remove(personId))];
    if (event.type === 'RegistrationLapsed') return [does(() => forgetPerson(options, personId, LAPSED))];
    if (event.type === 'PersonErased') return [does(() => forgetPerson(options, personId, event))];
    if (event.type === 'AccountAsked') {
      const { accountId } = event;
      // A refusal was the answer to the person.
      return [does(() => further.complete(personId, accountId, time))];
    }
    if (event.type === 'AccountDeclined') {
      const { accountId } = event;
      return [does(() => options.destroyKey(accountId))];
    }
    if (event.type !== 'AccountOpened') return [];
    const { accountId } = event;
    return [does(() => openAccount(personId, accountId))];
  };
  return {
    name: 'people',
    types: new Set([
      ...TYPES_THAT_END_ROLES,
      ...['PersonRegistered', 'AddressVerified', 'RegistrationLapsed', 'PersonErased'],
      ...['IdentityClaimed', 'AccountAsked', 'AccountDeclined', 'AccountOpened'],
    ]),
    from: 'start',
    react: (fact) => {
      const { event, stream } = fact;
      const revocation = revokeAfter(tokens, fact);
      if (revocation) return [does(revocation)];
      if (event.type === 'IdentityClaimed') {
        const { owner, how } = event;
        return how === 'code' || how === 'link' ? [does(() => complete(owner, how))] : [];
      }
      const personId = personOfStream(stream);
      return personId === undefined ? [] : reactTo(fact, personId);
    },
  };
};

/** On disk. */
const LAPSED = { cause: 'own_wish', reason: 'the registration lapsed' } as const;

/** The commands have ids of their own, which derive from the person, because a route may send them first. */
const does =
  (work: () => Promise<unknown>): Reaction =>
  async () => {
    await work();
    return { kind: 'accepted' };
  };
