import {
  contactStream,
  evolveContact,
  sealedUnder,
  type Contact,
  type KnownContact,
} from '../../domain/contacts/contact.ts';
import type { AnswerWay, ContactEvent } from '../../domain/contacts/events.ts';
import { personStream } from '../../domain/identity/person.ts';
import { decode, type Recorded } from '../../eventstore/journal/codec.ts';
import { personalOf } from '../people-options.ts';
import type { ContactsOptions } from './contacts-options.ts';

export type OpenedAnswer = {
  readonly how: AnswerWay;
  /** Null if it was erased. */
  readonly text: string | null;
  readonly at: Date;
  /** The actor. */
  readonly by: string;
};

/** A contact with its texts, which are null if they were erased. */
export type OpenedContact = Omit<KnownContact, 'answers' | 'sealed'> & {
  readonly contactId: string;
  readonly openedAt: Date;
  readonly name: string | null;
  readonly email: string | null;
  readonly text: string | null;
  readonly about: string | null;
  readonly answers: readonly OpenedAnswer[];
};

const PAGE = 500;

/** Reads a contact and opens its texts. Undefined if there is no such contact. */
export const openContact = async (
  options: Pick<ContactsOptions, 'store' | 'vault' | 'persons'>,
  contactId: string,
): Promise<OpenedContact | undefined> => {
  const events = await eventsOf(options, contactId);
  const [opened] = events;
  const contact = events.reduce<Contact>((state, { event }) => evolveContact(state, event), { status: 'unknown' });
  if (!opened || contact.status === 'unknown') return undefined;
  const { sealed, answers: _, ...rest } = contact;
  const id = sealedUnder(contactId, contact);
  const written = await options.vault.open(id, sealed);
  const { name = null, email = null } = (await writerOf(options, contact, written)) ?? {};
  const answers = await Promise.all(
    events.flatMap(({ event, time, metadata }) =>
      event.type === 'ContactAnswered' ? [openAnswer(options, id, event, time, metadata.actor)] : [],
    ),
  );
  const { text = null, about = null } = written ?? {};
  return { ...rest, contactId, openedAt: opened.time, name: name === '' ? null : name, email, text, about, answers };
};

const openAnswer = async (
  { vault }: Pick<ContactsOptions, 'vault'>,
  id: string,
  { how, sealed }: Extract<ContactEvent, { type: 'ContactAnswered' }>,
  at: Date,
  by: string,
): Promise<OpenedAnswer> => ({ how, text: (await vault.open(id, sealed))?.text ?? null, at, by });

/** The present name and address of a person. */
const writerOf = async <Written>(
  options: Pick<ContactsOptions, 'vault' | 'persons'>,
  { personId }: Pick<KnownContact, 'personId'>,
  written: Written,
) => {
  if (personId === null) return written;
  const { state } = await options.persons.read(personStream(personId));
  return personalOf(options, personId, state);
};

const eventsOf = async (
  { store }: Pick<ContactsOptions, 'store'>,
  contactId: string,
): Promise<readonly Recorded<ContactEvent>[]> => {
  const events: Recorded<ContactEvent>[] = [];
  for (;;) {
    const page = await store.readStream(contactStream(contactId), events.length, PAGE);
    events.push(...page.map((stored) => decode(stored) as Recorded<ContactEvent>));
    if (page.length < PAGE) return events;
  }
};
