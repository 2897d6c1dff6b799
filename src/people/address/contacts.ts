import { accountStream } from '../../domain/account/account.ts';
import { personStream } from '../../domain/identity/person.ts';
import { derivedId } from '../../eventstore/ids.ts';
import type { PersonalData } from '../../eventstore/journal/personal-data.ts';
import { personalOf, type PeopleOptions } from '../people-options.ts';
import { untilCurrent } from './until-current.ts';

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
  const isChanged = await untilCurrent(async () => {
    const { state } = await persons.read(stream);
    const personal = await personalOf(options, personId, state);
    if (!personal || state.personal === null) return false;
    if (personal.name === name) return true;
    const sealed = await vault.seal(personId, { ...personal, name });
    const command = { type: 'ChangeName', from: state.personal, personal: sealed } as const;
    const metadata = { actor: by.actor, commandId: by.commandId, correlationId: by.requestId };
    const outcome = await persons.execute(stream, command, metadata);
    if (outcome.kind === 'accepted') return true;
    return outcome.refusal.code === 'person_changed' ? undefined : false;
  });
  if (isChanged) await updateContacts(options, personId);
  return isChanged;
};

/**
 * Gives the accounts of a person the person's present name and address. An entity keeps its name, and gets the address only
 * in the place of an earlier one of the person. May be repeated.
 */
export const updateContacts = async (options: PeopleOptions, personId: string): Promise<void> => {
  const { state: person } = await options.persons.read(personStream(personId));
  for (const accountId of person.accounts) await untilCurrent(() => updateContact(options, personId, accountId));
};

const updateContact = async (
  options: PeopleOptions,
  personId: string,
  accountId: string,
): Promise<'done' | undefined> => {
  const { accounts, persons, vault } = options;
  const { state: account } = await accounts.read(accountStream(accountId));
  const { state: person } = await persons.read(personStream(personId));
  const present = await personalOf(options, personId, person);
  const { registration } = account.standing;
  if (!present || person.personal === null) return 'done';
  if (!registration || account.members.get(personId) !== 'owner') return 'done';
  const contact = await vault.open(accountId, registration.personal);
  if (!contact) return 'done';
  const earlier = new Set<string | undefined>();
  for (const { before, after } of person.changes) {
    for (const sealed of [before, after]) earlier.add((await vault.open(personId, sealed))?.email);
  }
  const wanted = contactOf(registration.holder, contact, present, earlier);
  if (wanted.name === contact.name && wanted.email === contact.email) return 'done';
  // One sealed text of the person is one version of the data, so a route and the process write one event.
  const commandId = derivedId('contact', `${accountId} ${person.personal}`);
  const personal = await vault.seal(accountId, wanted);
  const command = { type: 'ChangeContact', from: registration.personal, personal } as const;
  const metadata = { actor: `person:${personId}`, commandId };
  const outcome = await accounts.execute(accountStream(accountId), command, metadata, REPEAT);
  if (outcome.kind === 'refused' && outcome.refusal.code === 'contact_changed') return undefined;
  // An undo meanwhile may have found that the account has the right contact still.
  const { state: after } = await persons.read(personStream(personId));
  return after.personal === person.personal ? 'done' : undefined;
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
