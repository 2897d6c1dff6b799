import { accountStream } from '../../domain/account/account.ts';
import { readAddress } from '../../domain/identity/address.ts';
import type { ErasureCause, PersonEvent } from '../../domain/identity/person-events.ts';
import { accountsOfPerson, personStream } from '../../domain/identity/person.ts';
import { streamPages } from '../../eventstore/event-store.ts';
import { derivedId } from '../../eventstore/ids.ts';
import { decode } from '../../eventstore/journal/codec.ts';
import type { PersonalData } from '../../eventstore/journal/personal-data.ts';
import type { PeopleOptions } from '../people-options.ts';
import { handOverContact } from './hand-over-contact.ts';

/** Why the person is forgotten: a claim is released after an own wish, and retired after a violation. */
export type Farewell = { readonly cause: ErasureCause; readonly reason: string };

type Known = { readonly accountId?: string; readonly personal: PersonalData };

/** An account whose personal data goes with the person, as a sealed text. */
type Left = { readonly contact: string; readonly isOpened: boolean };

/**
 * Destroys what is known of a person, after the event that ends it: the claims of addresses and entities, the personal data
 * of closed accounts without another owner and of accounts that were not opened, the rows, and the key. May be repeated, and
 * completes what another node began: the key comes last, because without it the addresses are unknown.
 */
export const forgetPerson = async (options: PeopleOptions, personId: string, farewell: Farewell): Promise<void> => {
  const { accounts, identity, destroyKey } = options;
  const left = await accountsLeft(options, personId);
  for (const [stream, owner] of await claimsOf(options, personId, left))
    await endClaim(options, stream, owner, farewell);
  for (const [accountId, { isOpened }] of left) {
    const metadata = { actor: 'system:erasure', commandId: derivedId('erase', accountId) };
    const command = { type: 'ErasePersonalData', reason: farewell.reason } as const;
    if (isOpened) await accounts.execute(accountStream(accountId), command, metadata, { mayRepeat: true });
    else await destroyKey(accountId);
  }
  await leaveAccounts(options, personId, personId);
  await identity.deletePerson(personId);
  await destroyKey(personId);
};

/** Ends the memberships in accounts that go on, which keep no address of the person. False if an account would have no owner. May be repeated with its cause. */
export const leaveAccounts = async (options: PeopleOptions, personId: string, cause: string): Promise<boolean> => {
  const { persons, accounts } = options;
  const addresses = await addressesOf(options, personId);
  let isLastOwner = false;
  const { state: person } = await persons.read(personStream(personId));
  for (const accountId of accountsOfPerson(person)) {
    const { standing, members } = (await accounts.read(accountStream(accountId))).state;
    if (standing.status === 'closed') continue;
    if (!members.has(personId)) {
      await handOverContact(options, accountId, personId, addresses);
      continue;
    }
    const metadata = { actor: 'system:erasure', commandId: derivedId('leave', `${cause} ${accountId}`) };
    const command = { type: 'RemoveMember', personId, reason: 'the person was erased' } as const;
    const outcome = await accounts.execute(accountStream(accountId), command, metadata, { mayRepeat: true });
    if (outcome.kind === 'accepted') await handOverContact(options, accountId, personId, addresses);
    else isLastOwner ||= outcome.refusal.code === 'last_owner';
  }
  return !isLastOwner;
};

/** All addresses that the person has or had; none once the key is destroyed. */
export const addressesOf = async (options: PeopleOptions, personId: string): Promise<ReadonlySet<string>> => {
  const addresses = new Set<string>();
  for await (const { personal } of knownOf(options, personId, new Map())) addresses.add(personal.email);
  return addresses;
};

const accountsLeft = async (
  { persons, accounts }: PeopleOptions,
  personId: string,
): Promise<ReadonlyMap<string, Left>> => {
  const { state: person } = await persons.read(personStream(personId));
  const found = new Map<string, Left>();
  for (const accountId of new Set([...person.accounts, ...person.asks.keys()])) {
    const { standing, members } = (await accounts.read(accountStream(accountId))).state;
    const owners = [...members].filter(([, role]) => role === 'owner').map(([id]) => id);
    const isOwn = standing.status === 'closed' && owners.every((id) => id === personId);
    const { registration } = standing;
    const asked = person.asks.get(accountId);
    if (isOwn && registration) found.set(accountId, { contact: registration.personal, isOpened: true });
    if (!registration && asked) found.set(accountId, { contact: asked.application.contact, isOpened: false });
  }
  return found;
};

/** The streams of all addresses and entities that the person has or had, with the owner; none once the keys are destroyed. */
const claimsOf = async (
  options: PeopleOptions,
  personId: string,
  left: ReadonlyMap<string, Left>,
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
  left: ReadonlyMap<string, Left>,
): AsyncGenerator<Known> {
  for await (const page of streamPages(store, personStream(personId))) {
    for (const stored of page) {
      const event = decode(stored).event as PersonEvent;
      const personal = 'personal' in event ? await vault.open(personId, event.personal) : undefined;
      if (personal) yield { personal };
    }
  }
  for (const [accountId, { contact }] of left) {
    const personal = await vault.open(accountId, contact);
    if (personal) yield { accountId, personal };
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
  // A retired identity stays retired.
  const isReleased = cause === 'own_wish' || state.retired;
  const type = isReleased ? ('ReleaseIdentity' as const) : ('RetireIdentity' as const);
  const metadata = { actor: 'system:erasure', commandId: derivedId('forget', `${owner} ${stream}`) };
  await claims.execute(stream, { type, owner, reason }, metadata, { mayRepeat: true });
};
