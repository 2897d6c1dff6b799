import type { PaymentCommand, PaymentRefusal } from '../domain/payments/commands.ts';
import { CENT } from '../domain/payments/amounts.ts';
import {
  idByTotal,
  isFoundByTotal,
  paymentStream,
  returnedBefore,
  type KnownPayment,
} from '../domain/payments/payment.ts';
import { CommandIdTaken } from '../eventstore/commands.ts';
import { derivedId } from '../eventstore/ids.ts';
import type { PaidReport, PartnerReport, PartnerTransaction } from './partner.ts';
import type { PaymentsOptions } from './payments-options.ts';

/**
 * `unmatched`: the report belongs to no payment of ours. `refused`: the payment refuses it, and an operator must look at it.
 * `later`: what it refers to is not in the log yet, so the partner must report it again.
 */
export type Recorded =
  | { readonly kind: 'recorded'; readonly paymentId: string; readonly changed: boolean }
  | { readonly kind: 'unmatched' }
  | { readonly kind: 'later' }
  | { readonly kind: 'refused'; readonly paymentId: string; readonly code: PaymentRefusal['code'] };

/** A refund with the total of its transaction, as `RecordRefund` needs it. */
export type Report = PartnerReport & { readonly total?: bigint };

export const readPayment = async (
  { payments }: Pick<PaymentsOptions, 'payments'>,
  paymentId: string,
): Promise<KnownPayment | undefined> => {
  const { state } = await payments.read(paymentStream(paymentId));
  return state.status === 'unknown' ? undefined : state;
};

/** Records what the partner reports. Each fact has one effect, however often and in whichever order it is reported. */
export const recordReport = async (options: PaymentsOptions, report: Report): Promise<Recorded> => {
  const paymentId = await paymentOfReport(options, report);
  if (paymentId === undefined) return { kind: 'unmatched' };
  if (report.kind === 'dispute' && (await isOver(options, paymentId, report))) {
    return { kind: 'recorded', paymentId, changed: false };
  }
  const recorded = await execute(options, paymentId, report);
  if (recorded.kind !== 'refused') return recorded;
  switch (recorded.code) {
    case 'payment_not_completed':
      // A refund or a dispute was reported before its payment.
      if (!(await checkPaid(options, paymentId))) return { kind: 'later' };
      return execute(options, paymentId, report);
    case 'refund_total_needed':
      return withTotal(options, paymentId, report);
    default:
      return recorded;
  }
};

const paymentOfReport = async (options: PaymentsOptions, report: Report): Promise<string | undefined> => {
  const { paymentId, transactionId } = report;
  if (paymentId !== null && (await readPayment(options, paymentId))) return paymentId;
  return options.paymentOf({ transactionId, orderId: report.kind === 'paid' ? report.orderId : null });
};

/** The ids derive from the facts, so that a fact is recorded on one payment only. */
const commandOf = (report: Report): { readonly id: string; readonly command: PaymentCommand } => {
  switch (report.kind) {
    case 'paid': {
      const { transactionId, orderId, checkoutId, paid, tax, currency } = report;
      const command = { type: 'RecordPaid', transactionId, orderId, checkoutId, paid, tax, currency } as const;
      return { id: `transaction#${transactionId}`, command };
    }
    case 'refund': {
      const { reference, transactionId, gross, currency, status, total } = report;
      const command = { type: 'RecordRefund', reference, transactionId, gross, currency, status } as const;
      return { id: `refund#${reference}#${status}`, command: total === undefined ? command : { ...command, total } };
    }
    case 'dispute': {
      const { disputeId, transactionId, gross, currency } = report;
      const command = { type: 'RecordDispute', disputeId, transactionId, gross, currency } as const;
      return { id: `dispute#${disputeId}`, command };
    }
  }
};

const execute = async (
  { payments, partner }: PaymentsOptions,
  paymentId: string,
  report: Report,
): Promise<Recorded> => {
  const { id, command } = commandOf(report);
  const metadata = { actor: `partner:${partner?.name ?? 'none'}`, commandId: derivedId('partner', id) };
  try {
    const outcome = await payments.execute(paymentStream(paymentId), command, metadata, { mayRepeat: true });
    if (outcome.kind === 'refused') return { kind: 'refused', paymentId, code: outcome.refusal.code };
    return { kind: 'recorded', paymentId, changed: outcome.events.length > 0 && !outcome.repeated };
  } catch (error) {
    // The log has the fact, on another payment.
    if (error instanceof CommandIdTaken) return { kind: 'unmatched' };
    throw error;
  }
};

/** Asks the partner whether one of the payment pages was paid, and records it. True if the payment has a transaction then. */
export const checkPaid = async (options: PaymentsOptions, paymentId: string): Promise<boolean> => {
  const payment = await readPayment(options, paymentId);
  if (!payment || !options.partner) return false;
  if (payment.sale) return true;
  for (const { checkoutId } of payment.checkouts.toReversed()) {
    const found = await options.partner.checkoutById(checkoutId);
    if (found.kind !== 'checkout' || !found.paid) continue;
    const report: PaidReport = { ...found.paid, paymentId };
    await execute(options, paymentId, report);
    return true;
  }
  return false;
};

/**
 * A dispute that was found in the transaction, without its id, may be won before its own report arrives. The transaction
 * shows whether the report is of another dispute.
 */
const isOver = async (options: PaymentsOptions, paymentId: string, report: Report): Promise<boolean> => {
  const payment = await readPayment(options, paymentId);
  const found = payment?.disputes.some(({ disputeId, status }) => isFoundByTotal(disputeId) && status === 'won');
  if (!found) return false;
  const transaction = await options.partner?.transactionById(report.transactionId);
  return transaction?.kind === 'transaction' && transaction.status !== 'charged_back';
};

/** What refunds have returned of the transaction, with tax. */
export const refundedCents = (payment: KnownPayment): bigint =>
  payment.refunds.reduce((sum, one) => (one.status === 'succeeded' ? sum + one.gross : sum), 0n) / CENT +
  returnedBefore(payment);

/** The chargeback that a transaction shows and the payment does not. Its report, with its id, may still come. */
export const unreportedChargeback = (
  payment: KnownPayment,
  { transactionId, status, refunded, currency }: PartnerTransaction,
): Report | undefined => {
  if (status !== 'charged_back' || payment.disputes.some((dispute) => dispute.status !== 'won')) return undefined;
  // A payment may be charged back again after a dispute that was won.
  const disputeId = `${idByTotal(transactionId, refunded)}#${payment.disputes.length}`;
  const gross = refunded - refundedCents(payment);
  return { kind: 'dispute', paymentId: null, checkoutId: null, transactionId, disputeId, gross, currency };
};

/** The total of a transaction includes its chargeback, which must be recorded before a refund is compared with it. */
const withTotal = async (options: PaymentsOptions, paymentId: string, report: Report): Promise<Recorded> => {
  const payment = await readPayment(options, paymentId);
  const found = await options.partner?.transactionById(report.transactionId);
  if (!payment || found?.kind !== 'transaction') return { kind: 'later' };
  const chargeback = unreportedChargeback(payment, found);
  if (chargeback) await execute(options, paymentId, chargeback);
  return execute(options, paymentId, { ...report, total: found.refunded });
};
