import { personOfStream } from '../domain/identity/person.ts';
import type { Process, Reaction } from '../reactions/process.ts';
import type { Registration } from './registration.ts';

/** What the events of persons cause: the mail of a registration, and the account after the claim of its identity. */
export const createPeopleProcess = ({ invite, complete, openAccount }: Registration): Process => ({
  name: 'people',
  types: new Set(['PersonRegistered', 'IdentityClaimed', 'AccountOpened']),
  from: 'start',
  react: ({ event, stream, time }) => {
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
