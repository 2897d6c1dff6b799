import { accountStream } from '../domain/account/account.ts';
import { personStream } from '../domain/identity/person.ts';
import { derivedId } from '../eventstore/ids.ts';
import type { PersonalData } from '../eventstore/journal/personal-data.ts';
import { personalOf, type PeopleOptions } from './people-options.ts';

export type NewName = {
  readonly personId: string;
  readonly name: string;
  readonly actor: string;
  readonly commandId: string;
  readonly requestId: string;
};

/** Changes the name of a person and of the accounts that the person holds. False if there is no such person any more. */
export const changeName = async (options: PeopleOptions, { personId, name, ...by }: NewName): Promise<boolean> => {
  const { persons, vault } = options;
  const stream = personStream(personId);
  const { state } = await persons.read(stream);
  const personal = await personalOf(options, personId, state);
  if (!personal) return false;
  if (personal.name !== name) {
    const command = { type: 'ChangeName', personal: await vault.seal(personId, { ...personal, name }) } as const;
    const metadata = { actor: by.actor, commandId: by.commandId, correlationId: by.requestId };
    if ((await persons.execute(stream, command, metadata)).kind === 'refused') return false;
  }
  await updateContacts(options, personId);
  return true;
};

/**
 * Gives the accounts of a person the person's present name and address. An entity keeps its name, and gets the address only
 * in the place of an earlier one of the person. May be repeated.
 */
export const updateContacts = async (options: PeopleOptions, personId: string): Promise<void> => {
  const { accounts, persons, vault } = options;
  const { state: person } = await persons.read(personStream(personId));
  const present = await personalOf(options, personId, person);
  if (!present || person.personal === null) return;
  const earlier = new Set<string | undefined>();
  for (const { before, after } of person.changes) {
    for (const sealed of [before, after]) earlier.add((await vault.open(personId, sealed))?.email);
  }
  for (const accountId of person.accounts) {
    const { state: account } = await accounts.read(accountStream(accountId));
    const { registration } = account.standing;
    if (!registration || account.members.get(personId) !== 'owner') continue;
    const contact = await vault.open(accountId, registration.personal);
    if (!contact) continue;
    const wanted = contactOf(registration.holder, contact, present, earlier);
    if (wanted.name === contact.name && wanted.email === contact.email) continue;
    // One sealed text of the person is one version of the data, so a route and the process write one event.
    const commandId = derivedId('contact', `${accountId} ${person.personal}`);
    const command = { type: 'ChangeContact', personal: await vault.seal(accountId, wanted) } as const;
    await accounts.execute(accountStream(accountId), command, { actor: `person:${personId}`, commandId }, REPEAT);
  }
};

const REPEAT = { mayRepeat: true } as const;

const contactOf = (
  holder: 'person' | 'entity',
  contact: PersonalData,
  { name, email }: PersonalData,
  earlier: ReadonlySet<string | undefined>,
): PersonalData => {
  if (holder === 'person') return { ...contact, name, email };
  return earlier.has(contact.email) ? { ...contact, email } : contact;
};
