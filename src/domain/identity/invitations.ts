import type { MemberRole } from '../account/events.ts';
import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import type { AskedAccount, StaffRole } from './person-events.ts';

/** What a person is invited to. */
export type InvitedTo =
  | { readonly kind: 'member'; readonly accountId: string; readonly role: MemberRole }
  | { readonly kind: 'staff'; readonly role: StaffRole };

/** The evidence of a person who is registered by an invitation. */
export type NewPerson = Pick<AskedAccount, 'termsVersion' | 'declared'>;

/** The events of one invitation. Names and fields are on disk permanently. */
export type InvitationEvent =
  /** `personal` (the address) is sealed under the id of the invitation. `until` is in ms since the epoch. */
  | {
      readonly type: 'PersonInvited';
      readonly personal: string;
      readonly to: InvitedTo;
      /** The actor, such as `admin` or `person:per_…`. Its role is checked again when the invitation is accepted. */
      readonly by: string;
      readonly until: number;
      readonly reason?: string;
    }
  /** The link of the mail was opened. With `newPerson`, the address belonged to no person. */
  | { readonly type: 'InvitationAccepted'; readonly personId: string; readonly newPerson?: NewPerson }
  /** Whether the person has the role now. Another person than the one of the acceptance may own the address by then. */
  | { readonly type: 'InvitationCompleted'; readonly personId: string; readonly given: boolean }
  | { readonly type: 'InvitationRevoked'; readonly reason: string };

type Invite = Omit<Extract<InvitationEvent, { type: 'PersonInvited' }>, 'type'>;

export type InvitationCommand =
  | ({ readonly type: 'Invite' } & Invite)
  | {
      readonly type: 'AcceptInvitation';
      readonly personId: string;
      readonly newPerson?: NewPerson;
      readonly at: number;
    }
  | { readonly type: 'CompleteInvitation'; readonly personId: string; readonly given: boolean }
  | { readonly type: 'RevokeInvitation'; readonly reason: string };

export type InvitationRefusal = { readonly code: 'invitation_not_found' | 'invitation_ended' };

export type Invitation =
  | { readonly status: 'unknown' }
  | (Invite & { readonly status: 'open' | 'revoked' })
  | (Invite & {
      readonly status: 'accepted';
      readonly personId: string;
      readonly newPerson: NewPerson | undefined;
      /** A completed invitation never gives its role again. */
      readonly isCompleted: boolean;
    });

/** How long an invitation can be accepted. */
export const INVITATION_MS = 7 * 24 * 60 * 60 * 1000;

export const evolveInvitation = (invitation: Invitation, event: InvitationEvent): Invitation => {
  if (event.type === 'PersonInvited') {
    const { type: _, ...invite } = event;
    return { ...invite, status: 'open' };
  }
  if (invitation.status === 'unknown') return invitation;
  switch (event.type) {
    case 'InvitationAccepted':
      return {
        ...{ ...invitation, status: 'accepted', personId: event.personId, newPerson: event.newPerson },
        isCompleted: false,
      };
    case 'InvitationCompleted':
      return invitation.status === 'accepted'
        ? { ...invitation, personId: event.personId, isCompleted: true }
        : invitation;
    case 'InvitationRevoked':
      return { ...invitation, status: 'revoked' };
  }
};

type InvitationDecision = Decision<InvitationEvent, InvitationRefusal>;

export const decideInvitation = (command: InvitationCommand, invitation: Invitation): InvitationDecision => {
  if (command.type === 'Invite') {
    const { type: _, ...invite } = command;
    return invitation.status === 'unknown' ? accept({ type: 'PersonInvited', ...invite }) : accept();
  }
  if (invitation.status === 'unknown') return refuse({ code: 'invitation_not_found' });
  switch (command.type) {
    case 'AcceptInvitation': {
      const { personId, newPerson, at } = command;
      if (invitation.status === 'accepted' && invitation.personId === personId) return accept();
      if (invitation.status !== 'open' || at >= invitation.until) return refuse({ code: 'invitation_ended' });
      return accept({ type: 'InvitationAccepted', personId, ...(newPerson ? { newPerson } : {}) });
    }
    case 'CompleteInvitation': {
      const { personId, given } = command;
      if (invitation.status !== 'accepted') return refuse({ code: 'invitation_ended' });
      return invitation.isCompleted ? accept() : accept({ type: 'InvitationCompleted', personId, given });
    }
    case 'RevokeInvitation': {
      if (invitation.status === 'accepted') return refuse({ code: 'invitation_ended' });
      return invitation.status === 'revoked' ? accept() : accept({ type: 'InvitationRevoked', reason: command.reason });
    }
  }
};

export const invitationStream = (invitationId: string): string => `invitation-${invitationId}`;

/** The invitation of a stream; undefined for streams of other kinds. */
export const invitationOfStream = (stream: string): string | undefined =>
  stream.startsWith('invitation-') ? stream.slice('invitation-'.length) : undefined;

export const invitationDecider: Decider<Invitation, InvitationCommand, InvitationEvent, InvitationRefusal> = {
  initial: () => ({ status: 'unknown' }),
  evolve: evolveInvitation,
  decide: decideInvitation,
};
