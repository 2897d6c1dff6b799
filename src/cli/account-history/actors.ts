import { evolvePerson, personStream, unknownPerson } from '../../domain/identity/person.ts';
import type { PersonEvent } from '../../domain/identity/person-events.ts';
import { streamPages, type EventStore } from '../../eventstore/event-store.ts';
import { decodeEvent } from '../../eventstore/journal/codec.ts';
import { findHolder } from './holder.ts';
import { plain } from './plain-text.ts';

/** Persons and staff, as actors of events. */
const PERSON = /^(?:person|staff):(per_\w+)$/;

/** Names the actors of events: a person with the present name, if it can be read; others as they are recorded. */
export const createActorNames = (
  databaseUrl: string,
  store: Pick<EventStore, 'readStream'>,
): ((actor: string) => Promise<string>) => {
  const known = new Map<string, Promise<string>>();

  const nameOf = async (actor: string, personId: string): Promise<string> => {
    let person = unknownPerson();
    for await (const page of streamPages(store, personStream(personId))) {
      for (const stored of page) person = evolvePerson(person, decodeEvent(stored) as PersonEvent);
    }
    if (person.personal === null) return actor;
    const { holder } = await findHolder(databaseUrl, personId, person.personal);
    return typeof holder === 'string' ? actor : `${plain(holder.name)}, ${actor}`;
  };

  return (actor) => {
    const personId = PERSON.exec(actor)?.[1];
    if (personId === undefined) return Promise.resolve(plain(actor));
    const name = known.get(actor) ?? nameOf(actor, personId);
    known.set(actor, name);
    return name;
  };
};
