import type { Person } from '../domain/identity/person.ts';
import { accountsOfPerson, personStream } from '../domain/identity/person.ts';
import type { PersonalData } from '../eventstore/journal/personal-data.ts';
import type { Passkey } from '../identity/passkeys/passkeys.ts';
import type { Session } from '../identity/sessions.ts';
import type { ManagementToken } from '../identity/tokens.ts';
import { personalOf, type PeopleOptions } from './people-options.ts';

/** What is kept about a person, without the events. */
export type OwnData = {
  readonly person: Person;
  readonly personal: PersonalData | undefined;
  readonly sessions: readonly Session[];
  readonly passkeys: readonly Passkey[];
  /** The management tokens that the person created and that have not ended. */
  readonly tokens: readonly ManagementToken[];
};

export const readOwnData = async (options: PeopleOptions, personId: string): Promise<OwnData> => {
  const { persons, identity } = options;
  const { state: person } = await persons.read(personStream(personId));
  const ofAccounts: ManagementToken[] = [];
  for (const accountId of accountsOfPerson(person))
    ofAccounts.push(...(await identity.tokens.listOfAccount(accountId)));
  return {
    person,
    personal: await personalOf(options, personId, person),
    sessions: await identity.sessions.list(personId),
    passkeys: await identity.passkeys.list(personId),
    tokens: ofAccounts.filter(({ createdBy }) => createdBy === personId),
  };
};
