import { hash, timingSafeEqual } from 'node:crypto';
import { accountStream } from '../../domain/account/account.ts';
import { invitationStream } from '../../domain/identity/invitations.ts';
import { personStream } from '../../domain/identity/person.ts';
import type { Recipient } from '../../mail/compose.ts';
import type { MailSecrets } from '../../mail/templates/template.ts';
import { personalOf, type PeopleOptions } from '../people-options.ts';

const PREFIX = 'invite-';

export const mailOfInvitation = (invitationId: string): string => `${PREFIX}${invitationId}`;

/**
 * The secret of the link derives from the id of the mail, and no table has it: the events of the invitation decide whether
 * it is still of use. So a crash at any moment leaves a link that works.
 */
export const isLinkSecretOf = ({ identity }: PeopleOptions, invitationId: string, given: string): boolean => {
  const { linkSecret } = identity.oneTimeCodes.secretsOf(mailOfInvitation(invitationId));
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', linkSecret, 'buffer'));
};

export const addressOfInvitation = async (
  { invitations, vault }: PeopleOptions,
  invitationId: string,
): Promise<Recipient | undefined> => {
  const { state } = await invitations.read(invitationStream(invitationId));
  const personal = state.status === 'unknown' ? undefined : await vault.open(invitationId, state.personal);
  return personal && { name: undefined, email: personal.email };
};

/** Undefined if the invitation is not open any more. */
export const secretsOfInvitation = async (
  options: PeopleOptions,
  mailId: string,
  linkOf: (mailId: string, secret: string) => string,
): Promise<MailSecrets | undefined> => {
  const { state } = await options.invitations.read(invitationStream(mailId.slice(PREFIX.length)));
  if (state.status !== 'open' || state.until <= options.now().getTime()) return undefined;
  const link = linkOf(mailId, options.identity.oneTimeCodes.secretsOf(mailId).linkSecret);
  if (state.to.kind === 'staff') return { link };
  return { link, actorName: await nameOf(options, state.by), accountName: await holderOf(options, state.to.accountId) };
};

const nameOf = async (options: PeopleOptions, actor: string): Promise<string> => {
  const [, personId] = /^person:(.+)$/.exec(actor) ?? [];
  if (personId === undefined) return 'The operator';
  const { state } = await options.persons.read(personStream(personId));
  return (await personalOf(options, personId, state))?.name ?? 'An owner';
};

const holderOf = async ({ accounts, vault }: PeopleOptions, accountId: string): Promise<string> => {
  const { state } = await accounts.read(accountStream(accountId));
  const { registration } = state.standing;
  const personal = registration ? await vault.open(accountId, registration.personal) : undefined;
  return personal?.name ?? accountId;
};
