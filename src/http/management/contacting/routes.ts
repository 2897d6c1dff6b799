import type { Route } from '../router/route.ts';
import { answerContact, closeContact, linkContact, listContacts, readContact } from './answer-contact.ts';
import { contactAsMember, contactAsStranger, listOwnContacts } from './write-contact.ts';

/** Contacts with support, in the order of the documentation. */
export const contactingRoutes: readonly Route[] = [
  contactAsStranger,
  contactAsMember,
  listOwnContacts,
  listContacts,
  readContact,
  answerContact,
  linkContact,
  closeContact,
];
