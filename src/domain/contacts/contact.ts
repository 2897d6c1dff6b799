import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import type { AnswerWay, ClosingReason, ContactEvent } from './events.ts';

type Opened = Omit<Extract<ContactEvent, { type: 'ContactOpened' }>, 'type'>;

export type ContactCommand =
  | ({ readonly type: 'OpenContact' } & Opened)
  | { readonly type: 'LinkContact'; readonly accountId: string }
  | { readonly type: 'AnswerContact'; readonly how: AnswerWay; readonly sealed: string }
  | { readonly type: 'CloseContact'; readonly reason: ClosingReason };

/** In order of precedence. */
export const contactRefusalCodes = ['contact_not_found', 'contact_closed', 'contact_of_account'] as const;
export type ContactRefusal = { readonly code: (typeof contactRefusalCodes)[number] };

export const contactStatuses = ['open', 'answered', 'closed'] as const;
export type ContactStatus = (typeof contactStatuses)[number];

export type KnownContact = Opened & {
  readonly status: ContactStatus;
  /** The account that a stranger's contact was linked to; null if it was not. */
  readonly linkedTo: string | null;
  readonly answers: number;
  readonly closedFor: ClosingReason | null;
};
export type Contact = { readonly status: 'unknown' } | KnownContact;

/** The account of a contact. Null for a stranger's contact without a link. */
export const accountOfContact = ({ accountId, linkedTo }: Pick<KnownContact, 'accountId' | 'linkedTo'>) =>
  accountId ?? linkedTo;

/** The id whose key seals the texts of a contact. Linking the contact does not change it. */
export const sealedUnder = (contactId: string, { accountId }: Pick<KnownContact, 'accountId'>): string =>
  accountId ?? contactId;

export const evolveContact = (contact: Contact, event: ContactEvent): Contact => {
  if (event.type === 'ContactOpened') {
    const { type: _, ...opened } = event;
    return { ...opened, status: 'open', linkedTo: null, answers: 0, closedFor: null };
  }
  if (contact.status === 'unknown') return contact;
  switch (event.type) {
    case 'ContactLinked':
      return { ...contact, linkedTo: event.accountId };
    case 'ContactAnswered':
      return { ...contact, status: 'answered', answers: contact.answers + 1 };
    case 'ContactClosed':
      return { ...contact, status: 'closed', closedFor: event.reason };
  }
};

type ContactDecision = Decision<ContactEvent, ContactRefusal>;
const no = (code: ContactRefusal['code']): ContactDecision => refuse({ code });

export const decideContact = (command: ContactCommand, contact: Contact): ContactDecision => {
  if (command.type === 'OpenContact') {
    const { type: _, ...opened } = command;
    return contact.status === 'unknown' ? accept({ type: 'ContactOpened', ...opened }) : accept();
  }
  if (contact.status === 'unknown') return no('contact_not_found');
  switch (command.type) {
    case 'LinkContact': {
      const { accountId } = command;
      if (accountOfContact(contact) === accountId) return accept();
      if (contact.closedFor === 'expired') return no('contact_closed');
      return accountOfContact(contact) === null
        ? accept({ type: 'ContactLinked', accountId })
        : no('contact_of_account');
    }
    case 'AnswerContact': {
      const { how, sealed } = command;
      return contact.status === 'closed' ? no('contact_closed') : accept({ type: 'ContactAnswered', how, sealed });
    }
    case 'CloseContact': {
      const { reason } = command;
      if (contact.status !== 'closed') return accept({ type: 'ContactClosed', reason });
      // Erasing the text later does not change the reason.
      return contact.closedFor === reason || reason === 'expired' ? accept() : no('contact_closed');
    }
  }
};

export const contactStream = (contactId: string): string => `contact-${contactId}`;

/** The contact of a stream; undefined for streams of other kinds. */
export const contactOfStream = (stream: string): string | undefined =>
  stream.startsWith('contact-') ? stream.slice('contact-'.length) : undefined;

export const contactDecider: Decider<Contact, ContactCommand, ContactEvent, ContactRefusal> = {
  initial: () => ({ status: 'unknown' }),
  evolve: evolveContact,
  decide: decideContact,
};
