import { z } from 'zod';
import { formatUsd } from '../../../domain/money.ts';
import { staff } from '../../auth/principals.ts';
import { accountId, changed, grantUsd, paymentId, reason, transactionId, usd } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { executeOnPayment } from './payment-command.ts';
import { readHistory, paymentOfAccount } from './payment-history.ts';
import { paymentStatus, quarantineExample, quarantineView } from './payment-view.ts';
import { viewQuarantined } from './view-payment.ts';

const ids = { account_id: accountId, payment_id: paymentId };
const exampleIds = { account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', payment_id: 'pay_6d1f0a93c5b24e7790ab3e51' };

export const listQuarantined = defineRoute({
  method: 'get',
  path: '/payments/quarantined',
  principals: ['admin', ...staff('support', 'finance', 'operator')],
  summary: 'List the transactions in quarantine',
  description:
    'Paid, and not credited: more than was asked, in another currency, or for a payment that was paid before.',
  success: {
    status: 200,
    description: 'The oldest first',
    schema: z.strictObject({
      data: z.array(
        z.strictObject({
          ...{ ...ids, payment_status: paymentStatus, asked_usd: usd.meta({ description: 'Without tax' }) },
          ...quarantineView.shape,
        }),
      ),
    }),
    example: {
      data: [{ ...exampleIds, payment_status: 'quarantined', asked_usd: '25.00', ...quarantineExample }],
    },
  },
  problems: [],
  handle: async (_, deps) => {
    const waiting = (await deps.openPayments()).quarantined();
    const paymentIds = [...new Set(waiting.map(({ paymentId }) => paymentId))];
    const found = await Promise.all(
      paymentIds.map(async (payment_id) => {
        const history = await readHistory(deps, payment_id);
        if (!history) return [];
        const { accountId: account_id, amount, status: payment_status, quarantined } = history.payment;
        return quarantined
          .filter(({ status }) => status === 'waiting')
          .map((one) => ({
            ...{ account_id, payment_id, payment_status, asked_usd: formatUsd(amount) },
            ...viewQuarantined(history, one, { isCustomer: false }),
          }));
      }),
    );
    return { answer: { data: found.flat() } };
  },
});

const answer = z.strictObject({
  ...{ ...ids, transaction_id: transactionId, status: z.enum(['released', 'rejected']), changed },
});
const example = { ...exampleIds, transaction_id: quarantineExample.transaction_id, changed: true };

export const releaseQuarantined = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/payments/{payment_id}/transactions/{transaction_id}/release',
  principals: ['admin', ...staff('finance')],
  summary: 'Credit a transaction in quarantine',
  description:
    'Of a payment without credits. In USD at most what was paid without tax; in another currency staff decide what it is worth.',
  body: {
    schema: z.strictObject({ credited_usd: grantUsd, reason }),
    example: { credited_usd: '25.00', reason: 'At the rate of the payout' },
  },
  success: {
    status: 200,
    description: 'It is credited',
    schema: answer.extend({ credited_usd: usd }),
    example: { ...example, status: 'released', credited_usd: '25.00' },
  },
  problems: [
    ...(['payment_not_found', 'quarantine_not_found', 'quarantine_closed', 'payment_completed'] as const),
    'invalid_amount',
  ],
  handle: async ({ params, body: { credited_usd: credited, reason }, ...identity }, deps) => {
    const { account_id, payment_id, transaction_id: transactionId } = params;
    const history = await paymentOfAccount(deps, account_id, payment_id);
    if (isProblem(history)) return history;
    const done = await executeOnPayment(
      deps,
      identity,
      payment_id,
      { type: 'ReleaseQuarantine', transactionId, credited, reason },
      (event) =>
        event.type === 'QuarantineReleased' &&
        event.transactionId === transactionId &&
        event.credited === credited &&
        event.reason === reason,
    );
    if (isProblem(done)) {
      const message = 'credited_usd: must be more than zero and, in USD, at most what was paid without tax.';
      return done.code === 'invalid_amount' ? { ...done, message, param: 'credited_usd' } : done;
    }
    const changed = done.events.length > 0;
    const status = 'released' as const;
    const answered = { account_id, payment_id, transaction_id: transactionId, status, changed };
    return { answer: { ...answered, credited_usd: formatUsd(credited) }, repeated: done.repeated };
  },
});

export const rejectQuarantined = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/payments/{payment_id}/transactions/{transaction_id}/reject',
  principals: ['admin', ...staff('finance')],
  summary: 'Reject a transaction in quarantine',
  description: 'It gives no credits. Refund it on the page of the payment partner.',
  body: { schema: z.strictObject({ reason }), example: { reason: 'Paid twice' } },
  success: { status: 200, description: 'It is rejected', schema: answer, example: { ...example, status: 'rejected' } },
  problems: ['payment_not_found', 'quarantine_not_found', 'quarantine_closed'],
  handle: async ({ params, body: { reason }, ...identity }, deps) => {
    const { account_id, payment_id, transaction_id: transactionId } = params;
    const history = await paymentOfAccount(deps, account_id, payment_id);
    if (isProblem(history)) return history;
    const done = await executeOnPayment(
      deps,
      identity,
      payment_id,
      { type: 'RejectQuarantine', transactionId, reason },
      (event) =>
        event.type === 'QuarantineRejected' && event.transactionId === transactionId && event.reason === reason,
    );
    if (isProblem(done)) return done;
    const { events, repeated } = done;
    const status = 'rejected' as const;
    const changed = events.length > 0;
    return { answer: { account_id, payment_id, transaction_id: transactionId, status, changed }, repeated };
  },
});
