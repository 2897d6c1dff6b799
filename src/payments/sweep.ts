import { fromMinorUnits } from '../domain/payments/amounts.ts';
import { idByTotal, paymentStream, type Dispute, type KnownPayment } from '../domain/payments/payment.ts';
import { derivedId } from '../eventstore/ids.ts';
import { eachAlone, type PartnerTransaction } from './partner.ts';
import type { PaymentsOptions } from './payments-options.ts';
import {
  checkPaid,
  readPayment,
  recordReport,
  refundedCents,
  unreportedChargeback,
  type Report,
} from './record-reports.ts';

export type SweepReport = {
  /** Transactions of the partner that were compared. */
  readonly compared: number;
  /** Payments, refunds and disputes that no webhook had reported, and ends of disputes. */
  readonly recorded: number;
  /** Transactions of no payment of ours. */
  readonly unmatched: number;
  /** Transactions and payment pages about which the partner gave no usable answer. */
  readonly unreadable: number;
};

/** A chargeback is final after this time. Older transactions do not change. */
const FINAL_AFTER_MS = 120 * 24 * 60 * 60 * 1000;
/** How long after it was opened an expired payment is still looked up. */
const PAID_LATE_MS = 7 * 24 * 60 * 60 * 1000;
/** A bound on the calls of one sweep. */
const MAX_PAGES = 2000;

/**
 * Looks up all unpaid payments, and those of the last week that expired. Then it compares the transactions of the last 120
 * days with the log, the newest first. What no webhook has reported is recorded.
 */
export const sweep = async (
  options: PaymentsOptions,
  progress: (compared: number) => void = () => undefined,
): Promise<SweepReport> => {
  const { partner } = options;
  const report = { compared: 0, recorded: 0, unmatched: 0, unreadable: 0 };
  if (!partner) return report;
  const expired = await options.expired(new Date(options.now().getTime() - PAID_LATE_MS));
  for (const { paymentId } of [...(await options.unpaid()), ...expired]) {
    const fault = await eachAlone(async () => {
      if (await checkPaid(options, paymentId)) report.recorded++;
    });
    if (fault) report.unreadable++;
  }
  const oldest = options.now().getTime() - FINAL_AFTER_MS;
  let page: number | null = 1;
  while (page !== null && page <= MAX_PAGES) {
    const found = await partner.transactions(page);
    report.unreadable += found.unreadable;
    for (const transaction of found.transactions) {
      report.compared++;
      const fault = await eachAlone(async () => {
        const recorded = await compare(options, transaction);
        if (recorded === undefined) report.unmatched++;
        else report.recorded += recorded;
      });
      if (fault) report.unreadable++;
    }
    progress(report.compared);
    const last = found.transactions.at(-1);
    page = last && last.createdAt < oldest ? null : found.nextPage;
  }
  report.recorded += await endOldDisputes(options);
  return report;
};

/** How many facts were recorded; undefined if the transaction is of no payment of ours. */
const compare = async (options: PaymentsOptions, transaction: PartnerTransaction): Promise<number | undefined> => {
  const { transactionId, orderId } = transaction;
  const paymentId = await options.paymentOf({ transactionId, orderId });
  const payment = paymentId === undefined ? undefined : await readPayment(options, paymentId);
  if (paymentId === undefined || !payment) {
    if (transaction.status === 'unpaid') return 0;
    options.alarm('payment_unmatched', { transactionId, orderId });
    return undefined;
  }
  if (payment.sale?.transactionId !== transactionId) return 0;
  let recorded = 0;
  for (const dispute of payment.disputes) recorded += await closeDispute(options, paymentId, dispute, transaction);
  // A dispute that is over no longer counts in the total of the transaction.
  const after = (await readPayment(options, paymentId)) ?? payment;
  for (const report of unreported(after, transaction)) {
    const done = await recordReport(options, { ...report, paymentId });
    if (done.kind === 'recorded' && done.changed) recorded++;
  }
  return recorded;
};

/** What the transaction shows, and the payment does not. */
const unreported = (payment: KnownPayment, transaction: PartnerTransaction): readonly Report[] => {
  const { transactionId, status, refunded, currency } = transaction;
  const chargeback = unreportedChargeback(payment, transaction);
  if (chargeback) return [chargeback];
  if (status !== 'refunded' && status !== 'partly_refunded') return [];
  const gross = refunded - refundedCents(payment);
  if (gross <= 0n) return [];
  // A refund that was under way has an id.
  const pending = payment.refunds.find((one) => one.status === 'pending' && one.gross === fromMinorUnits(gross));
  const reference = pending?.reference ?? idByTotal(transactionId, refunded);
  const about = { paymentId: null, checkoutId: null, transactionId, currency };
  return [{ kind: 'refund', ...about, reference, gross, status: 'succeeded', total: refunded }];
};

/** The partner reports no end of a dispute: it is seen in the transaction. */
const closeDispute = async (
  options: PaymentsOptions,
  paymentId: string,
  { disputeId, status }: Dispute,
  transaction: PartnerTransaction,
): Promise<number> => {
  if (status === 'won' || !isPaidAgain(transaction)) return 0;
  // The page may be older than the dispute, and one that was won stays so.
  const now = await options.partner?.transactionById(transaction.transactionId);
  if (now?.kind !== 'transaction' || !isPaidAgain(now)) return 0;
  return close(options, paymentId, disputeId, { outcome: 'won', how: 'partner' });
};

const isPaidAgain = ({ status }: PartnerTransaction): boolean => status !== 'charged_back' && status !== 'unpaid';

/** A dispute without an outcome after so long is lost. */
const endOldDisputes = async (options: PaymentsOptions): Promise<number> => {
  let ended = 0;
  for (const { paymentId, disputeId, since } of await options.openDisputes()) {
    if (options.now().getTime() - since.getTime() < FINAL_AFTER_MS) continue;
    ended += await close(options, paymentId, disputeId, { outcome: 'lost', how: 'time' });
  }
  return ended;
};

const close = async (
  { payments }: PaymentsOptions,
  paymentId: string,
  disputeId: string,
  end: { readonly outcome: 'won' | 'lost'; readonly how: 'partner' | 'time' },
): Promise<number> => {
  const { revision } = await payments.read(paymentStream(paymentId));
  // A dispute may be lost, won and so on. The revision makes each end one command.
  const commandId = derivedId('dispute-end', `${disputeId}#${end.outcome}#${revision}`);
  const metadata = { actor: 'system:payments', commandId };
  const command = { type: 'CloseDispute', disputeId, ...end } as const;
  const outcome = await payments.execute(paymentStream(paymentId), command, metadata);
  return outcome.kind === 'accepted' && outcome.events.length > 0 ? 1 : 0;
};
