import { accountStream, type Account } from '../../domain/account/account.ts';
import { readAddress } from '../../domain/identity/address.ts';
import type { ErasureCause, PersonEvent } from '../../domain/identity/person-events.ts';
import { personStream } from '../../domain/identity/person.ts';
import { streamPages } from '../../eventstore/event-store.ts';
import { derivedId } from '../../eventstore/ids.ts';
import { decode } from '../../eventstore/journal/codec.ts';
import type { PersonalData } from '../../eventstore/journal/personal-data.ts';
import type { PeopleOptions } from '../people-options.ts';

/** Why the person is forgotten: a claim is released after an own wish, and retired after a violation. */
export type Farewell = { readonly cause: ErasureCause; readonly reason: string };

type OfPerson = { readonly personId: string; readonly accountId?: string; readonly personal: PersonalData };

/**
 * Destroys what is known of a person, after the event that ends it: the claims of addresses and entities, the personal data
 * of closed accounts without another owner, the rows, and the key. May be repeated, and completes what another node began:
 * the key comes last, because without it the addresses are unknown.
 */
export const forgetPerson = async (options: PeopleOptions, personId: string, farewell: Farewell): Promise<void> => {
  const { persons, accounts, identity, destroyKey } = options;
  const { state } = await persons.read(personStream(personId));
  const left = await accountsLeft(options, personId, state.accounts);
  for (const [stream, owner] of await claimsOf(options, personId, left))
    await endClaim(options, stream, owner, farewell);
  for (const accountId of left.keys()) {
    const metadata = { actor: 'system:erasure', commandId: derivedId('erase', accountId) };
    const command = { type: 'ErasePersonalData', reason: farewell.reason } as const;
    await accounts.execute(accountStream(accountId), command, metadata, { mayRepeat: true });
  }
  await identity.deletePerson(personId);
  await destroyKey(personId);
};

/** The closed accounts without another owner. */
const accountsLeft = async (
  { accounts }: PeopleOptions,
  personId: string,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, Account>> => {
  const found = new Map<string, Account>();
  for (const accountId of accountIds) {
    const { state } = await accounts.read(accountStream(accountId));
    const owners = [...state.members].filter(([, role]) => role === 'owner').map(([id]) => id);
    if (state.standing.status === 'closed' && owners.every((id) => id === personId)) found.set(accountId, state);
  }
  return found;
};

/** The streams of all addresses and entities that the person has or had, with the owner; none once the keys are destroyed. */
const claimsOf = async (
  options: PeopleOptions,
  personId: string,
  left: ReadonlyMap<string, Account>,
): Promise<readonly (readonly [stream: string, owner: string])[]> => {
  const { identities } = options;
  const found: (readonly [string, string])[] = [];
  for await (const { personal, accountId } of knownOf(options, personId, left)) {
    const address = readAddress(personal.email);
    if (address) found.push([identities.ofAddress(address), personId]);
    if (!personal.entity) continue;
    const owners = accountId === undefined ? [...left.keys()] : [accountId];
    for (const owner of owners) found.push([identities.ofEntity(personal.entity), owner]);
  }
  return [...new Map(found.map((one) => [one.join(' '), one])).values()];
};

const knownOf = async function* (
  { store, vault }: PeopleOptions,
  personId: string,
  left: ReadonlyMap<string, Account>,
): AsyncGenerator<OfPerson> {
  for await (const page of streamPages(store, personStream(personId))) {
    for (const stored of page) {
      const event = decode(stored).event as PersonEvent;
      const personal = 'personal' in event ? await vault.open(personId, event.personal) : undefined;
      if (personal) yield { personId, personal };
    }
  }
  for (const [accountId, { standing }] of left) {
    const personal = standing.registration && (await vault.open(accountId, standing.registration.personal));
    if (personal) yield { personId, accountId, personal };
  }
};

const endClaim = async (
  { claims }: PeopleOptions,
  stream: string,
  owner: string,
  { cause, reason }: Farewell,
): Promise<void> => {
  const { state } = await claims.read(stream);
  if (!state.owners.includes(owner)) return;
  const type = cause === 'own_wish' ? ('ReleaseIdentity' as const) : ('RetireIdentity' as const);
  const metadata = { actor: 'system:erasure', commandId: derivedId('forget', `${owner} ${stream}`) };
  await claims.execute(stream, { type, owner, reason }, metadata, { mayRepeat: true });
};
