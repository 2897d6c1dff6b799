import { accountOfContact, contactOfStream, evolveContact, type Contact } from '../../domain/contacts/contact.ts';
import type { ContactEvent } from '../../domain/contacts/events.ts';
import type { ListedContact, WantedContacts } from '../../domain/contacts/listed.ts';
import type { DomainEvent, Fact } from '../../eventstore/journal/codec.ts';
import type { Consumer } from '../follow.ts';

export type ContactList = Consumer & {
  /** The oldest first. */
  list(wanted: WantedContacts): readonly ListedContact[];
  /** The contacts of strangers that were opened before a time: the oldest first. */
  ofStrangersBefore(openedBefore: Date): readonly string[];
  /** The contacts that wait for an answer. */
  waiting(now: Date): { readonly inTime: number; readonly overdue: number };
};

const TYPES = new Set<DomainEvent['type']>([
  ...(['ContactOpened', 'ContactLinked', 'ContactAnswered', 'ContactClosed'] satisfies ContactEvent['type'][]),
]);

type Entry = Omit<ListedContact, 'belongsTo'>;

/** Contacts with support, in memory, from the log. */
export const createContactList = (): ContactList => {
  /** In the order in which they were opened. */
  const contacts = new Map<string, Entry>();
  let position = 0;
  return {
    name: 'contact_list',
    types: TYPES,
    position: () => position,
    apply: (batch, upTo) => {
      for (const fact of batch) {
        const contactId = contactOfStream(fact.stream);
        if (contactId !== undefined && fact.position > position) follow(contacts, contactId, fact);
      }
      position = Math.max(position, upTo);
      return position;
    },
    list: (wanted) => listed(contacts, wanted),
    ofStrangersBefore: (openedBefore) =>
      [...contacts.values()].flatMap(({ contactId, accountId, openedAt }) =>
        accountId === null && openedAt < openedBefore ? [contactId] : [],
      ),
    waiting: (now) => {
      const open = [...contacts.values()].filter(({ status }) => status === 'open');
      const overdue = open.filter(({ replyBy }) => replyBy <= now.getTime()).length;
      return { inTime: open.length - overdue, overdue };
    },
  };
};

const follow = (contacts: Map<string, Entry>, contactId: string, { event, time }: Fact): void => {
  const before = contacts.get(contactId);
  const contact: Contact = before ? { ...before, sealed: '' } : { status: 'unknown' };
  const after = evolveContact(contact, event as ContactEvent);
  if (after.status === 'unknown') return;
  const { sealed: _, ...rest } = after;
  contacts.set(contactId, { ...rest, contactId, openedAt: before?.openedAt ?? time });
};

const listed = (
  contacts: ReadonlyMap<string, Entry>,
  { status, accountId, personId, after, limit }: WantedContacts,
): readonly ListedContact[] => {
  const found: ListedContact[] = [];
  let isBefore = after !== undefined;
  for (const contact of contacts.values()) {
    if (found.length === limit) break;
    if (isBefore) {
      isBefore = contact.contactId !== after;
      continue;
    }
    const belongsTo = accountOfContact(contact);
    const isWanted =
      (status === undefined || contact.status === status) &&
      (accountId === undefined || belongsTo === accountId) &&
      (personId === undefined || contact.personId === personId);
    if (isWanted) found.push({ ...contact, belongsTo });
  }
  return found;
};
