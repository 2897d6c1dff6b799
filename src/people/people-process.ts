import { accountOfStream } from '../domain/account/account.ts';
import type { AccountEvent } from '../domain/account/events.ts';
import type { ClaimEvent } from '../domain/identity/claims.ts';
import type { PersonEvent } from '../domain/identity/person-events.ts';
import { personOfStream } from '../domain/identity/person.ts';
import type { Fact } from '../eventstore/journal/codec.ts';
import type { Process, Reaction } from '../reactions/process.ts';
import type { AccountMails } from './account-mails.ts';
import type { AddressChanges } from './address/address-changes.ts';
import { TYPES_OF_CONDUCT, type ConductMails } from './conduct-mails.ts';
import { updateContacts } from './address/contacts.ts';
import { revokeAfter, TYPES_THAT_END_ROLES } from './credentials/ended-roles.ts';
import type { PeopleTokens } from './credentials/tokens.ts';
import type { FurtherAccounts } from './further-accounts.ts';
import { excludeHolder } from './leaving/exclude-holder.ts';
import { forgetPerson } from './leaving/forget-person.ts';
import type { PeopleOptions } from './people-options.ts';
import type { Registration } from './registration.ts';
import { TYPES_OF_ROLES, workOfRoles, type Roles } from './roles/roles.ts';

export type PeopleProcessOptions = PeopleOptions & {
  readonly registration: Registration;
  readonly furtherAccounts: FurtherAccounts;
  readonly addressChanges: AddressChanges;
  readonly tokens: PeopleTokens;
  readonly accountMails: AccountMails;
  readonly conductMails: ConductMails;
  readonly roles: Roles;
};

const OF_PERSONS = [
  ...(['PersonRegistered', 'AddressVerified', 'RegistrationLapsed', 'PersonErased'] as const),
  ...(['AccountAsked', 'AccountDeclined', 'AccountOpened', 'NameChanged'] as const),
  ...(['AddressChangeAsked', 'AddressChanged', 'AddressChangeUndone'] as const),
] satisfies readonly PersonEvent['type'][];
const OF_CLAIMS = ['IdentityClaimed'] satisfies readonly ClaimEvent['type'][];
const OF_ACCOUNTS = [
  'KeyLeakReported',
  'BalanceBelowThreshold',
  'AccountClosed',
  ...TYPES_OF_CONDUCT,
] satisfies readonly AccountEvent['type'][];

/**
 * What the events of persons and of accounts cause: mails, accounts, claims of addresses, names of accounts, what
 * follows from roles, the end of the tokens that rested on them, and the end of what is known of a person.
 */
export const createPeopleProcess = (options: PeopleProcessOptions): Process => ({
  name: 'people',
  types: new Set([...OF_PERSONS, ...OF_CLAIMS, ...OF_ACCOUNTS, ...TYPES_THAT_END_ROLES, ...TYPES_OF_ROLES]),
  from: 'start',
  react: (fact) => {
    const ofRoles = [revokeAfter(options.tokens, fact), workOfRoles(options.roles, fact)];
    return [...ofRoles.flatMap((work) => (work ? [does(work)] : [])), ...reactionsTo(options, fact)];
  },
});

const reactionsTo = (options: PeopleProcessOptions, fact: Fact): readonly Reaction[] => {
  const { registration, addressChanges } = options;
  const { event, stream } = fact;
  const accountId = accountOfStream(stream);
  if (accountId !== undefined) return ofAccount(options, accountId, fact);
  const personId = personOfStream(stream);
  if (personId !== undefined) return ofPerson(options, personId, fact);
  if (event.type !== 'IdentityClaimed') return [];
  const { owner, how } = event;
  if (how !== 'code' && how !== 'link') return [];
  // Of a registration or of a change of address: the other one does nothing.
  return [does(() => registration.complete(owner, how)), does(() => addressChanges.resume(owner, stream))];
};

const ofPerson = (options: PeopleProcessOptions, personId: string, { event, time }: Fact): readonly Reaction[] => {
  const { registration, furtherAccounts, addressChanges } = options;
  const { pendingRegistrations: pending } = options.identity;
  switch (event.type) {
    case 'PersonRegistered':
      if (event.how === 'operator') return [];
      // An invitation has had its mail.
      if (event.how === 'invitation') return [does(() => pending.add(personId, time))];
      return [does(() => pending.add(personId, time)), does(() => registration.invite(personId, time))];
    case 'AddressVerified':
      return [does(() => pending.remove(personId))];
    case 'RegistrationLapsed':
      return [does(() => forgetPerson(options, personId, LAPSED))];
    case 'PersonErased':
      return [does(() => forgetPerson(options, personId, event))];
    case 'AccountAsked': {
      const { accountId } = event;
      // A refusal was the answer to the person.
      return [does(() => furtherAccounts.complete(personId, accountId, time))];
    }
    case 'AccountDeclined': {
      const { accountId } = event;
      return [does(() => options.destroyKey(accountId))];
    }
    case 'AccountOpened': {
      const { accountId } = event;
      return [does(() => registration.openAccount(personId, accountId))];
    }
    case 'NameChanged':
      return [does(() => updateContacts(options, personId))];
    case 'AddressChangeAsked': {
      const { changeId } = event;
      return [does(() => addressChanges.invite(personId, changeId, time))];
    }
    case 'AddressChanged': {
      const { changeId } = event;
      return [does(() => addressChanges.afterChange(personId, changeId))];
    }
    case 'AddressChangeUndone': {
      const { changeId } = event;
      return [does(() => addressChanges.afterUndo(personId, changeId))];
    }
    default:
      return [];
  }
};

const ofAccount = (options: PeopleProcessOptions, accountId: string, fact: Fact): readonly Reaction[] => {
  const { accountMails: mails, conductMails } = options;
  const { event, id, time } = fact;
  switch (event.type) {
    case 'KeyLeakReported': {
      const { keyId, since } = event;
      return [does(() => mails.keyLeaked(accountId, { keyId, since, at: time }))];
    }
    case 'AccountClosed':
      return [does(() => mails.closed(accountId, time))];
    case 'ViolationRecorded':
    case 'AccountSuspended':
    case 'AccountReinstated':
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
      return [does(() => conductMails.about(accountId, fact))];
    case 'AccountTerminated':
      return [does(() => excludeHolder(options, accountId)), does(() => conductMails.about(accountId, fact))];
    case 'BalanceBelowThreshold': {
      const { balance, threshold } = event;
      return [does(() => mails.lowBalance(accountId, { balance, threshold, eventId: id }))];
    }
    default:
      return [];
  }
};

/** On disk. */
const LAPSED = { cause: 'own_wish', reason: 'the registration lapsed' } as const;

/** The commands have ids of their own, which derive from the person, because a route may send them first. */
const does =
  (work: () => Promise<unknown>): Reaction =>
  async () => {
    await work();
    return { kind: 'accepted' };
  };
