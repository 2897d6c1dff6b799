import { accountStream } from '../../domain/account/account.ts';
import { readAddress, type Address } from '../../domain/identity/address.ts';
import {
  INVITATION_MS,
  invitationStream,
  type Invitation,
  type InvitedTo,
  type NewPerson,
} from '../../domain/identity/invitations.ts';
import { personStream } from '../../domain/identity/person.ts';
import { STAFF_STREAM } from '../../domain/identity/staff.ts';
import { mailStream } from '../../domain/mail/mail.ts';
import { derivedId, eventId } from '../../eventstore/ids.ts';
import type { Metadata } from '../../eventstore/journal/codec.ts';
import { queueMail } from '../../mail/templates/templates.ts';
import { waitsSince } from '../leaving/lapse.ts';
import { networkOf } from '../one-time.ts';
import type { Client, PeopleOptions, Wait } from '../people-options.ts';
import { verifiedOwner } from '../sign-in.ts';
import { isLinkSecretOf, mailOfInvitation } from './invitation-mail.ts';
import type { Members } from './members.ts';
import type { StaffRoles } from './staff.ts';

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

export type Known = Exclude<Invitation, { status: 'unknown' }>;
/** `email` is null if it was erased. */
export type InvitationView = Known & { readonly invitationId: string; readonly email: string | null };

export type Acceptance = {
  readonly linkSecret: string;
  /** Needed if the address belongs to no person. */
  readonly newcomer: (NewPerson & { readonly name: string }) | undefined;
  readonly client: Client;
};

export type Accepted =
  | { readonly kind: 'accepted'; readonly personId: string; readonly to: InvitedTo }
  | Wait
  /** There is no such invitation, or the link is another. */
  | { readonly kind: 'wrong' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'newcomer' }
  | { readonly kind: 'has_role' };

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

type Options = PeopleOptions & { readonly members: Members; readonly staffRoles: StaffRoles };

export const createInvitations = (options: Options): Invitations => ({
  invite: (invitation) => invite(options, invitation),
  find: (invitationId) => find(options, invitationId),
  revoke: (invitationId, reason, actor, commandId) => revoke(options, invitationId, reason, { actor, commandId }),
  revokeOf: (accountId, personId, at) => revokeOf(options, accountId, personId, at),
  erase: (invitationId) => erase(options, invitationId),
  accept: (invitationId, acceptance) => accept(options, invitationId, acceptance),
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
    await complete(options, invitationId);
    await erase(options, invitationId);
  },
});

const invite = async (
  options: Options,
  { address, to, by, reason, client, commandId, mayRepeat, requestId }: NewInvitation,
): ReturnType<Invitations['invite']> => {
  const { identity, identities, invitations, vault, now } = options;
  const account = to.kind === 'member' ? to.accountId : 'staff';
  const keys = { account, addressHash: identities.hashOf(address), network: networkOf(client) };
  const allowance = await identity.attemptLimits.allow({ action: 'invite', keys });
  if (allowance.kind === 'wait') return allowance;
  const invitationId = derivedId('inv', commandId);
  const known = mayRepeat ? await find(options, invitationId) : undefined;
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
  const view = await find(options, invitationId);
  // An address that was erased cannot be compared.
  const isSame = view?.email === null || view?.email === address.exact;
  const isAsked = view && isSame && JSON.stringify(view.to) === JSON.stringify(to) && view.reason === reason;
  return isAsked ? view : { kind: 'reused' };
};

const erase = async ({ identity, destroyKey }: Options, invitationId: string): Promise<void> => {
  await destroyKey(invitationId);
  await identity.pendingRegistrations.remove(invitationId);
};

const revoke = async (options: Options, invitationId: string, reason: string, by: Metadata): Promise<boolean> => {
  const command = { type: 'RevokeInvitation', reason } as const;
  const outcome = await options.invitations.execute(invitationStream(invitationId), command, by, { mayRepeat: true });
  if (outcome.kind === 'accepted') await options.destroyKey(invitationId);
  return outcome.kind === 'accepted';
};

const revokeOf = async (options: Options, accountId: string | null, personId: string, at: Date): Promise<void> => {
  for (const invitationId of await options.openInvitations(accountId)) {
    const invitation = await find(options, invitationId);
    const address = readAddress(invitation?.email ?? '');
    // An invitation from after the end of the role is meant.
    if (!invitation || !address || invitation.until - INVITATION_MS > at.getTime()) continue;
    if ((await verifiedOwner(options, options.identities.hashOf(address))) !== personId) continue;
    const by = { actor: 'system:roles', commandId: derivedId('role-ended', invitationId) };
    await revoke(options, invitationId, 'the role ended', by);
  }
};

