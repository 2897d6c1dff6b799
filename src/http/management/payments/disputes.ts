import { z } from 'zod';
import { disputeOutcomes } from '../../../domain/payments/events.ts';
import { staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { accountId, changed, disputeId, paymentId } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { executeOnPayment } from './payment-command.ts';
import { readHistory, paymentOfAccount } from './payment-history.ts';
import { disputeExample, disputeView } from './payment-view.ts';
import { disputeIdInUrls, viewDispute } from './view-payment.ts';

const ids = { account_id: accountId, payment_id: paymentId };
const exampleIds = { account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', payment_id: 'pay_6d1f0a93c5b24e7790ab3e51' };

export const listDisputes = defineRoute({
  method: 'get',
  path: '/disputes',
  principals: ['admin', ...staff('support', 'finance', 'operator')],
  summary: 'List the disputes without an outcome',
  success: {
    status: 200,
    description: 'The oldest first',
    schema: z.strictObject({ data: z.array(z.strictObject({ ...ids, ...disputeView.shape })) }),
    example: { data: [{ ...exampleIds, ...disputeExample }] },
  },
  problems: [],
  handle: async (_, deps) => {
    const open = (await deps.openPayments()).disputes();
    const found = await Promise.all(
      open.map(async ({ paymentId, disputeId }) => {
        const history = await readHistory(deps, paymentId);
        const dispute = history?.payment.disputes.find((one) => one.disputeId === disputeId);
        if (dispute?.status !== 'open' || !history) return [];
        return { account_id: history.payment.accountId, payment_id: paymentId, ...viewDispute(history, dispute) };
      }),
    );
    return { answer: { data: found.flat() } };
  },
});

export const closeDispute = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/payments/{payment_id}/disputes/{dispute_id}/close',
  principals: ['admin', ...staff('finance')],
  summary: 'Close a dispute',
  description:
    'The payment partner does not report the outcome. won: the credits can be spent again. lost: they are taken; what was used of them becomes a debt. ' +
    'A dispute that was lost can be closed as won later; one that was won stays so.',
  body: { schema: z.strictObject({ outcome: z.enum(disputeOutcomes) }), example: { outcome: 'won' } },
  success: {
    status: 200,
    description: 'The dispute is closed',
    schema: z.strictObject({
      ...{ ...ids, dispute_id: disputeId, status: z.enum(disputeOutcomes), changed },
    }),
    example: { ...exampleIds, dispute_id: disputeExample.dispute_id, status: 'won', changed: true },
  },
  problems: ['payment_not_found', 'dispute_not_found', 'dispute_closed'],
  handle: async ({ params: { account_id, payment_id, dispute_id }, body: { outcome }, ...identity }, deps) => {
    const history = await paymentOfAccount(deps, account_id, payment_id);
    if (isProblem(history)) return history;
    const disputeId = history.payment.disputes.find((one) => disputeIdInUrls(one.disputeId) === dispute_id)?.disputeId;
    if (disputeId === undefined) return problem('dispute_not_found');
    const done = await executeOnPayment(
      deps,
      identity,
      payment_id,
      { type: 'CloseDispute', disputeId, outcome, how: 'staff' },
      (event) => event.type === 'DisputeClosed' && event.disputeId === disputeId && event.outcome === outcome,
    );
    if (isProblem(done)) return done;
    const { events, repeated } = done;
    return { answer: { account_id, payment_id, dispute_id, status: outcome, changed: events.length > 0 }, repeated };
  },
});
