import { accountStream } from '../domain/account/account.ts';
import { personStream } from '../domain/identity/person.ts';
import type { MailReference } from '../domain/mail/mail.ts';
import type { Metadata } from '../eventstore/journal/codec.ts';
import type { Recipient } from '../mail/compose.ts';
import type { FailedMail } from '../mail/mail-process.ts';
import type { MailData, QueuedMail } from '../mail/mail-sender.ts';
import type { MailSecrets } from '../mail/templates/template.ts';
import type { TemplateName } from '../mail/templates/templates.ts';
import { personOfUndo, sealedRecipient } from './address/change-mails.ts';
import { personalOf, type PeopleOptions } from './people-options.ts';
import { textsOfMail } from './mail-texts.ts';
import { addressOfInvitation, secretsOfInvitation } from './roles/invitation-mail.ts';

type Outcome =
  { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly refusal: { readonly code: string } };

/** What mail needs of persons: addresses, and the codes and links that are in no event. */
export type PeopleMail = MailData & {
  readonly failed: (mail: FailedMail, metadata: Metadata) => Promise<Outcome>;
};

/** Mails that carry a one-time code or link. Their id is the id of the code. */
const WITH_A_CODE: ReadonlySet<string> = new Set<TemplateName>(['verify_address', 'sign_in', 'confirm_address']);
const WITH_A_LINK: ReadonlySet<string> = new Set<TemplateName>(['address_changed', 'low_balance']);
const INVITATIONS: ReadonlySet<string> = new Set<TemplateName>(['member_invitation', 'staff_invitation']);

export const createPeopleMail = (options: PeopleOptions & { readonly supportEmail: () => string }): PeopleMail => ({
  addressOf: (to) => addressOf(options, to),
  secretsOf: (mail) => secretsOf(options, mail),
  textsOf: (mail) => textsOfMail(options, mail),
  failed: async ({ mailId, to, reason }, { actor, commandId }) => {
    // An obsolete mail was not tried, so the mailbox may be fine.
    if (to.kind !== 'person' || reason === 'obsolete') return { kind: 'accepted' };
    const command = { type: 'RecordUndelivered', mailId, reason } as const;
    const outcome = await options.persons.execute(
      personStream(to.id),
      command,
      { actor, commandId },
      { mayRepeat: true },
    );
    // A person who was erased meanwhile needs no flag.
    return outcome.kind === 'refused' ? { kind: 'accepted' } : outcome;
  },
});

const addressOf = async (
  options: PeopleOptions & { readonly supportEmail: () => string },
  { kind, id }: MailReference,
): Promise<Recipient | undefined> => {
  if (kind === 'support') return { name: undefined, email: options.supportEmail() };
  if (kind === 'new_address' || kind === 'former_address') return addressOfChange(options, kind, id);
  if (kind === 'invitation') return addressOfInvitation(options, id);
  if (kind === 'account') return contactOf(options, id);
  if (kind !== 'person') return undefined;
  const { state } = await options.persons.read(personStream(id));
  const personal = await personalOf(options, id, state);
  if (!personal) return undefined;
  // A stranger may have entered the name of a registration that is not verified.
  return { name: state.status === 'verified' ? personal.name : undefined, email: personal.email };
};

/** The contact of an account without owners, which the operator registered. */
const contactOf = async ({ accounts, vault }: PeopleOptions, accountId: string): Promise<Recipient | undefined> => {
  const { registration, erased } = (await accounts.read(accountStream(accountId))).state.standing;
  return registration && !erased ? vault.open(accountId, registration.personal) : undefined;
};

/** The address before or after a change. The mailbox may be that of another person, so there is no name. */
const addressOfChange = async (options: PeopleOptions, kind: string, id: string): Promise<Recipient | undefined> => {
  const personId = personOfUndo(id);
  const { state } = await options.persons.read(personStream(personId));
  const sealed = sealedRecipient(kind, id, state);
  const personal = sealed === undefined ? undefined : await options.vault.open(personId, sealed);
  return personal && { name: undefined, email: personal.email };
};

/** The page of a link: nothing changes before its button is pressed. The secret is in the fragment, so no server logs it. */
const linkOf = (publicUrl: string, mailId: string, secret: string): string =>
  `${publicUrl}/confirm#${mailId}.${secret}`;

const secretsOf = async (
  options: PeopleOptions,
  { mailId, template }: QueuedMail,
): Promise<MailSecrets | undefined> => {
  const { identity, publicUrl } = options;
  if (INVITATIONS.has(template)) {
    return secretsOfInvitation(options, mailId, (id, secret) => linkOf(publicUrl(), id, secret));
  }
  if (!WITH_A_CODE.has(template) && !WITH_A_LINK.has(template)) return { link: publicUrl() };
  if (!(await identity.oneTimeCodes.isOpen(mailId))) return undefined;
  const { code, linkSecret } = identity.oneTimeCodes.secretsOf(mailId);
  return { code, link: linkOf(publicUrl(), mailId, linkSecret) };
};
