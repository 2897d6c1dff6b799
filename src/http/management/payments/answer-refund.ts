import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import type { PaymentEvent } from '../../../domain/payments/events.ts';
import { isDisputed, isOpenRequest, paymentStream, type RefundRequest } from '../../../domain/payments/payment.ts';
import type { PaymentCommand } from '../../../domain/payments/commands.ts';
import { pendingOf } from '../../../domain/payments/decide-requests.ts';
import { members, staff } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId, changed, paymentId, reason, refundId } from '../router/fields.ts';
import { defineRoute, isProblem, type Identity } from '../router/route.ts';
import { approvalExample, approvalView } from '../staff/approval-view.ts';
import { actsAlone, askSecondPerson } from '../staff/second-person.ts';
import { executeOnPayment } from './payment-command.ts';
import { refundStatus } from './payment-view.ts';
import { requestOf } from './view-payment.ts';

const answer = z.strictObject({
  ...{ account_id: accountId, payment_id: paymentId, refund_id: refundId, status: refundStatus, changed },
});
const example = {
  ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', payment_id: 'pay_6d1f0a93c5b24e7790ab3e51' },
  ...{ refund_id: 'ref_2b8e47c0d95f4163ba07c4e9', status: 'approved' as const, changed: true },
};
const ofRequest = ['payment_not_found', 'refund_not_found', 'refund_closed'] as const;

export const approveRefund = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/payments/{payment_id}/refunds/{refund_id}/approve',
  principals: ['admin', ...staff('finance')],
  summary: 'Approve a refund',
  description:
    'A refund of the whole payment is then made by the gateway. A part is refunded by staff on the page of the payment partner: `gross` is the amount to enter. ' +
    'Above REFUND_NEEDS_SECOND_PERSON_USD (default 100) it waits for the approval of a second person and is answered with 202.',
  body: { schema: z.strictObject({ reason }), example: { reason: 'Asked within 14 days' } },
  success: { status: 200, description: 'The refund is approved', schema: answer, example },
  deferred: {
    description: 'The amount needs a second person: see GET /approvals/{approval_id}',
    schema: approvalView,
    example: {
      ...approvalExample,
      act: {
        ...{ kind: 'refund', account_id: example.account_id, payment_id: example.payment_id },
        ...{ refund_id: example.refund_id, amount_usd: '500.00' },
      },
    },
  },
  problems: [...ofRequest, 'payment_disputed'],
  handle: async ({ params, body: { reason }, ...identity }, deps) => {
    const request = await findRequest(deps, params);
    if (isProblem(request)) return request;
    const { amount, status, isBlocked } = request;
    if (status === 'requested' && amount > deps.refundAlone && !actsAlone(deps, identity)) {
      // A second person should not be asked for what would be refused.
      if (isBlocked) return problem('payment_disputed');
      const { account_id: accountId, payment_id: paymentId, refund_id: refundId } = params;
      return askSecondPerson(deps, identity, { kind: 'refund', accountId, paymentId, refundId, amount }, reason);
    }
    return execute(deps, identity, params, { type: 'ApproveRefund', refundId: params.refund_id, reason });
  },
});

export const refuseRefund = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/payments/{payment_id}/refunds/{refund_id}/refuse',
  principals: ['admin', ...staff('finance')],
  summary: 'Refuse a refund',
  description:
    'The holder sees the reason. The credits can be spent again. An approved refund can be refused until it is made. The payment partner does not report that a refund has failed: ' +
    'if its page shows that, refuse the refund. It is then `failed`, unless the payment partner shows that it was made.',
  body: { schema: z.strictObject({ reason }), example: { reason: 'The credits were bought 200 days ago' } },
  success: {
    status: 200,
    description: 'The refund is refused',
    schema: answer,
    example: { ...example, status: 'refused' },
  },
  problems: [...ofRequest, 'refund_sent', 'payment_partner_failed'],
  handle: async ({ params, body: { reason }, ...identity }, deps) => {
    const request = await findRequest(deps, params);
    if (isProblem(request)) return request;
    const { payment_id: paymentId, refund_id: refundId } = params;
    if (!request.isUnderWay) return execute(deps, identity, params, { type: 'RefuseRefund', refundId, reason });
    switch (await deps.payments.lookUpReturns(paymentId)) {
      case 'as_recorded':
        return execute(deps, identity, params, { type: 'FailRefund', refundId, reason });
      case 'more':
        return problem('refund_sent', { message: MADE });
      case 'no_answer':
        return problem('payment_partner_failed', { message: NO_ANSWER });
    }
  },
});

