import { accountStream } from '../../domain/account/account.ts';
import { replyBy } from '../../domain/contacts/business-days.ts';
import {
  contactStream,
  sealedUnder,
  type ContactCommand,
  type ContactRefusal,
  type KnownContact,
} from '../../domain/contacts/contact.ts';
import type { AnswerWay, ClosingReason, ContactEvent, ContactTopic } from '../../domain/contacts/events.ts';
import type { Address } from '../../domain/identity/address.ts';
import { derivedId } from '../../eventstore/ids.ts';
import type { PersonalData } from '../../eventstore/journal/personal-data.ts';
import { DestroyedKey } from '../../eventstore/secrets/data-keys.ts';
import { networkOf } from '../one-time.ts';
import type { Client, Wait } from '../people-options.ts';
import type { ContactsOptions } from './contacts-options.ts';
import { openContact, type OpenedContact } from './opened-contact.ts';

export type Written = {
  readonly kind: 'written';
  readonly contactId: string;
  readonly replyBy: Date;
  readonly repeated: boolean;
};

type NewText = {
  readonly topic: ContactTopic;
  readonly text: string;
  /** What it concerns, such as the id of a request. */
  readonly about: string | undefined;
  readonly commandId: string;
  readonly requestId: string;
};

export type OfStranger = NewText & {
  readonly name: string | undefined;
  readonly address: Address;
  readonly client: Client;
};
export type OfMember = NewText & {
  readonly accountId: string;
  readonly personId: string;
  readonly mayRepeat: boolean;
};

/** What staff do with a contact. */
export type ContactWork = {
  readonly actor: string;
  readonly commandId: string;
  readonly requestId: string;
  readonly mayRepeat: boolean;
};

/** The text of the contact was erased, so nothing can be sealed with it. */
type Erased = { readonly kind: 'erased' };
/** The command was used for something else before. */
type Reused = { readonly kind: 'reused' };
type Done = { readonly kind: 'done'; readonly repeated: boolean };
type Refused = { readonly kind: 'refused'; readonly refusal: ContactRefusal };

export type Contacts = {
  writeAsStranger(contact: OfStranger): Promise<Written | Wait>;
  writeAsMember(contact: OfMember): Promise<Written | Wait | Erased | Reused>;
  /** With its texts; undefined if there is no such contact. */
  find(contactId: string): Promise<OpenedContact | undefined>;
  answer(contactId: string, how: AnswerWay, text: string, work: ContactWork): Promise<Done | Refused | Erased | Reused>;
  /** The account must exist. */
  link(
    contactId: string,
    accountId: string,
    work: ContactWork,
  ): Promise<Done | Refused | Reused | { readonly kind: 'no_account' } | { readonly kind: 'account_erased' }>;
  close(contactId: string, reason: ClosingReason, work: ContactWork): Promise<Done | Refused | Reused>;
};

export const createContacts = (options: ContactsOptions): Contacts => ({
  writeAsStranger: (contact) => writeAsStranger(options, contact),
  writeAsMember: (contact) => writeAsMember(options, contact),
  find: (contactId) => openContact(options, contactId),
  answer: (contactId, how, text, work) => answer(options, contactId, { how, text }, work),
  link: async (contactId, accountId, work) => {
    const { state } = await options.accounts.read(accountStream(accountId));
    if (state.standing.status === 'unregistered') return { kind: 'no_account' };
    if (state.standing.erased) return { kind: 'account_erased' };
    const isAsked = (event: ContactEvent): boolean => event.type === 'ContactLinked' && event.accountId === accountId;
    return execute(options, contactId, { type: 'LinkContact', accountId }, work, isAsked);
  },
  close: (contactId, reason, work) => {
    const isAsked = (event: ContactEvent): boolean => event.type === 'ContactClosed' && event.reason === reason;
    return execute(options, contactId, { type: 'CloseContact', reason }, work, isAsked);
  },
});

const aboutOf = (about: string | undefined) => (about === undefined ? {} : { about });

