import { accept, refuse } from '../decider.ts';
import { fromMinorUnits, netOf } from './amounts.ts';
import type { PaymentCommandOf, PaymentDecision } from './commands.ts';
import { isReturned, quarantinedOf, returnQuarantined } from './decide-paid.ts';
import { endMisfits } from './decide-requests.ts';
import type { PaymentEvent } from './events.ts';
import { evolvePayment, isFoundByTotal, returnedOf, type KnownPayment } from './payment.ts';

/** A dispute is recorded once, by the partner's id of it. */
export const recordDispute = (
  { disputeId, transactionId, gross: disputed, currency }: PaymentCommandOf<'RecordDispute'>,
  payment: KnownPayment,
): PaymentDecision => {
  const cause = { kind: 'dispute', disputeId } as const;
  if (isReturned(payment, cause) || payment.disputes.some((one) => one.disputeId === disputeId)) return accept();
  // A transaction has one chargeback at a time. If it was found without its id, its report may still come.
  if (payment.disputes.some((one) => isFoundByTotal(one.disputeId) && one.status !== 'won')) return accept();
  const { sale } = payment;
  if (sale?.transactionId !== transactionId) {
    const one = quarantinedOf(payment, transactionId);
    return one ? returnQuarantined(one, cause, disputed, currency) : refuse({ code: 'payment_not_completed' });
  }
  if (currency !== sale.currency) return refuse({ code: 'other_currency' });
  if (disputed <= 0n) return refuse({ code: 'invalid_amount' });
  const gross = fromMinorUnits(disputed);
  return accept({ type: 'DisputeOpened', disputeId, gross, amount: netOf(gross, sale, returnedOf(payment)) });
};

/** A dispute that was lost may be won later; one that was won stays so. */
export const closeDispute = (
  { disputeId, outcome, how }: PaymentCommandOf<'CloseDispute'>,
  payment: KnownPayment,
): PaymentDecision => {
  const { sale } = payment;
  const dispute = payment.disputes.find((one) => one.disputeId === disputeId);
  if (!dispute || !sale) return refuse({ code: 'dispute_not_found' });
  if (dispute.status === outcome) return accept();
  if (dispute.status === 'won') return refuse({ code: 'dispute_closed' });
  if (outcome === 'won') return accept({ type: 'DisputeClosed', disputeId, outcome, how, amount: dispute.taken.net });
  // Part of the payment may have been refunded since the dispute was opened.
  const amount = netOf(dispute.gross, sale, returnedOf(payment));
  const closed: PaymentEvent = { type: 'DisputeClosed', disputeId, outcome, how, amount };
  const after = evolvePayment(payment, closed);
  return accept(closed, ...(after.status === 'unknown' ? [] : endMisfits(after, 'the payment was charged back')));
};
