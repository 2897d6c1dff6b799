import { accountOfStream } from '../../domain/account/account.ts';
import { approvalOfStream } from '../../domain/approvals/approvals.ts';
import { invitationOfStream } from '../../domain/identity/invitations.ts';
import type { DomainEvent, Fact } from '../../eventstore/journal/codec.ts';
import type { PeopleOptions } from '../people-options.ts';
import { createAdminTokenUse, type AdminTokenUse } from './admin-token.ts';
import { createApprovals, type Approvals } from './approvals.ts';
import { createInvitations, type Invitations } from './invitations.ts';
import { createMembers, type Members } from './members.ts';
import { createStaffRoles, type StaffRoles } from './staff.ts';

/** The roles of persons in accounts and in the staff, and what follows from them. */
export type Roles = {
  readonly members: Members;
  readonly staff: StaffRoles;
  readonly invitations: Invitations;
  readonly approvals: Approvals;
  readonly adminToken: AdminTokenUse;
};

export const createRoles = (options: PeopleOptions): Roles => {
  const [members, staff] = [createMembers(options), createStaffRoles(options)];
  return {
    ...{ members, staff },
    invitations: createInvitations({ ...options, members, staffRoles: staff }),
    approvals: createApprovals(options),
    adminToken: createAdminTokenUse(options),
  };
};

/** The event types that cause work of roles. */
export const TYPES_OF_ROLES = [
  ...(['PersonInvited', 'InvitationAccepted', 'InvitationRevoked', 'MemberAdded', 'MemberRemoved'] as const),
  ...(['StaffAppointed', 'StaffDismissed', 'ActApproved', 'AdminTokenUsed'] as const),
] as const;

type RoleEvent = Extract<DomainEvent, { type: (typeof TYPES_OF_ROLES)[number] }>;
const isOfRoles = (event: DomainEvent): event is RoleEvent =>
  (TYPES_OF_ROLES as readonly string[]).includes(event.type);

/** What an event causes; undefined if it causes nothing. The work may be repeated. */
export const workOfRoles = (roles: Roles, { event, stream, id, time }: Fact): (() => Promise<void>) | undefined => {
  if (!isOfRoles(event)) return undefined;
  const { members, staff, invitations, approvals, adminToken } = roles;
  switch (event.type) {
    case 'PersonInvited':
    case 'InvitationAccepted':
    case 'InvitationRevoked': {
      const invitationId = invitationOfStream(stream);
      if (invitationId === undefined) return undefined;
      if (event.type === 'PersonInvited') return () => invitations.send(invitationId);
      const { complete, erase } = invitations;
      return () => (event.type === 'InvitationAccepted' ? complete(invitationId) : erase(invitationId));
    }
    case 'MemberAdded':
    case 'MemberRemoved': {
      const accountId = accountOfStream(stream);
      if (accountId === undefined) return undefined;
      return async () => {
        await members.changed(accountId, event.personId, id);
        if (event.type === 'MemberRemoved') await invitations.revokeOf(accountId, event.personId, time);
      };
    }
    case 'StaffAppointed':
    case 'StaffDismissed':
      return async () => {
        await staff.changed(event.personId, id, time);
        if (event.type === 'StaffDismissed') await invitations.revokeOf(null, event.personId, time);
      };
    case 'ActApproved': {
      const approvalId = approvalOfStream(stream);
      return approvalId === undefined ? undefined : () => approvals.carryOut(approvalId);
    }
    case 'AdminTokenUsed':
      return () => adminToken.notify(time);
  }
};
