import { z } from 'zod';
import { staffRoles } from '../../../domain/identity/person-events.ts';
import { staffOnly } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import {
  disposableProblem,
  invitationExample,
  invitationView,
  listInvitationsTo,
  viewInvitation,
} from '../members/invitation-view.ts';
import { revokedExample, revokedInvitation } from '../members/member-invitations.ts';
import { address, tooManyAttempts } from '../people/fields.ts';
import { reason } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';

const example = { ...invitationExample, account_id: null, role: 'support' as const, reason: 'Hired as of May' };

export const inviteStaff = defineRoute({
  method: 'post',
  path: '/staff/invitations',
  principals: ['admin', ...staffOnly('owner')],
  summary: 'Invite a person to the staff',
  description:
    'Sends a link to the address, which is valid for seven days. The admin token invites the first owner, and later is for ' +
    'emergencies.',
  body: {
    schema: z.strictObject({ email: address, role: z.enum(staffRoles), reason }),
    example: { email: 'grace@example.com', role: 'support', reason: 'Hired as of May' },
  },
  success: { status: 201, description: 'A mail is sent', schema: invitationView, example },
  problems: ['disposable_address', 'too_many_attempts'],
  handle: async ({ body: { email, role, reason }, actor, ...asked }, deps) => {
    const refused = disposableProblem(deps, email);
    if (refused) return refused;
    const to = { kind: 'staff', role } as const;
    const invited = await deps.people.roles.invitations.invite({ address: email, by: actor, to, reason, ...asked });
    if (!('kind' in invited)) return { answer: viewInvitation(invited) };
    return invited.kind === 'wait' ? tooManyAttempts(invited) : problem('idempotency_key_reused');
  },
});

export const listStaffInvitations = defineRoute({
  method: 'get',
  path: '/staff/invitations',
  principals: ['admin', ...staffOnly('owner')],
  summary: 'List the open invitations to the staff',
  success: {
    status: 200,
    description: 'The invitations that can still be accepted',
    schema: z.strictObject({ data: z.array(invitationView) }),
    example: { data: [example] },
  },
  problems: [],
  handle: async (_, deps) => ({ answer: { data: await listInvitationsTo(deps, null) } }),
});

export const revokeStaffInvitation = defineRoute({
  method: 'delete',
  path: '/staff/invitations/{invitation_id}',
  principals: ['admin', ...staffOnly('owner')],
  summary: 'Revoke an invitation to the staff',
  success: {
    status: 200,
    description: 'Its link is of no use any more',
    schema: revokedInvitation,
    example: revokedExample,
  },
  problems: ['invitation_not_found', 'invitation_ended'],
  handle: async ({ params: { invitation_id }, actor, commandId }, { people }) => {
    const { invitations } = people.roles;
    if ((await invitations.find(invitation_id))?.to.kind !== 'staff') return problem('invitation_not_found');
    const isRevoked = await invitations.revoke(invitation_id, 'revoked by an owner', actor, commandId);
    return isRevoked ? { answer: { invitation_id, revoked: true } } : problem('invitation_ended');
  },
});