const find = async ({ invitations, vault }: Options, invitationId: string): Promise<InvitationView | undefined> => {
  const { state } = await invitations.read(invitationStream(invitationId));
  if (state.status === 'unknown') return undefined;
  const personal = await vault.open(invitationId, state.personal);
  return { ...state, invitationId, email: personal?.email ?? null };
};

/** The person who must still have the role that the invitation was sent by; undefined for the admin token. */
const inviterOf = ({ by }: Known): string | undefined => /^(?:person|staff):(.+)$/.exec(by)?.[1];

/** Whether the inviter may still give the role: an owner who was removed leaves no way back in. */
const isEntitled = async ({ accounts, staff }: Options, invitation: Known): Promise<boolean> => {
  const inviter = inviterOf(invitation);
  if (inviter === undefined) return true;
  const { to } = invitation;
  if (to.kind === 'staff') return (await staff.read(STAFF_STREAM)).state.get(inviter) === 'owner';
  return (await accounts.read(accountStream(to.accountId))).state.members.get(inviter) === 'owner';
};

const hasRole = async ({ accounts, staff }: Options, to: InvitedTo, personId: string): Promise<boolean> =>
  to.kind === 'staff'
    ? (await staff.read(STAFF_STREAM)).state.has(personId)
    : (await accounts.read(accountStream(to.accountId))).state.members.has(personId);

const accept = async (options: Options, invitationId: string, acceptance: Acceptance): Promise<Accepted> => {
  const { linkSecret, newcomer, client } = acceptance;
  const { identity, invitations, now } = options;
  const keys = { account: invitationId, network: networkOf(client) };
  const allowance = await identity.attemptLimits.allow({ action: 'redeem_code', keys });
  if (allowance.kind === 'wait') return allowance;
  if (!isLinkSecretOf(options, invitationId, linkSecret)) return { kind: 'wrong' };
  const invitation = await find(options, invitationId);
  if (!invitation) return { kind: 'wrong' };
  if (invitation.status === 'accepted') return completed(options, invitation);

  const mayJoin = await personToJoin(options, invitation, newcomer !== undefined);
  if (mayJoin.kind !== 'known' && mayJoin.kind !== 'new') {
    // The same link may have been accepted on another node meanwhile, which gives the role and erases the address.
    const newer = await find(options, invitationId);
    return newer?.status === 'accepted' ? completed(options, newer) : mayJoin;
  }
  const isNew = mayJoin.kind === 'new' && newcomer !== undefined;
  const personId = isNew ? await register(options, invitationId, mayJoin.address, newcomer.name) : mayJoin.personId;
  const newPerson = isNew && { termsVersion: newcomer.termsVersion, declared: newcomer.declared };
  await invitations.execute(
    invitationStream(invitationId),
    { type: 'AcceptInvitation', personId, ...(newPerson ? { newPerson } : {}), at: now().getTime() },
    { actor: `person:${personId}`, commandId: derivedId('accept', invitationId) },
    { mayRepeat: true },
  );
  return completed(options, invitation);
};

/** Completes what was accepted, here or by a request before. */
const completed = async (options: Options, { invitationId, to }: InvitationView): Promise<Accepted> => {
  const personId = await complete(options, invitationId);
  const isDone = personId !== undefined && (await hasRole(options, to, personId));
  return isDone ? { kind: 'accepted', personId, to } : { kind: 'ended' };
};

type MayJoin =
  | { readonly kind: 'known'; readonly personId: string }
  | { readonly kind: 'new'; readonly personId: string; readonly address: Address }
  | { readonly kind: 'ended' | 'has_role' | 'newcomer' };

/** The person of the address, if the invitation can be accepted. */
const personToJoin = async (options: Options, invitation: InvitationView, hasDetails: boolean): Promise<MayJoin> => {
  const { claims, identities } = options;
  const { invitationId, status, to, email } = invitation;
  const address = email === null ? undefined : readAddress(email);
  if (!address || status !== 'open' || !(await isEntitled(options, invitation))) return { kind: 'ended' };
  const personId = await verifiedOwner(options, identities.hashOf(address));
  if (personId !== undefined) {
    return (await hasRole(options, to, personId)) ? { kind: 'has_role' } : { kind: 'known', personId };
  }
  // The owner of the address was excluded.
  if ((await claims.read(identities.ofAddress(address))).state.retired) return { kind: 'ended' };
  return hasDetails ? { kind: 'new', personId: newPersonOf(invitationId), address } : { kind: 'newcomer' };
};

