import { isDisposableDomain, typoHint } from '../identity/disposable-domains.ts';
import { mailsOfAccount, type AccountMails } from './account-mails.ts';
import { createConductMails } from './conduct-mails.ts';
import { createCredentials, type Credentials } from './credentials/credentials.ts';
import { createAddressChanges, type AddressChanges } from './address/address-changes.ts';
import { changeName, type NewName } from './address/contacts.ts';
import { createPeopleMail, type PeopleMail } from './mail-data.ts';
import { createFurtherAccounts, type FurtherAccounts } from './further-accounts.ts';
import type { Identities } from './identities.ts';
import { erasePerson, type ErasureAsked, type ErasureOutcome } from './leaving/erasure.ts';
import { lapseRegistrations } from './leaving/lapse.ts';
import { readOwnData, type OwnData } from './own-data.ts';
import type { PeopleOptions } from './people-options.ts';
import { createPeopleProcess } from './people-process.ts';
import { createRoles, type Roles } from './roles/roles.ts';
import { createRegistration, type Registration } from './registration.ts';
import { createSearch, type Search } from './search/search.ts';
import { createSearchProcess } from './search/search-process.ts';
import { createSignIn, type SignIn } from './sign-in.ts';
import { createPeopleTokens, type PeopleTokens } from './credentials/tokens.ts';
import type { Process } from '../reactions/process.ts';

/** What persons do, from registration to erasure. */
export type People = {
  readonly accountMails: AccountMails;
  readonly addressChanges: AddressChanges;
  /** False if there is no such person any more. */
  readonly changeName: (name: NewName) => Promise<boolean>;
  readonly registration: Registration;
  readonly identities: Identities;
  readonly furtherAccounts: FurtherAccounts;
  readonly signIn: SignIn;
  readonly credentials: Credentials;
  readonly tokens: PeopleTokens;
  readonly roles: Roles;
  readonly readOwnData: (personId: string) => Promise<OwnData>;
  readonly erase: (personId: string, asked: ErasureAsked) => Promise<ErasureOutcome>;
  readonly process: Process;
  readonly search: Search;
  /** Ends registrations that were not verified in time: see lapse.ts. */
  readonly lapseRegistrations: () => Promise<number>;
  readonly searchProcess: Process;
  readonly mail: PeopleMail;
  readonly isDisposableDomain: (domain: string) => boolean;
  /** The common mail domain that was probably meant. */
  readonly typoHint: (domain: string) => string | undefined;
};

export const createPeople = (options: PeopleOptions & { readonly supportEmail: () => string }): People => {
  const registration = createRegistration(options);
  const tokens = createPeopleTokens(options);
  const furtherAccounts = createFurtherAccounts(options, registration);
  const addressChanges = createAddressChanges(options);
  const accountMails = mailsOfAccount(options);
  const roles = createRoles(options);
  return {
    accountMails,
    addressChanges,
    changeName: (name) => changeName(options, name),
    registration,
    roles,
    identities: options.identities,
    furtherAccounts,
    signIn: createSignIn(options),
    credentials: createCredentials(options),
    tokens,
    search: createSearch(options),
    readOwnData: (personId) => readOwnData(options, personId),
    erase: (personId, asked) => erasePerson(options, personId, asked),
    lapseRegistrations: () => lapseRegistrations(options),
    searchProcess: createSearchProcess(options),
    process: createPeopleProcess({
      ...options,
      registration,
      furtherAccounts,
      addressChanges,
      tokens,
      accountMails,
      conductMails: createConductMails(options),
      roles,
    }),
    mail: createPeopleMail(options),
    isDisposableDomain,
    typoHint,
  };
};
