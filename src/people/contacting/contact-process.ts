import { accountOfStream, accountStream } from '../../domain/account/account.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import { accountOfContact, contactOfStream } from '../../domain/contacts/contact.ts';
import type { ContactEvent } from '../../domain/contacts/events.ts';
import type { Fact } from '../../eventstore/journal/codec.ts';
import type { MailCommand } from '../../domain/mail/mail.ts';
import type { AccountCommand } from '../../domain/account/decide.ts';
import type { Process, Reaction } from '../../reactions/process.ts';
import { answerMail, confirmationMail, receivedMail } from './contact-mail.ts';
import type { ContactsOptions } from './contacts-options.ts';
import { eraseContact, eraseContactsOf } from './erase-contacts.ts';

const TYPES = [
  ...(['ContactOpened', 'ContactLinked', 'ContactAnswered'] satisfies ContactEvent['type'][]),
  ...(['PersonalDataErased'] satisfies AccountEvent['type'][]),
];

/** Queues the mails of contacts, notes contacts in the history of the account, and ends their texts with the account. */
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
    const { personId, accountId, topic } = event;
    const contact = { ...event, contactId };
    return [
      queues(options, receivedMail(contact)),
      ...(personId === null ? [] : [queues(options, confirmationMail(personId, contact))]),
      ...(accountId === null ? [] : [notes(options, accountId, { type: 'NoteContact', contactId, topic })]),
    ];
  }
  if (event.type !== 'ContactLinked' && event.type !== 'ContactAnswered') return [];
  // The state at the fact: commands must not depend on later events.
  const { state } = await options.foldContact(stream, { revision });
  if (state.status === 'unknown') return []; // The log went back in time.
  const answered = { type: 'NoteContactAnswer', contactId } as const;
  if (event.type === 'ContactLinked') {
    const { accountId } = event;
    return [
      does(() => eraseIfErased(options, contactId, accountId)),
      notes(options, accountId, { type: 'NoteContact', contactId, topic: state.topic }),
      ...(state.answers > 0 ? [notes(options, accountId, answered)] : []),
    ];
  }
  const accountId = accountOfContact(state);
  return [
    ...(event.how === 'mail' ? [queues(options, answerMail(contactId, state.personId, revision))] : []),
    ...(accountId === null ? [] : [notes(options, accountId, answered)]),
  ];
};

/** Repairs a link that was written just after the erasure of the account. */
const eraseIfErased = async (options: ContactsOptions, contactId: string, accountId: string): Promise<void> => {
  const { state } = await options.accounts.read(accountStream(accountId));
  if (state.standing.erased) await eraseContact(options, contactId);
};

const queues =
  (
    { mails }: Pick<ContactsOptions, 'mails'>,
    mail: { readonly stream: string; readonly command: MailCommand },
  ): Reaction =>
  (metadata) =>
    mails.execute(mail.stream, mail.command, metadata, { mayRepeat: true });

/** In the history of the account. */
const notes =
  ({ accounts }: Pick<ContactsOptions, 'accounts'>, accountId: string, command: AccountCommand): Reaction =>
  (metadata) =>
    accounts.execute(accountStream(accountId), command, metadata, { mayRepeat: true });

/** The commands have ids of their own, which derive from the contact. */
const does =
  (work: () => Promise<unknown>): Reaction =>
  async () => {
    await work();
    return { kind: 'accepted' };
  };
