import { z } from 'zod';
import { invariant } from '../../../domain/decider.ts';
import type { ApprovalRefusal } from '../../../domain/approvals/approvals.ts';
import type { Approver, ApprovalView } from '../../../people/roles/approvals.ts';
import { staffOnly } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { reason } from '../router/fields.ts';
import { defineRoute, type Identity, type Reply } from '../router/route.ts';
import { approvalExample, approvalView, viewApproval } from './approval-view.ts';

/** Persons with a second step, and never programs. */
const approvers = staffOnly('finance');

export const listApprovals = defineRoute({
  method: 'get',
  path: '/approvals',
  principals: approvers,
  summary: 'List the approvals that wait for a second person',
  success: {
    status: 200,
    description: 'Those that can still be given, the oldest first',
    schema: z.strictObject({ data: z.array(approvalView) }),
    example: { data: [approvalExample] },
  },
  problems: [],
  handle: async (_, { waitingApprovals, people, now }) => {
    const found = await Promise.all((await waitingApprovals()).map((id) => people.roles.approvals.find(id)));
    const waiting = found.flatMap((one) => (one?.status === 'waiting' ? [viewApproval(one, now())] : []));
    return { answer: { data: waiting } };
  },
});

export const readApproval = defineRoute({
  method: 'get',
  path: '/approvals/{approval_id}',
  principals: approvers,
  summary: 'Read an approval',
  success: { status: 200, description: 'The approval', schema: approvalView, example: approvalExample },
  problems: ['approval_not_found'],
  handle: async ({ params: { approval_id } }, { people, now }) => {
    const approval = await people.roles.approvals.find(approval_id);
    return approval ? { answer: viewApproval(approval, now()) } : problem('approval_not_found');
  },
});

const approverOf = ({ principal, commandId, requestId }: Identity): Approver => {
  invariant(principal?.kind === 'session' && principal.staffRole !== null, 'only staff gives approvals');
  return { personId: principal.session.personId, role: principal.staffRole, commandId, requestId };
};

const answerOf = (
  answered: ApprovalView | ApprovalRefusal,
  now: Date,
): Reply<z.output<typeof approvalView>> | Problem =>
  'code' in answered ? problem(answered.code) : { answer: viewApproval(answered, now) };

export const giveApproval = defineRoute({
  method: 'post',
  path: '/approvals/{approval_id}/give',
  principals: approvers,
  summary: 'Approve an act that another person asked for',
  description: 'The act is carried out at once, on your authority.',
  success: {
    status: 200,
    description: 'The approval is given',
    schema: approvalView,
    example: { ...approvalExample, status: 'done' as const, given_by: ['per_7c30d5b1e94f4a08b26d1f93'] },
  },
  problems: [
    ...(['approval_not_found', 'approval_closed', 'approval_ended', 'role_not_sufficient'] as const),
    'second_person_required',
  ],
  handle: async ({ params: { approval_id }, ...identity }, { people, now }) =>
    answerOf(await people.roles.approvals.give(approval_id, approverOf(identity)), now()),
});

export const refuseApproval = defineRoute({
  method: 'post',
  path: '/approvals/{approval_id}/refuse',
  principals: approvers,
  summary: 'Refuse an act, or withdraw your own',
  body: { schema: z.strictObject({ reason }), example: { reason: 'The customer was compensated before' } },
  success: {
    status: 200,
    description: 'The act will not be carried out',
    schema: approvalView,
    example: {
      ...{ ...approvalExample, status: 'refused' as const, refused_by: 'per_7c30d5b1e94f4a08b26d1f93' },
      failure: 'The customer was compensated before',
    },
  },
  problems: ['approval_not_found', 'approval_closed'],
  handle: async ({ params: { approval_id }, body: { reason }, ...identity }, { people, now }) =>
    answerOf(await people.roles.approvals.refuse(approval_id, reason, approverOf(identity)), now()),
});
