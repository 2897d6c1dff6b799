import { accountStream } from '../../domain/account/account.ts';
import { personStream } from '../../domain/identity/person.ts';
import { derivedId } from '../../eventstore/ids.ts';
import { personalOf, type PeopleOptions } from '../people-options.ts';

/**
 * Replaces the address of a person who was an owner of an entity by that of an owner who stays. `addresses` are all that
 * the person has or had. May be repeated.
 */
export const handOverContact = async (
  options: PeopleOptions,
  accountId: string,
  personId: string,
  addresses: ReadonlySet<string>,
): Promise<void> => {
  const { accounts, vault } = options;
  const stream = accountStream(accountId);
  const { standing, members } = (await accounts.read(stream)).state;
  const { registration } = standing;
  if (registration?.holder !== 'entity') return;
  const contact = await vault.open(accountId, registration.personal);
  if (!contact || !addresses.has(contact.email)) return;
  const owners = [...members].flatMap(([id, role]) => (role === 'owner' && id !== personId ? [id] : []));
  const email = await addressOfOne(options, owners);
  if (email === undefined) return;
  const { personal: from } = registration;
  const personal = await vault.seal(accountId, { ...contact, email });
  const command = { type: 'ChangeContact', from, personal } as const;
  // One sealed text is replaced once, also if two nodes do it.
  const metadata = {
    actor: 'system:erasure',
    commandId: derivedId('hand-over', `${accountId} ${registration.personal}`),
  };
  await accounts.execute(stream, command, metadata, { mayRepeat: true });
};

/** The address of the first owner whose address is known. */
const addressOfOne = async (options: PeopleOptions, owners: readonly string[]): Promise<string | undefined> => {
  for (const id of owners) {
    const personal = await personalOf(options, id, (await options.persons.read(personStream(id))).state);
    if (personal) return personal.email;
  }
  return undefined;
};
