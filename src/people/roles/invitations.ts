import { acceptInvitation, completeInvitation, type Acceptance, type Accepted } from './accept-invitation.ts';
import { findInvitation, type InvitationOptions, type InvitationView } from './find-invitation.ts';
import { readAddress, type Address } from '../../domain/identity/address.ts';
import { INVITATION_MS, invitationStream, type InvitedTo } from '../../domain/identity/invitations.ts';
import { mailStream } from '../../domain/mail/mail.ts';
import { derivedId } from '../../eventstore/ids.ts';
import type { Metadata } from '../../eventstore/journal/codec.ts';
import { queueMail } from '../../mail/templates/templates.ts';
import { waitsSince } from '../leaving/lapse.ts';
import { networkOf } from '../one-time.ts';
import type { Client, Wait } from '../people-options.ts';
import { verifiedOwner } from '../sign-in.ts';
import { mailOfInvitation } from './invitation-mail.ts';

export type NewInvitation = {
  readonly address: Address;
  readonly to: InvitedTo;
  /** The actor. */
  readonly by: string;
  readonly reason?: string;
  readonly client: Client;
  readonly commandId: string;
  readonly mayRepeat: boolean;
  readonly requestId: string;
};

export type Invitations = {
  /** The same work and answer for every address. */
  invite(invitation: NewInvitation): Promise<InvitationView | Wait | { readonly kind: 'reused' }>;
  /** Undefined if there is none. */
  find(invitationId: string): Promise<InvitationView | undefined>;
  /** False if it was accepted before. */
  revoke(invitationId: string, reason: string, actor: string, commandId: string): Promise<boolean>;
  /**
   * After a person lost the role in an account, or with null in the staff: the open invitations from before are revoked, so
   * that none is a way back in. May be repeated.
   */
  revokeOf(accountId: string | null, personId: string, at: Date): Promise<void>;
  accept(invitationId: string, acceptance: Acceptance): Promise<Accepted>;
  /** After PersonInvited. May be repeated. */
  send(invitationId: string): Promise<void>;
  /** After InvitationRevoked: the address is erased. May be repeated. */
  erase(invitationId: string): Promise<void>;
  /** After InvitationAccepted: the person gets the role once, and the address of the invitation is erased. May be repeated. */
  complete(invitationId: string): Promise<void>;
};

export const createInvitations = (options: InvitationOptions): Invitations => ({
  invite: (invitation) => invite(options, invitation),
  find: (invitationId) => findInvitation(options, invitationId),
  revoke: (invitationId, reason, actor, commandId) => revoke(options, invitationId, reason, { actor, commandId }),
  revokeOf: (accountId, personId, at) => revokeOf(options, accountId, personId, at),
  erase: (invitationId) => erase(options, invitationId),
  accept: (invitationId, acceptance) => acceptInvitation(options, invitationId, acceptance),
  send: async (invitationId) => {
    const { state } = await options.invitations.read(invitationStream(invitationId));
    if (state.status === 'unknown') return;
    if (state.status === 'open') await options.identity.pendingRegistrations.add(invitationId, waitsSince(state.until));
    const recipient = { kind: 'invitation', id: invitationId };
    const expires_at = new Date(state.until).toISOString();
    const mail =
      state.to.kind === 'member'
        ? queueMail('member_invitation', recipient, { role: state.to.role, expires_at })
        : queueMail('staff_invitation', recipient, { role: state.to.role, expires_at });
    const mailId = mailOfInvitation(invitationId);
    const metadata = { actor: 'system:invitation', commandId: derivedId('mail', mailId) };
    await options.mails.execute(mailStream(mailId), mail, metadata, { mayRepeat: true });
  },
  complete: async (invitationId) => {
    await completeInvitation(options, invitationId);
    await erase(options, invitationId);
  },
});

const invite = async (
  options: InvitationOptions,
  { address, to, by, reason, client, commandId, mayRepeat, requestId }: NewInvitation,
): ReturnType<Invitations['invite']> => {
  const { identity, identities, invitations, vault, now } = options;
  const account = to.kind === 'member' ? to.accountId : 'staff';
  const keys = { account, addressHash: identities.hashOf(address), network: networkOf(client) };
  const allowance = await identity.attemptLimits.allow({ action: 'invite', keys });
  if (allowance.kind === 'wait') return allowance;
  const invitationId = derivedId('inv', commandId);
  const known = mayRepeat ? await findInvitation(options, invitationId) : undefined;
  if (!known) {
    const personal = await vault.seal(invitationId, { name: '', email: address.exact });
    const until = now().getTime() + INVITATION_MS;
    await invitations.execute(
      invitationStream(invitationId),
      { type: 'Invite', personal, to, by, until, ...(reason === undefined ? {} : { reason }) },
      { actor: by, commandId, correlationId: requestId },
      { mayRepeat: true },
    );
  }
  const view = await findInvitation(options, invitationId);
  // An address that was erased cannot be compared.
  const isSame = view?.email === null || view?.email === address.exact;
  const isAsked = view && isSame && JSON.stringify(view.to) === JSON.stringify(to) && view.reason === reason;
  return isAsked ? view : { kind: 'reused' };
};

const erase = async ({ identity, destroyKey }: InvitationOptions, invitationId: string): Promise<void> => {
  await destroyKey(invitationId);
  await identity.pendingRegistrations.remove(invitationId);
};

const revoke = async (
  options: InvitationOptions,
  invitationId: string,
  reason: string,
  by: Metadata,
): Promise<boolean> => {
  const command = { type: 'RevokeInvitation', reason } as const;
  const outcome = await options.invitations.execute(invitationStream(invitationId), command, by, { mayRepeat: true });
  if (outcome.kind === 'accepted') await options.destroyKey(invitationId);
  return outcome.kind === 'accepted';
};

const revokeOf = async (
  options: InvitationOptions,
  accountId: string | null,
  personId: string,
  at: Date,
): Promise<void> => {
  for (const invitationId of await options.openInvitations(accountId)) {
    const invitation = await findInvitation(options, invitationId);
    const address = readAddress(invitation?.email ?? '');
    // An invitation from after the end of the role is meant.
    if (!invitation || !address || invitation.until - INVITATION_MS > at.getTime()) continue;
    if ((await verifiedOwner(options, options.identities.hashOf(address))) !== personId) continue;
    const by = { actor: 'system:roles', commandId: derivedId('role-ended', invitationId) };
    await revoke(options, invitationId, 'the role ended', by);
  }
};
