import type { ContactStatus, KnownContact } from './contact.ts';

/** A contact without its texts, which only its stream has. */
export type ListedContact = Omit<KnownContact, 'sealed'> & {
  readonly contactId: string;
  /** The writer's account, or the linked account. Null for a stranger's contact without a link. */
  readonly belongsTo: string | null;
  readonly openedAt: Date;
};

export type WantedContacts = {
  readonly status?: ContactStatus | undefined;
  /** The account's own contacts and those that were linked to it. */
  readonly accountId?: string | undefined;
  /** The person that wrote them. */
  readonly personId?: string | undefined;
  /** The id of the last contact of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
};
