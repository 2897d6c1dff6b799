import { contactStream, sealedUnder } from '../../domain/contacts/contact.ts';
import type { ContactEvent, ContactTopic } from '../../domain/contacts/events.ts';
import { mailStream, type MailReference } from '../../domain/mail/mail.ts';
import { decode } from '../../eventstore/journal/codec.ts';
import type { Recipient } from '../../mail/compose.ts';
import type { QueuedMail } from '../../mail/mail-sender.ts';
import type { MailTexts } from '../../mail/templates/template.ts';
import { queueMail } from '../../mail/templates/templates.ts';
import type { PeopleMail } from '../mail-data.ts';
import type { ContactsOptions } from './contacts-options.ts';

type NewContact = {
  readonly contactId: string;
  readonly accountId: string | null;
  readonly topic: ContactTopic;
  readonly replyBy: number;
};

/** To support. Without the text, which is read with the role for it. */
export const receivedMail = ({ contactId, accountId, topic, replyBy }: NewContact) => ({
  stream: mailStream(`contact-received-${contactId}`),
  command: queueMail(
    'contact_received',
    { kind: 'support', id: 'support' },
    {
      ...{ contact_id: contactId, topic, reply_by: new Date(replyBy).toISOString() },
      ...(accountId === null ? {} : { account_id: accountId }),
    },
  ),
});

/** To a writer who is signed in. Strangers get none: anyone can enter the address of another person. */
export const confirmationMail = (personId: string, { contactId, replyBy }: NewContact) => ({
  stream: mailStream(`contact-confirmed-${contactId}`),
  command: queueMail(
    'contact_confirmation',
    { kind: 'person', id: personId },
    { contact_id: contactId, reply_by: new Date(replyBy).toISOString() },
  ),
});

/** To the writer. Its text is read from the event at this revision when the mail is sent. */
export const answerMail = (contactId: string, personId: string | null, revision: number) => ({
  stream: mailStream(`contact-answer-${contactId}-${revision}`),
  command: queueMail(
    'contact_answer',
    personId === null ? { kind: 'contact', id: contactId } : { kind: 'person', id: personId },
    { contact_id: contactId, revision: String(revision) },
  ),
});

type MailOptions = Pick<ContactsOptions, 'contacts' | 'vault' | 'store'>;

/** Adds the addresses of strangers and the texts of answers to the mail data of persons. */
export const withContactMail = (options: MailOptions, people: PeopleMail): PeopleMail => ({
  ...people,
  addressOf: (to) => (to.kind === 'contact' ? addressOfStranger(options, to) : people.addressOf(to)),
  textsOf: (mail) => (mail.template === 'contact_answer' ? textOfAnswer(options, mail) : people.textsOf(mail)),
});

/** The mail has no name: the address was never verified, so another person may have entered the name. */
const addressOfStranger = async (
  { contacts, vault }: MailOptions,
  { id }: MailReference,
): Promise<Recipient | undefined> => {
  const { state } = await contacts.read(contactStream(id));
  const written = state.status === 'unknown' ? undefined : await vault.open(sealedUnder(id, state), state.sealed);
  return written && { name: undefined, email: written.email };
};

/** Undefined if it was erased, which makes the mail obsolete. */
const textOfAnswer = async (
  { contacts, vault, store }: MailOptions,
  { params }: QueuedMail,
): Promise<MailTexts | undefined> => {
  const contactId = params['contact_id'] ?? '';
  const stream = contactStream(contactId);
  const { state } = await contacts.read(stream);
  const [stored] = await store.readStream(stream, Number(params['revision']), 1);
  if (state.status === 'unknown' || !stored) return undefined;
  const event = decode(stored).event as ContactEvent;
  if (event.type !== 'ContactAnswered') return undefined;
  const answer = await vault.open(sealedUnder(contactId, state), event.sealed);
  return answer?.text === undefined ? undefined : { answer: answer.text };
};