const MADE = 'The payment partner has made this refund. It is recorded within a day.';
const NO_ANSWER = 'The payment partner has not answered whether it made this refund. Try again shortly.';

const WITHDRAWN = 'withdrawn by the holder';

export const withdrawRefund = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/payments/{payment_id}/refunds/{refund_id}/withdraw',
  principals: members('owner', 'billing'),
  summary: 'Withdraw a request for a refund',
  description: 'As long as it is not answered. The credits can be spent again.',
  success: {
    status: 200,
    description: 'The request is withdrawn',
    schema: answer,
    example: { ...example, status: 'refused' },
  },
  problems: [...ofRequest, 'refund_sent'],
  handle: async ({ params, ...identity }, deps) => {
    const request = await findRequest(deps, params);
    if (isProblem(request)) return request;
    if (request.status === 'approved' || request.status === 'sent') {
      const message = 'This refund is approved already. Ask support if you want to keep the credits.';
      return problem('refund_sent', { message, asksForSupport: true });
    }
    return execute(deps, identity, params, { type: 'RefuseRefund', refundId: params.refund_id, reason: WITHDRAWN });
  },
});

type Params = { readonly account_id: string; readonly payment_id: string; readonly refund_id: string };
type Found = RefundRequest & {
  /** Whether a dispute about the payment is open or lost. */
  readonly isBlocked: boolean;
  /** Whether the partner is making the refund. */
  readonly isUnderWay: boolean;
};

const findRequest = async (
  { paymentCommands, commands }: Pick<ManagementDeps, 'paymentCommands' | 'commands'>,
  { account_id, payment_id, refund_id }: Params,
): Promise<Found | Problem> => {
  const { state: payment } = await paymentCommands.read(paymentStream(payment_id));
  if (payment.status === 'unknown' || payment.accountId !== account_id) return problem('payment_not_found');
  const request = requestOf(payment, refund_id);
  if (request) {
    const isUnderWay = request.status === 'sent' || (isOpenRequest(request) && !!pendingOf(payment, refund_id));
    return { ...request, isBlocked: isDisputed(payment), isUnderWay };
  }
  // A process carries the request from the account to the payment.
  const { state: account } = await commands.read(accountStream(account_id));
  if (!account.wallet.refunds.has(refund_id)) return problem('refund_not_found');
  const message = 'The request is still being recorded. Try again.';
  return problem('refund_not_found', { message, shouldRetry: true, retryAfterMs: 1000 });
};

const execute = async (
  deps: Pick<ManagementDeps, 'paymentCommands'>,
  identity: Identity,
  { account_id, payment_id, refund_id }: Params,
  command: Answer,
) => {
  const done = await executeOnPayment(deps, identity, payment_id, command, (event) => isOf(event, command));
  if (isProblem(done)) return done;
  const { state } = await deps.paymentCommands.read(paymentStream(payment_id));
  const status = (state.status === 'unknown' ? undefined : requestOf(state, refund_id)?.status) ?? 'requested';
  const { events, repeated } = done;
  return { answer: { account_id, payment_id, refund_id, status, changed: events.length > 0 }, repeated };
};

type Answer = Extract<PaymentCommand, { type: 'ApproveRefund' | 'RefuseRefund' | 'FailRefund' }>;
/** The events of an earlier command: a refusal may have ended a refund that was under way at the partner. */
const eventsOf: Readonly<Record<Answer['type'], readonly PaymentEvent['type'][]>> = {
  ApproveRefund: ['RefundApproved'],
  RefuseRefund: ['RefundRefused', 'RefundFailed'],
  FailRefund: ['RefundRefused', 'RefundFailed'],
};

const isOf = (event: PaymentEvent, { type, refundId, reason }: Answer): boolean =>
  eventsOf[type].includes(event.type) &&
  'refundId' in event &&
  event.refundId === refundId &&
  'reason' in event &&
  event.reason === reason;
