import { accept, refuse } from '../decider.ts';
import { CURRENCY, fromMinorUnits } from './amounts.ts';
import type { PaymentCommandOf, PaymentDecision } from './commands.ts';
import type { MinorUnits, QuarantineReason, ReturnCause } from './events.ts';
import { returnsOf, type KnownPayment, type Quarantined } from './payment.ts';

type RecordPaid = PaymentCommandOf<'RecordPaid'>;

export const quarantinedOf = ({ quarantined }: KnownPayment, transactionId: string): Quarantined | undefined =>
  quarantined.find((one) => one.transactionId === transactionId);

/** A transaction is credited or quarantined once, by its id. */
export const recordPaid = (fact: RecordPaid, payment: KnownPayment): PaymentDecision => {
  const { transactionId, orderId, checkoutId, paid, tax, currency } = fact;
  if (payment.sale?.transactionId === transactionId || quarantinedOf(payment, transactionId)) return accept();
  if (tax < 0n || paid <= tax) return refuse({ code: 'invalid_amount' });
  const reason = quarantineReason(fact, payment);
  if (reason) {
    return accept({ type: 'PaymentQuarantined', transactionId, orderId, paid, tax, currency, reason });
  }
  return accept({
    ...{ type: 'PaymentCompleted', transactionId, orderId, checkoutId },
    ...{ paid: fromMinorUnits(paid), tax: fromMinorUnits(tax), credited: fromMinorUnits(paid - tax) },
  });
};

/** Undefined if the transaction can be credited. Less than was asked is credited as it is: a discount was used. */
const quarantineReason = (
  { paid, tax, currency }: RecordPaid,
  { sale, amount }: KnownPayment,
): QuarantineReason | undefined => {
  if (sale) return 'second_transaction';
  if (currency !== CURRENCY) return 'other_currency';
  return fromMinorUnits(paid - tax) > amount ? 'more_than_asked' : undefined;
};

export const releaseQuarantine = (
  { transactionId, credited, reason }: PaymentCommandOf<'ReleaseQuarantine'>,
  payment: KnownPayment,
): PaymentDecision => {
  const one = quarantinedOf(payment, transactionId);
  if (!one) return refuse({ code: 'quarantine_not_found' });
  if (one.status === 'released' && payment.sale?.credited === credited) return accept();
  const rest = one.paid - returnsOf(one);
  if (one.status !== 'waiting' || rest <= 0n) return refuse({ code: 'quarantine_closed' });
  if (payment.sale) return refuse({ code: 'payment_completed' });
  // The part without tax of what did not go back, in whole cents.
  const most = fromMinorUnits((rest * (one.paid - one.tax)) / one.paid);
  const isTooMuch = one.currency === CURRENCY && credited > most;
  if (credited <= 0n || isTooMuch) return refuse({ code: 'invalid_amount' });
  return accept({ type: 'QuarantineReleased', transactionId, credited, reason });
};

export const rejectQuarantine = (
  { transactionId, reason }: PaymentCommandOf<'RejectQuarantine'>,
  payment: KnownPayment,
): PaymentDecision => {
  const one = quarantinedOf(payment, transactionId);
  if (!one) return refuse({ code: 'quarantine_not_found' });
  if (one.status === 'released') return refuse({ code: 'quarantine_closed' });
  return one.status === 'rejected' ? accept() : accept({ type: 'QuarantineRejected', transactionId, reason });
};

/** Whether this refund or dispute was recorded while its transaction was in quarantine. */
export const isReturned = ({ quarantined }: KnownPayment, cause: ReturnCause): boolean =>
  quarantined.some(({ returns }) => returns.some((one) => idOf(one.cause) === idOf(cause)));

const idOf = (cause: ReturnCause): string =>
  cause.kind === 'refund' ? `refund ${cause.reference}` : `dispute ${cause.disputeId}`;

/** Money of a transaction in quarantine goes back. It has no credits, so nothing else follows. */
export const returnQuarantined = (
  { transactionId, currency }: Quarantined,
  cause: ReturnCause,
  gross: MinorUnits,
  factCurrency: string,
): PaymentDecision => {
  if (factCurrency !== currency) return refuse({ code: 'other_currency' });
  return gross > 0n
    ? accept({ type: 'QuarantineReturned', transactionId, cause, gross })
    : refuse({ code: 'invalid_amount' });
};
