import type { AddressChange, Person } from '../../domain/identity/person.ts';
import type { MailReference } from '../../domain/mail/mail.ts';

/** The mail to a new address. Its id is the id of its code. */
export const mailOfChange = (changeId: string): string => `change-${changeId}`;

/** The notice to the old address. Its id is the id of the undo link. */
export const noticeOf = (changeId: string): string => `undo-${changeId}`;

/** How long a new address can be confirmed. Support replaces a lost mailbox on the telephone, or leaves a day for it. */
export const TTL_MS = { holder: 600_000, support: 24 * 60 * 60_000 } as const;

/** The subject of an undo link: several changes of a person can be undone at a time. */
export const subjectOfUndo = (personId: string, changeId: string): string => `${personId}.${changeId}`;

export const personOfUndo = (subject: string): string => subject.slice(0, subject.indexOf('.'));

/** A recipient that is not the present address of a person. */
export const newAddress = (personId: string, changeId: string): MailReference => ({
  ...{ kind: 'new_address', id: subjectOfUndo(personId, changeId) },
});

export const formerAddress = (personId: string, changeId: string): MailReference => ({
  ...{ kind: 'former_address', id: subjectOfUndo(personId, changeId) },
});

/** The sealed text with the address of such a recipient; undefined if the mail is no longer of use. */
export const sealedRecipient = (kind: string, id: string, { change, changes }: Person): string | undefined => {
  const changeId = id.slice(id.indexOf('.') + 1);
  if (kind === 'new_address') return change?.changeId === changeId ? change.personal : undefined;
  const done: AddressChange | undefined = changes.find((one) => one.changeId === changeId);
  return done?.undone === false ? done.before : undefined;
};
