import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import type { WantedPayments } from '../../../projections/queries.ts';
import type { PaymentRow } from '../../../projections/rows/payments.ts';
import { isCustomer, paymentReaders } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { anyId, paymentId, wholeNumber } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { paymentOfAccount } from './payment-history.ts';
import { paymentExample, paymentSummary, paymentView, summaryExample, viewRow } from './payment-view.ts';
import { viewPayment } from './view-payment.ts';

/** The payments of an account, the newest first. Includes everything acknowledged before the call. */
export type ListPayments = (accountId: string, wanted: WantedPayments) => Promise<readonly PaymentRow[]>;

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

export const listPayments = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/payments',
  principals: paymentReaders(),
  summary: "List an account's payments",
  description: 'Newest first.',
  query: z.strictObject({
    before: anyId.optional().meta({ description: 'The next page: the payment_id of the last payment on this one' }),
    limit: wholeNumber(`Payments on a page; ${DEFAULT_LIMIT} by default`, 1, MAX_LIMIT).optional(),
  }),
  success: {
    status: 200,
    description: 'The payments',
    schema: z.strictObject({
      data: z.array(paymentSummary),
      next: paymentId.nullable().meta({ description: 'before of the next page; null on the last one' }),
    }),
    example: { data: [summaryExample], next: null },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id }, query: { before, limit = DEFAULT_LIMIT } }, deps) => {
    const { state } = await deps.commands.read(accountStream(account_id));
    if (state.standing.status === 'unregistered') return problem('account_not_found');
    // One more than requested shows whether there is a next page.
    const found = await deps.listPayments(account_id, { before, limit: limit + 1 });
    const data = found.slice(0, limit).map(viewRow);
    return { answer: { data, next: found.length > limit ? (data.at(-1)?.payment_id ?? null) : null } };
  },
});

export const readPayment = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/payments/{payment_id}',
  principals: paymentReaders(),
  summary: 'Read a payment',
  description: 'With its refunds, disputes and events, from the log.',
  success: { status: 200, description: 'The payment', schema: paymentView, example: paymentExample },
  problems: ['payment_not_found'],
  handle: async ({ params: { account_id, payment_id }, actor }, deps) => {
    const history = await paymentOfAccount(deps, account_id, payment_id);
    if (isProblem(history)) return history;
    const { state } = await deps.commands.read(accountStream(account_id));
    return { answer: viewPayment(history, state, deps, { isCustomer: isCustomer({ actor }) }) };
  },
});