const newPersonOf = (invitationId: string): string => derivedId('per', `invitation ${invitationId}`);

/** A person without an account. The address is verified once its identity is claimed. */
const register = async (options: Options, invitationId: string, address: Address, name: string): Promise<string> => {
  const personId = newPersonOf(invitationId);
  const { state } = await options.persons.read(personStream(personId));
  if (state.status !== 'unknown') return personId;
  const personal = await options.vault.seal(personId, { name, email: address.exact });
  const command = { type: 'RegisterPerson', personal, how: 'invitation' } as const;
  const metadata = { actor: `person:${personId}`, commandId: derivedId('register', personId) };
  await options.persons.execute(personStream(personId), command, metadata, { mayRepeat: true });
  return personId;
};

/** Gives the role once, and resolves to the person; undefined if nothing was accepted. */
const complete = async (options: Options, invitationId: string): Promise<string | undefined> => {
  const invitation = await find(options, invitationId);
  if (invitation?.status !== 'accepted') return undefined;
  // A role that was there before leaves no event by which a repetition is found, and a removed person must stay removed.
  if (invitation.isCompleted) return invitation.personId;
  const verified = await verifiedPerson(options, invitation);
  const given = verified !== undefined && (await giveRole(options, invitation, verified));
  const personId = verified ?? invitation.personId;
  const command = { type: 'CompleteInvitation', personId, given } as const;
  const metadata = { actor: `person:${personId}`, commandId: derivedId('completed', invitationId) };
  await options.invitations.execute(invitationStream(invitationId), command, metadata, { mayRepeat: true });
  return personId;
};

/** False if the role is another by now, there is no room for one more member, or the person was erased. */
const giveRole = async (options: Options, invitation: InvitationView, personId: string): Promise<boolean> => {
  const { invitationId, to, reason = '' } = invitation;
  const { state: person } = await options.persons.read(personStream(personId));
  if (person.status !== 'verified') return false;
  const metadata = {
    ...{ actor: `person:${personId}`, commandId: derivedId('role', invitationId), correlationId: invitationId },
  };
  const cause = eventId(metadata.commandId, 0);
  if (to.kind === 'member') {
    const { accountId, role } = to;
    const command = { type: 'AddMember', personId, role } as const;
    const done = await options.accounts.execute(accountStream(accountId), command, metadata, { mayRepeat: true });
    await options.members.changed(accountId, personId, cause);
    return done.kind === 'accepted';
  }
  const command = { type: 'AppointStaff', personId, role: to.role, reason } as const;
  const done = await options.staff.execute(STAFF_STREAM, command, metadata, { mayRepeat: true });
  // A repetition must not end sessions that are newer.
  const isNew = done.kind === 'accepted' && done.events.length > 0 && !done.repeated;
  if (isNew) await options.staffRoles.changed(personId, cause, options.now());
  return done.kind === 'accepted';
};

/**
 * The person who accepted, verified by the link. If the address was claimed by another person meanwhile, it is that one.
 * Undefined if the address belongs to no person.
 */
const verifiedPerson = async (
  options: Options,
  { personId, newPerson, email }: Extract<InvitationView, { status: 'accepted' }>,
): Promise<string | undefined> => {
  if (!newPerson) return personId;
  const { claims, persons, identities, now } = options;
  const stream = personStream(personId);
  const { state } = await persons.read(stream);
  if (state.status === 'verified') return personId;
  const address = email === null ? undefined : readAddress(email);
  if (!address || state.status !== 'unverified') return undefined;
  const metadata = (step: string) => ({ actor: `person:${personId}`, commandId: derivedId(step, personId) });
  const claimed = await claims.execute(
    identities.ofAddress(address),
    { type: 'ClaimIdentity', owner: personId, how: 'invitation', at: now().getTime() },
    metadata('claim'),
    { mayRepeat: true },
  );
  if (claimed.kind === 'accepted') {
    await persons.execute(stream, { type: 'VerifyAddress', how: 'invitation' }, metadata('verify'), {
      mayRepeat: true,
    });
    return personId;
  }
  await persons.execute(stream, { type: 'LapseRegistration' }, metadata('lapse'), { mayRepeat: true });
  return verifiedOwner(options, identities.hashOf(address));
};