const writeAsStranger = async (options: ContactsOptions, contact: OfStranger): Promise<Written | Wait> => {
  const { identities, attemptLimits, vault, contacts, now } = options;
  const { name, address, client, topic, text, about, commandId, requestId } = contact;
  const keys = { addressHash: identities.hashOf(address), network: networkOf(client) };
  const allowance = await attemptLimits.allow({ action: 'contact', keys });
  if (allowance.kind === 'wait') return allowance;
  const contactId = derivedId('ctc', commandId);
  const sealed = await vault.seal(contactId, { name: name ?? '', email: address.exact, text, ...aboutOf(about) });
  const by = replyBy(now());
  const command = { type: 'OpenContact', accountId: null, personId: null, topic, sealed, replyBy: by } as const;
  const metadata = { actor: 'public', commandId, correlationId: requestId };
  await contacts.execute(contactStream(contactId), command, metadata);
  return { kind: 'written', contactId, replyBy: new Date(by), repeated: false };
};

/** Name and address are stored only with the person, so that they change and are erased with the person. */
const writeAsMember = async (
  options: ContactsOptions,
  contact: OfMember,
): Promise<Written | Wait | Erased | Reused> => {
  const { attemptLimits, contacts, now } = options;
  const { accountId, personId, topic, text, about, commandId, requestId, mayRepeat } = contact;
  const contactId = derivedId('ctc', commandId);
  const stream = contactStream(contactId);
  if (mayRepeat) {
    const earlier = await openContact(options, contactId);
    if (earlier) {
      // Members of an account share the scope of their keys.
      const isSame =
        earlier.personId === personId &&
        earlier.topic === topic &&
        earlier.text === text &&
        earlier.about === (about ?? null);
      return isSame ? written(contactId, earlier, true) : { kind: 'reused' };
    }
  }
  const allowance = await attemptLimits.allow({ action: 'contact', keys: { account: personId } });
  if (allowance.kind === 'wait') return allowance;
  const sealed = await sealIfPossible(options, accountId, { name: '', email: '', text, ...aboutOf(about) });
  if (sealed === undefined) return { kind: 'erased' };
  const opened = { accountId, personId, topic, sealed, replyBy: replyBy(now()) };
  const metadata = { actor: `person:${personId}`, commandId, correlationId: requestId };
  await contacts.execute(stream, { type: 'OpenContact', ...opened }, metadata, { mayRepeat });
  return written(contactId, opened, false);
};

const written = (contactId: string, { replyBy: by }: Pick<KnownContact, 'replyBy'>, repeated: boolean): Written => ({
  ...{ kind: 'written', contactId, replyBy: new Date(by), repeated },
});

/** Undefined if the key was destroyed. */
const sealIfPossible = async (
  { vault }: Pick<ContactsOptions, 'vault'>,
  id: string,
  data: PersonalData,
): Promise<string | undefined> => {
  try {
    return await vault.seal(id, data);
  } catch (error) {
    if (error instanceof DestroyedKey) return undefined;
    throw error;
  }
};

const answer = async (
  options: ContactsOptions,
  contactId: string,
  { how, text }: { readonly how: AnswerWay; readonly text: string },
  work: ContactWork,
): Promise<Done | Refused | Erased | Reused> => {
  const { contacts, vault } = options;
  const { state } = await contacts.read(contactStream(contactId));
  if (state.status === 'unknown') return { kind: 'refused', refusal: { code: 'contact_not_found' } };
  if (state.status === 'closed' && !work.mayRepeat) return { kind: 'refused', refusal: { code: 'contact_closed' } };
  const id = sealedUnder(contactId, state);
  const sealed = await sealIfPossible(options, id, { name: '', email: '', text });
  if (sealed === undefined) return { kind: 'erased' };
  return execute(options, contactId, { type: 'AnswerContact', how, sealed }, work, async (event) => {
    if (event.type !== 'ContactAnswered' || event.how !== how) return false;
    return (await vault.open(id, event.sealed))?.text === text;
  });
};

/** For a repetition: `isAsked` returns whether the event of the earlier command matches the request. */
const execute = async (
  { contacts }: Pick<ContactsOptions, 'contacts'>,
  contactId: string,
  command: ContactCommand,
  { actor, commandId, requestId, mayRepeat }: ContactWork,
  isAsked: (event: ContactEvent) => boolean | Promise<boolean>,
): Promise<Done | Refused | Reused> => {
  const metadata = { actor, commandId, correlationId: requestId };
  const outcome = await contacts.execute(contactStream(contactId), command, metadata, { mayRepeat });
  if (outcome.kind === 'refused') return { kind: 'refused', refusal: outcome.refusal };
  const [event] = outcome.events;
  if (outcome.repeated && event && !(await isAsked(event))) return { kind: 'reused' };
  return { kind: 'done', repeated: outcome.repeated };
};
