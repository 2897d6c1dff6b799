import { personOfStream } from '../domain/identity/person.ts';
import type { Process, Reaction } from '../reactions/process.ts';
import { revokeAfter, TYPES_THAT_END_ROLES } from './credentials/ended-roles.ts';
import type { PeopleTokens } from './credentials/tokens.ts';
import type { Registration } from './registration.ts';

/**
 * What the events of persons cause: the mail of a registration, the account after the claim of its identity, and the end of the
 * tokens that rested on a role.
 */
export const createPeopleProcess = (
  { invite, complete, openAccount }: Registration,
  tokens: PeopleTokens,
): Process => ({
  name: 'people',
  types: new Set(['PersonRegistered', 'IdentityClaimed', 'AccountOpened', ...TYPES_THAT_END_ROLES]),
  from: 'start',
  react: (fact) => {
    const { event, stream, time } = fact;
    const revocation = revokeAfter(tokens, fact);
    if (revocation) return [does(revocation)];
    const personId = personOfStream(stream);
    if (event.type === 'PersonRegistered') {
      return personId !== undefined && event.how === 'registration' ? [does(() => invite(personId, time))] : [];
    }
    if (event.type === 'IdentityClaimed') {
      const { owner, how } = event;
      return how === 'code' || how === 'link' ? [does(() => complete(owner, how))] : [];
    }
    if (event.type !== 'AccountOpened' || personId === undefined) return [];
    const { accountId } = event;
    return [does(() => openAccount(personId, accountId))];
  },
});

/** The commands have ids of their own, which derive from the person, because a route may send them first. */
const does =
  (work: () => Promise<unknown>): Reaction =>
  async () => {
    await work();
    return { kind: 'accepted' };
  };
