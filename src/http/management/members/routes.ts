import type { Route } from '../router/route.ts';
import { acceptInvitation } from './accept-invitation.ts';
import { inviteMember, listMemberInvitations, revokeMemberInvitation } from './member-invitations.ts';
import { changeMember, listMembers, removeMember } from './members.ts';

export const memberRoutes: readonly Route[] = [
  ...[listMembers, changeMember, removeMember],
  ...[inviteMember, listMemberInvitations, revokeMemberInvitation, acceptInvitation],
];
