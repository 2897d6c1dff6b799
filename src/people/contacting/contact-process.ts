import { accountOfStream, accountStream } from '../../domain/account/account.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import { contactOfStream } from '../../domain/contacts/contact.ts';
import type { ContactEvent } from '../../domain/contacts/events.ts';
import type { Fact } from '../../eventstore/journal/codec.ts';
import type { MailCommand } from '../../domain/mail/mail.ts';
import type { Process, Reaction } from '../../reactions/process.ts';
import { answerMail, confirmationMail, receivedMail } from './contact-mail.ts';
import type { ContactsOptions } from './contacts-options.ts';
import { eraseContact, eraseContactsOf } from './erase-contacts.ts';

const TYPES = [
  ...(['ContactOpened', 'ContactLinked', 'ContactAnswered'] satisfies ContactEvent['type'][]),
  ...(['PersonalDataErased'] satisfies AccountEvent['type'][]),
];

/** What contacts cause: mails, their note in the history of the account, and their end with the account. */
export const createContactProcess = (options: ContactsOptions): Process => ({
  name: 'contacts',
  types: new Set(TYPES),
  from: 'start',
  react: (fact) => {
    const contactId = contactOfStream(fact.stream);
    if (contactId !== undefined) return ofContact(options, contactId, fact);
    const accountId = accountOfStream(fact.stream);
    if (accountId === undefined || fact.event.type !== 'PersonalDataErased') return [];
    return [does(() => eraseContactsOf(options, accountId))];
  },
});

const ofContact = async (
  options: ContactsOptions,
  contactId: string,
  { event, stream, revision }: Fact,
): Promise<readonly Reaction[]> => {
  if (event.type === 'ContactOpened') {
    const { personId } = event;
    const contact = { ...event, contactId };
    return [
      queues(options, receivedMail(contact)),
      ...(personId === null ? [] : [queues(options, confirmationMail(personId, contact))]),
    ];
  }
  if (event.type === 'ContactLinked') return [does(() => eraseIfErased(options, contactId, event.accountId))];
  if (event.type !== 'ContactAnswered') return [];
  const { state } = await options.foldContact(stream, { revision });
  if (state.status === 'unknown') return []; // The log went back in time.
  return event.how === 'mail' ? [queues(options, answerMail(contactId, state.personId, revision))] : [];
};

/** The erasure of the account may have come just before the link. */
const eraseIfErased = async (options: ContactsOptions, contactId: string, accountId: string): Promise<void> => {
  const { state } = await options.accounts.read(accountStream(accountId));
  if (state.standing.erased) await eraseContact(options, contactId);
};

const queues =
  ({ mails }: Pick<ContactsOptions, 'mails'>, mail: { readonly stream: string; readonly command: MailCommand }): Reaction =>
  (metadata) =>
    mails.execute(mail.stream, mail.command, metadata, { mayRepeat: true });

/** The commands have ids of their own, which derive from the contact. */
const does =
  (work: () => Promise<unknown>): Reaction =>
  async () => {
    await work();
    return { kind: 'accepted' };
  };
