import { contactStream } from '../../domain/contacts/contact.ts';
import { derivedId } from '../../eventstore/ids.ts';
import type { ContactsOptions } from './contacts-options.ts';

/** The texts of strangers are kept for a year. */
export const KEEP_TEXTS_OF_STRANGERS_MS = 365 * 24 * 60 * 60 * 1000;

type EraseOptions = Pick<ContactsOptions, 'contacts' | 'destroyKey' | 'listed' | 'now'>;

/** Closes a contact whose texts can no longer be read. May be repeated. */
const end = async ({ contacts }: Pick<EraseOptions, 'contacts'>, contactId: string): Promise<void> => {
  const command = { type: 'CloseContact', reason: 'expired' } as const;
  const metadata = { actor: 'system:contacts', commandId: derivedId('expire', contactId) };
  await contacts.execute(contactStream(contactId), command, metadata, { mayRepeat: true });
};

/** Makes the texts of a stranger's contact permanently unreadable. Closes it first, so that no answer is sealed afterwards. */
export const eraseContact = async (options: EraseOptions, contactId: string): Promise<void> => {
  await end(options, contactId);
  await options.destroyKey(contactId);
};

/** Ends the contacts of an erased account. Another process destroys the key of the account. May be repeated. */
export const eraseContactsOf = async (options: EraseOptions, accountId: string): Promise<void> => {
  const list = await options.listed();
  for (const { contactId, accountId: own } of list.list({ accountId, limit: Infinity })) {
    await (own === null ? eraseContact(options, contactId) : end(options, contactId));
  }
};

/** Erases the contacts of strangers that are older than a year. Resolves to their number. Must be called by one node. */
export const createExpiry = (options: EraseOptions): (() => Promise<number>) => {
  // Destroying a key twice is harmless; this only saves work.
  const erased = new Set<string>();
  return async () => {
    const before = new Date(options.now().getTime() - KEEP_TEXTS_OF_STRANGERS_MS);
    const due = (await options.listed()).ofStrangersBefore(before).filter((contactId) => !erased.has(contactId));
    for (const contactId of due) {
      await eraseContact(options, contactId);
      erased.add(contactId);
    }
    return due.length;
  };
};
