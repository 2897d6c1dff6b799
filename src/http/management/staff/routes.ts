import type { Route } from '../router/route.ts';
import { giveApproval, listApprovals, readApproval, refuseApproval } from './approvals.ts';
import { inviteStaff, listStaffInvitations, revokeStaffInvitation } from './staff-invitations.ts';
import { changeStaff, dismissStaff, listStaff } from './staff.ts';

export const staffRoutes: readonly Route[] = [
  ...[listStaff, inviteStaff, listStaffInvitations, revokeStaffInvitation, changeStaff, dismissStaff],
  ...[listApprovals, readApproval, giveApproval, refuseApproval],
];
