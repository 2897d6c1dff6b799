import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { memberRoles } from '../../../domain/account/events.ts';
import { MAX_MEMBERS } from '../../../domain/account/holder/members.ts';
import { members } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { address, tooManyAttempts } from '../people/fields.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { defineRoute } from '../router/route.ts';
import {
  disposableProblem,
  invitationExample,
  invitationId,
  invitationView,
  listInvitationsTo,
  viewInvitation,
} from './invitation-view.ts';

export const inviteMember = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/invitations',
  principals: ['admin', ...members('owner')],
  summary: 'Invite a member',
  description:
    'Sends a link to the address, which is valid for seven days. The answer is the same whether or not the address belongs ' +
    'to a person. Only accounts of entities have several members.',
  body: {
    schema: z.strictObject({ email: address, role: z.enum(memberRoles) }),
    example: { email: 'grace@example.com', role: 'developer' },
  },
  success: { status: 201, description: 'A mail is sent', schema: invitationView, example: invitationExample },
  problems: [
    ...(['account_not_found', 'personal_account', 'too_many_members', 'disposable_address'] as const),
    'too_many_attempts',
  ],
  handle: async ({ params: { account_id }, body, actor, ...asked }, deps) => {
    const refused = (await refusalOf(deps, account_id)) ?? disposableProblem(deps, body.email);
    if (refused) return refused;
    const invited = await deps.people.roles.invitations.invite({
      ...{ address: body.email, by: actor, to: { kind: 'member', accountId: account_id, role: body.role } },
      ...asked,
    });
    if (!('kind' in invited)) return { answer: viewInvitation(invited) };
    return invited.kind === 'wait' ? tooManyAttempts(invited) : problem('idempotency_key_reused');
  },
});

const refusalOf = async ({ commands }: ManagementDeps, accountId: string): Promise<Problem | undefined> => {
  const { state } = await commands.read(accountStream(accountId));
  const { registration } = state.standing;
  if (!registration) return problem('account_not_found');
  if (registration.holder === 'person') return problem('personal_account');
  return state.members.size >= MAX_MEMBERS ? problem('too_many_members') : undefined;
};

export const listMemberInvitations = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/invitations',
  principals: ['admin', ...members('owner')],
  summary: 'List the open invitations of an account',
  success: {
    status: 200,
    description: 'The invitations that can still be accepted',
    schema: z.strictObject({ data: z.array(invitationView) }),
    example: { data: [invitationExample] },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id } }, deps) => ({
    answer: { data: await listInvitationsTo(deps, account_id) },
  }),
});

export const revokedInvitation = z.strictObject({ invitation_id: invitationId, revoked: z.literal(true) });
export const revokedExample = { invitation_id: 'inv_4c19f0e27a8d4b63b5d2e091', revoked: true as const };

export const revokeMemberInvitation = defineRoute({
  method: 'delete',
  path: '/accounts/{account_id}/invitations/{invitation_id}',
  principals: ['admin', ...members('owner')],
  summary: 'Revoke an invitation to an account',
  success: {
    status: 200,
    description: 'Its link is of no use any more',
    schema: revokedInvitation,
    example: revokedExample,
  },
  problems: ['account_not_found', 'invitation_not_found', 'invitation_ended'],
  handle: async ({ params: { account_id, invitation_id }, actor, commandId }, { people }) => {
    const { invitations } = people.roles;
    const invitation = await invitations.find(invitation_id);
    const isOfAccount = invitation?.to.kind === 'member' && invitation.to.accountId === account_id;
    if (!isOfAccount) return problem('invitation_not_found');
    const isRevoked = await invitations.revoke(invitation_id, 'revoked by an owner', actor, commandId);
    return isRevoked ? { answer: { invitation_id, revoked: true } } : problem('invitation_ended');
  },
});
