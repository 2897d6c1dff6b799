import { isDisposableDomain, typoHint } from '../identity/disposable-domains.ts';
import { mailsOfAccount, type AccountMails } from './account-mails.ts';
import { createCredentials, type Credentials } from './credentials/credentials.ts';
import { createAddressChanges, type AddressChanges } from './address-changes.ts';
import { changeName, type NewName } from './contacts.ts';
import { createPeopleMail, type PeopleMail } from './mail-data.ts';
import type { PeopleOptions } from './people-options.ts';
import { createPeopleProcess } from './people-process.ts';
import { createRoles, type Roles } from './roles/roles.ts';
import { createRegistration, type Registration } from './registration.ts';
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
  readonly signIn: SignIn;
  readonly credentials: Credentials;
  readonly tokens: PeopleTokens;
  readonly roles: Roles;
  readonly process: Process;
  readonly mail: PeopleMail;
  readonly isDisposableDomain: (domain: string) => boolean;
  /** The common mail domain that was probably meant. */
  readonly typoHint: (domain: string) => string | undefined;
};

export const createPeople = (options: PeopleOptions & { readonly supportEmail: () => string }): People => {
  const registration = createRegistration(options);
  const tokens = createPeopleTokens(options);
  const addressChanges = createAddressChanges(options);
  const accountMails = mailsOfAccount(options);
  const roles = createRoles(options);
  return {
    accountMails,
    addressChanges,
    changeName: (name) => changeName(options, name),
    registration,
    roles,
    signIn: createSignIn(options),
    credentials: createCredentials(options),
    tokens,
    process: createPeopleProcess({ ...options, registration, addressChanges, tokens, accountMails, roles }),
    mail: createPeopleMail(options),
    isDisposableDomain,
    typoHint,
  };
};
