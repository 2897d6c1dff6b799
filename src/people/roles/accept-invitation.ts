import {
  findInvitation,
  type InvitationOptions,
  type InvitationView,
  type KnownInvitation,
} from './find-invitation.ts';
import { accountStream } from '../../domain/account/account.ts';
import { readAddress, type Address } from '../../domain/identity/address.ts';
import { invitationStream, type InvitedTo, type NewPerson } from '../../domain/identity/invitations.ts';
import { personStream } from '../../domain/identity/person.ts';
import { STAFF_STREAM } from '../../domain/identity/staff.ts';
import { derivedId, eventId } from '../../eventstore/ids.ts';
import { networkOf } from '../one-time.ts';
import { isExcluded } from '../leaving/exclude-holder.ts';
import type { Client, Wait } from '../people-options.ts';
import { verifiedOwner } from '../sign-in.ts';
import { isLinkSecretOf } from './invitation-mail.ts';

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

/** The person who must still have the role that the invitation was sent by; undefined for the admin token. */
const inviterOf = ({ by }: KnownInvitation): string | undefined => /^(?:person|staff):(.+)$/.exec(by)?.[1];

/** Whether the inviter may still give the role: an owner who was removed leaves no way back in. */
const isEntitled = async ({ accounts, staff }: InvitationOptions, invitation: KnownInvitation): Promise<boolean> => {
  const inviter = inviterOf(invitation);
  if (inviter === undefined) return true;
  const { to } = invitation;
  if (to.kind === 'staff') return (await staff.read(STAFF_STREAM)).state.get(inviter) === 'owner';
  return (await accounts.read(accountStream(to.accountId))).state.members.get(inviter) === 'owner';
};

const hasRole = async ({ accounts, staff }: InvitationOptions, to: InvitedTo, personId: string): Promise<boolean> =>
  to.kind === 'staff'
    ? (await staff.read(STAFF_STREAM)).state.has(personId)
    : (await accounts.read(accountStream(to.accountId))).state.members.has(personId);

export const acceptInvitation = async (
  options: InvitationOptions,
  invitationId: string,
  acceptance: Acceptance,
): Promise<Accepted> => {
  const { linkSecret, newcomer, client } = acceptance;
  const { identity, invitations, now } = options;
  const keys = { account: invitationId, network: networkOf(client) };
  const allowance = await identity.attemptLimits.allow({ action: 'redeem_code', keys });
  if (allowance.kind === 'wait') return allowance;
  if (!isLinkSecretOf(options, invitationId, linkSecret)) return { kind: 'wrong' };
  const invitation = await findInvitation(options, invitationId);
  if (!invitation) return { kind: 'wrong' };
  if (invitation.status === 'accepted') return completed(options, invitation);

  const mayJoin = await personToJoin(options, invitation, newcomer !== undefined);
  if (mayJoin.kind !== 'known' && mayJoin.kind !== 'new') {
    // The same link may have been accepted on another node meanwhile, which gives the role and erases the address.
    const newer = await findInvitation(options, invitationId);
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
const completed = async (options: InvitationOptions, { invitationId, to }: InvitationView): Promise<Accepted> => {
  const personId = await completeInvitation(options, invitationId);
  const isDone = personId !== undefined && (await hasRole(options, to, personId));
  return isDone ? { kind: 'accepted', personId, to } : { kind: 'ended' };
};

type MayJoin =
  | { readonly kind: 'known'; readonly personId: string }
  | { readonly kind: 'new'; readonly personId: string; readonly address: Address }
  | { readonly kind: 'ended' | 'has_role' | 'newcomer' };

/** The person of the address, if the invitation can be accepted. */
const personToJoin = async (
  options: InvitationOptions,
  invitation: InvitationView,
  hasDetails: boolean,
): Promise<MayJoin> => {
  const { claims, identities } = options;
  const { invitationId, status, to, email } = invitation;
  const address = email === null ? undefined : readAddress(email);
  if (!address || status !== 'open' || !(await isEntitled(options, invitation))) return { kind: 'ended' };
  // The owner of the address was excluded.
  if ((await claims.read(identities.ofAddress(address))).state.retired) return { kind: 'ended' };
  const personId = await verifiedOwner(options, identities.hashOf(address));
  if (personId !== undefined) {
    if (await hasRole(options, to, personId)) return { kind: 'has_role' };
    // The address may be a newer one than those that were retired.
    return (await isExcluded(options, personId)) ? { kind: 'ended' } : { kind: 'known', personId };
  }
  return hasDetails ? { kind: 'new', personId: newPersonOf(invitationId), address } : { kind: 'newcomer' };
};

const newPersonOf = (invitationId: string): string => derivedId('per', `invitation ${invitationId}`);

/** A person without an account. The address is verified once its identity is claimed. */
const register = async (
  options: InvitationOptions,
  invitationId: string,
  address: Address,
  name: string,
): Promise<string> => {
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
export const completeInvitation = async (
  options: InvitationOptions,
  invitationId: string,
): Promise<string | undefined> => {
  const invitation = await findInvitation(options, invitationId);
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
const giveRole = async (options: InvitationOptions, invitation: InvitationView, personId: string): Promise<boolean> => {
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
  options: InvitationOptions,
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
