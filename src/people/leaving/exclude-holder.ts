import { accountStream, type Account } from '../../domain/account/account.ts';
import { readAddress } from '../../domain/identity/address.ts';
import { accountsOfPerson, personStream } from '../../domain/identity/person.ts';
import { derivedId } from '../../eventstore/ids.ts';
import type { PeopleOptions } from '../people-options.ts';
import { addressesOf } from './forget-person.ts';

/** Stored as the reason of the retirement. On disk. */
const REASON = 'an account was terminated for a violation of the terms';

/**
 * Ends the registrations of the holder of a terminated account: no address of its owners is claimed again, also not after
 * they change it or are erased, and no account is opened for the entity. The owners keep their claims, so that they can sign
 * in. May be repeated.
 */
export const excludeHolder = async (options: PeopleOptions, accountId: string): Promise<void> => {
  const { accounts, claims } = options;
  const { state } = await accounts.read(accountStream(accountId));
  for (const stream of await identitiesOf(options, accountId, state)) {
    const command = { type: 'RetireIdentity', owner: accountId, reason: REASON } as const;
    const metadata = { actor: 'system:conduct', commandId: derivedId('exclude', `${accountId} ${stream}`) };
    await claims.execute(stream, command, metadata, { mayRepeat: true });
  }
};

const identitiesOf = async (
  options: PeopleOptions,
  accountId: string,
  { conduct, standing }: Account,
): Promise<ReadonlySet<string>> => {
  const { identities, claims, vault } = options;
  const found = new Set<string>();
  const owners = conduct.termination?.owners ?? [];
  for (const personId of owners) {
    for (const email of await addressesOf(options, personId)) {
      const address = readAddress(email);
      const stream = address && identities.ofAddress(address);
      // An address that was given up may belong to another person by now.
      if (stream !== undefined && (await claims.read(stream)).state.owners.includes(personId)) found.add(stream);
    }
  }
  const { registration } = standing;
  const contact = registration ? await vault.open(accountId, registration.personal) : undefined;
  if (contact?.entity) found.add(identities.ofEntity(contact.entity));
  // The operator registered the account for a holder who is not a person here.
  const address = contact && owners.length === 0 ? readAddress(contact.email) : undefined;
  if (address) found.add(identities.ofAddress(address));
  return found;
};

/** Whether the person owned an account when it was terminated for a violation of the terms. */
export const isExcluded = async (
  { persons, accounts }: Pick<PeopleOptions, 'persons' | 'accounts'>,
  personId: string,
): Promise<boolean> => {
  const { state: person } = await persons.read(personStream(personId));
  for (const accountId of accountsOfPerson(person)) {
    const { conduct } = (await accounts.read(accountStream(accountId))).state;
    if (conduct.termination?.owners.includes(personId)) return true;
  }
  return false;
};
