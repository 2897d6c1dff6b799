import { z } from 'zod';
import type { Act } from '../../../domain/approvals/approvals.ts';
import { formatUsd } from '../../../domain/money.ts';
import type { ApprovalView } from '../../../people/roles/approvals.ts';
import { accountId, paymentId, refundId, time, usd } from '../router/fields.ts';

export const approvalId = z.string().meta({ description: 'Approval', example: 'app_9f27c1d05e6b4a38a1c4d772' });

const refundAct = z.strictObject({
  ...{ kind: z.literal('refund'), account_id: accountId, payment_id: paymentId, refund_id: refundId },
  amount_usd: usd.meta({ description: 'Credits, without tax' }),
});
const act = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ kind: z.literal('grant'), account_id: accountId, amount_usd: usd },
    ends_at: time.nullable().meta({ description: 'When the credits end; null if they do not end' }),
  }),
  refundAct,
]);

export const approvalView = z
  .strictObject({
    approval_id: approvalId,
    status: z
      .enum(['waiting', 'ended', 'refused', 'approved', 'done', 'failed'])
      .meta({ description: 'ended: not given in time. failed: the act was refused when it was carried out' }),
    act: act.meta({ description: 'What is done once it is approved' }),
    reason: z.string(),
    asked_by: z.string().meta({ description: 'The actor', example: 'staff:per_5b0d27c41e8f4a96b3c7d810' }),
    given_by: z.array(z.string()).meta({ description: 'Persons' }),
    refused_by: z.string().nullable(),
    failure: z.string().nullable().meta({ description: 'Why it was refused, or the code with which it failed' }),
    ends_at: time,
  })
  .meta({ id: 'Approval' });

export const approvalExample: z.output<typeof approvalView> = {
  approval_id: 'app_9f27c1d05e6b4a38a1c4d772',
  status: 'waiting',
  act: { kind: 'grant', account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', amount_usd: '500.00', ends_at: null },
  reason: 'Compensation for the outage in May',
  asked_by: 'staff:per_5b0d27c41e8f4a96b3c7d810',
  given_by: [],
  refused_by: null,
  failure: null,
  ends_at: '2026-02-07T10:00:00.000Z',
};

export const viewApproval = (approval: ApprovalView, now: Date): z.output<typeof approvalView> => {
  const { approvalId: approval_id, status, act, reason, by, givenBy, refusedBy, failure, until } = approval;
  return {
    approval_id,
    status: status === 'waiting' && until <= now.getTime() ? 'ended' : status,
    act: viewAct(act),
    ...{ reason, asked_by: by, given_by: [...givenBy], refused_by: refusedBy, failure },
    ends_at: new Date(until).toISOString(),
  };
};

const viewAct = (act: Act): z.output<typeof approvalView>['act'] => {
  const common = { account_id: act.accountId, amount_usd: formatUsd(act.amount) };
  switch (act.kind) {
    case 'grant':
      return {
        ...{ kind: act.kind, ...common },
        ends_at: act.endsAt === undefined ? null : new Date(act.endsAt).toISOString(),
      };
    case 'refund':
      return { kind: act.kind, ...common, payment_id: act.paymentId, refund_id: act.refundId };
  }
};
