import { z } from 'zod';
import { isOpenRequest } from '../../../domain/payments/payment.ts';
import { staff } from '../../auth/principals.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId, paymentId, time, transactionId } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';
import { approvalId } from '../staff/approval-view.ts';
import { readHistory } from './payment-history.ts';
import { refundExample, refundView } from './payment-view.ts';
import { requestOf, viewRefund } from './view-payment.ts';

/** The queue of staff: refunds that wait for an answer, or for the payment partner. */
export const listRefunds = defineRoute({
  method: 'get',
  path: '/refunds',
  principals: ['admin', ...staff('support', 'finance', 'operator')],
  summary: 'List the refunds that wait',
  description:
    'Those that are not answered, and those that are approved and not made. If `made_by` is staff, `gross` is the amount to enter on the page of the payment partner.',
  success: {
    status: 200,
    description: 'The oldest first',
    schema: z.strictObject({
      data: z.array(
        z.strictObject({
          ...{ account_id: accountId, payment_id: paymentId },
          ...refundView.shape,
          currency: z.string(),
          transaction_id: transactionId,
          order_id: z.string(),
          made_by: z.enum(['gateway', 'staff']).meta({
            description: 'gateway: the whole payment, by the API of the payment partner. staff: on its page',
          }),
          approval_id: approvalId.nullable().meta({ description: 'The approval that waits for a second person' }),
          since: time,
        }),
      ),
    }),
    example: {
      data: [
        {
          ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', payment_id: 'pay_6d1f0a93c5b24e7790ab3e51' },
          ...{ ...refundExample, currency: 'USD', transaction_id: 'tran_1a2b3c4d5e6f7g8h9i0j1k' },
          ...{ order_id: 'ord_4aDwWXjMLpes4Kj', made_by: 'staff', approval_id: null },
          since: '2026-02-02T09:00:00.000Z',
        },
      ],
    },
  },
  problems: [],
  handle: async (_, deps) => {
    const [open, approvals] = await Promise.all([deps.openPayments(), waitingRefunds(deps)]);
    const found = await Promise.all(
      open.refunds().map(async ({ paymentId, refundId, since }) => {
        const history = await readHistory(deps, paymentId);
        const request = history && requestOf(history.payment, refundId);
        const sale = history?.payment.sale;
        if (!request || !sale || !isOpenRequest(request)) return [];
        const refund = viewRefund(history, request, { isCustomer: false });
        return {
          ...{ account_id: history.payment.accountId, payment_id: paymentId, ...refund },
          ...{ currency: sale.currency, transaction_id: sale.transactionId, order_id: sale.orderId },
          made_by: refund.is_full ? ('gateway' as const) : ('staff' as const),
          approval_id: approvals.get(refundId) ?? null,
          since: since.toISOString(),
        };
      }),
    );
    return { answer: { data: found.flat() } };
  },
});

/** The approvals of refunds that can still be given, by the refund. */
const waitingRefunds = async ({
  waitingApprovals,
  people,
}: Pick<ManagementDeps, 'waitingApprovals' | 'people'>): Promise<ReadonlyMap<string, string>> => {
  const found = await Promise.all((await waitingApprovals()).map((id) => people.roles.approvals.find(id)));
  return new Map(
    found.flatMap((one) =>
      one?.status === 'waiting' && one.act.kind === 'refund' ? [[one.act.refundId, one.approvalId] as const] : [],
    ),
  );
};
