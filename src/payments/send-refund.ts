import { isFullRefund, paymentStream } from '../domain/payments/payment.ts';
import { derivedId } from '../eventstore/ids.ts';
import type { PaymentCommand } from '../domain/payments/commands.ts';
import type { PaymentsOptions } from './payments-options.ts';
import { PartnerFailed } from './partner.ts';
import type { Returns } from './payments.ts';
import { readPayment, refundedCents } from './record-reports.ts';

/**
 * Orders an approved refund of a whole payment at the partner. A refund of a part is made by staff on the partner's page.
 * No order can be repeated safely, so the transaction is looked up first: if it is refunded already, only the record is
 * missing.
 */
export const sendRefund = async (options: PaymentsOptions, paymentId: string, refundId: string): Promise<void> => {
  const { partner } = options;
  const payment = await readPayment(options, paymentId);
  const request = payment?.requests.find((one) => one.refundId === refundId);
  if (!payment?.sale || !partner || request?.status !== 'approved') return;
  if (!isFullRefund(payment, refundId)) return;
  const { transactionId } = payment.sale;
  const found = await partner.transactionById(transactionId);
  if (found.kind === 'not_found') return fail(options, paymentId, refundId, 'the partner has no such payment');
  if (found.status === 'paid') {
    const answer = await partner.refund(transactionId);
    if (answer.kind === 'refused') {
      // It may be under way already, ordered before a crash. Only staff can see that, so the credits stay held.
      options.alarm('refund_refused_by_partner', { paymentId, reason: answer.reason });
      return;
    }
    if (answer.status === 'failed' || answer.status === 'canceled') {
      return fail(options, paymentId, refundId, 'the refund failed at the partner');
    }
  }
  await record(options, paymentId, { type: 'RecordRefundSent', refundId }, derivedId('sent', refundId));
};

/**
 * Whether the partner shows that more was returned of the payment than is recorded. The partner does not report that a
 * refund has failed, so only staff can end a request for one that is under way: they see the partner's page.
 */
export const lookUpReturns = async (options: PaymentsOptions, paymentId: string): Promise<Returns> => {
  const payment = await readPayment(options, paymentId);
  const { partner } = options;
  if (!payment?.sale || !partner) return 'no_answer';
  try {
    const found = await partner.transactionById(payment.sale.transactionId);
    if (found.kind === 'not_found') return 'no_answer';
    return found.refunded > refundedCents(payment) ? 'more' : 'as_recorded';
  } catch (error) {
    if (error instanceof PartnerFailed) return 'no_answer';
    throw error;
  }
};

const fail = (options: PaymentsOptions, paymentId: string, refundId: string, reason: string): Promise<void> =>
  record(options, paymentId, { type: 'FailRefund', refundId, reason }, derivedId('failed', refundId));

const record = async (
  { payments }: PaymentsOptions,
  paymentId: string,
  command: PaymentCommand,
  commandId: string,
): Promise<void> => {
  const metadata = { actor: 'system:payments', commandId };
  await payments.execute(paymentStream(paymentId), command, metadata, { mayRepeat: true });
};
