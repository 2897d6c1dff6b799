import type { Account } from '../../domain/account/account.ts';
import type { AccountCommand, AccountRefusal } from '../../domain/account/decide.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import type { Contact, ContactCommand, ContactRefusal } from '../../domain/contacts/contact.ts';
import type { ContactEvent } from '../../domain/contacts/events.ts';
import type { ListedContact, WantedContacts } from '../../domain/contacts/listed.ts';
import type { Commands } from '../../eventstore/commands.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import type { AttemptLimits } from '../../identity/attempt-limits.ts';
import type { PeopleOptions } from '../people-options.ts';

/** The contacts in the log. Includes everything acknowledged before the call. */
export type ContactList = {
  /** The oldest first. */
  list(wanted: WantedContacts): readonly ListedContact[];
  ofStrangersBefore(openedBefore: Date): readonly string[];
};

export type ContactsOptions = Pick<PeopleOptions, 'persons' | 'vault' | 'identities' | 'destroyKey' | 'now'> & {
  readonly contacts: Pick<Commands<Contact, ContactCommand, ContactEvent, ContactRefusal>, 'execute' | 'read'>;
  readonly accounts: Pick<Commands<Account, AccountCommand, AccountEvent, AccountRefusal>, 'execute' | 'read'>;
  readonly mails: Pick<PeopleOptions['mails'], 'execute'>;
  readonly store: Pick<EventStore, 'readStream'>;
  /** A contact as it was after one of its events. */
  readonly foldContact: (stream: string, until: { readonly revision: number }) => Promise<{ readonly state: Contact }>;
  readonly attemptLimits: Pick<AttemptLimits, 'allow'>;
  readonly listed: () => Promise<ContactList>;
};
