import { readAddress } from '../../domain/identity/address.ts';
import type { PersonEvent } from '../../domain/identity/person-events.ts';
import { personStream } from '../../domain/identity/person.ts';
import { derivedId } from '../../eventstore/ids.ts';
import { decode } from '../../eventstore/journal/codec.ts';
import { streamPages } from '../../eventstore/event-store.ts';
import type { PeopleOptions } from '../people-options.ts';

/** What becomes of the identity: the person may register again, or may not. */
export type Tombstone = { readonly kind: 'released' | 'retired'; readonly reason: string };

/**
 * Destroys what is known of a person, after the event that ends it. May be repeated, and completes what another node began:
 * the key comes last, because without it the addresses are unknown.
 */
export const forgetPerson = async (
  options: PeopleOptions,
  personId: string,
  { kind, reason }: Tombstone,
): Promise<void> => {
  const { claims, identity, destroyKey } = options;
  for (const stream of await identitiesOf(options, personId)) {
    const { state } = await claims.read(stream);
    if (!state.owners.includes(personId)) continue;
    const type = kind === 'released' ? ('ReleaseIdentity' as const) : ('RetireIdentity' as const);
    const metadata = { actor: 'system:erasure', commandId: derivedId('forget', `${personId} ${stream}`) };
    await claims.execute(stream, { type, owner: personId, reason }, metadata, { mayRepeat: true });
  }
  await identity.deletePerson(personId);
  await destroyKey(personId);
};

/** The streams of all addresses that the person has or had; empty once the key is destroyed. */
const identitiesOf = async (
  { store, vault, identities }: PeopleOptions,
  personId: string,
): Promise<ReadonlySet<string>> => {
  const found = new Set<string>();
  for await (const page of streamPages(store, personStream(personId))) {
    for (const stored of page) {
      const event = decode(stored).event as PersonEvent;
      const personal = 'personal' in event ? await vault.open(personId, event.personal) : undefined;
      const address = personal && readAddress(personal.email);
      if (address) found.add(identities.ofAddress(address));
    }
  }
  return found;
};
