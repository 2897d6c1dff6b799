import type { BookAccount } from '../books/chart.ts';
import { post, type Posting } from '../books/posting.ts';
import type { Credits } from '../money.ts';
import { CURRENCY, fromMinorUnits } from './amounts.ts';
import type { DisputeEvent, MinorUnits, PaymentEvent } from './events.ts';
import { returnedOf, returnsOf, type KnownPayment, type Quarantined } from './payment.ts';

/** What the partner charges for a transaction: a share of the total with tax, and a fixed part. Trued up at each payout. */
const FEE_PER_MILLE = 39n;
const FIXED_FEE: Credits = 400_000_000n;
const DISPUTE_FEE: Credits = 25_000_000_000n;

/**
 * The double entry of an event of a payment. The `finance:` comment of the event describes it. `payment` is the state before the event. Tax is
 * the partner's and appears nowhere. What the account does with the credits is posted by its own events, against the same 1140.
 */
export const paymentPostings = (event: PaymentEvent, payment: KnownPayment): readonly Posting[] => {
  switch (event.type) {
    case 'PaymentCompleted':
      return [...post('1100', '1140', event.credited), ...fee(event.paid)];
    case 'PaymentQuarantined': {
      // What another currency is worth is known at the payout.
      if (event.currency !== CURRENCY) return [];
      return [...post('1100', '1130', fromMinorUnits(event.paid - event.tax)), ...fee(fromMinorUnits(event.paid))];
    }
    case 'QuarantineReleased':
      return post('1130', '1140', event.credited);
    case 'QuarantineReturned': {
      const one = payment.quarantined.find(({ transactionId }) => transactionId === event.transactionId);
      return [
        ...(one ? post('1130', '1100', quarantinedPart(one, event.gross)) : []),
        ...(event.cause.kind === 'dispute' ? post('6010:Chargeback', '1100', DISPUTE_FEE) : []),
      ];
    }
    case 'RefundCompleted':
      return [...post('1140', owedBy(payment), event.amount), ...surplus(payment, event.amount)];
    case 'DisputeOpened':
      return [...post('1120', owedBy(payment), event.amount), ...post('6010:Chargeback', '1100', DISPUTE_FEE)];
    case 'DisputeClosed':
      return closingPostings(event, payment);
    case 'PaymentOpened':
    case 'CheckoutCreated':
    case 'PaymentExpired':
    case 'QuarantineRejected':
    case 'RefundRequested':
    case 'RefundApproved':
    case 'RefundRefused':
    case 'RefundSent':
    case 'RefundPending':
    case 'RefundFailed':
      return [];
  }
};

/** The disputed money becomes what the chargeback takes; the rest is owed again. */
const closingPostings = (
  { disputeId, outcome, amount }: Extract<DisputeEvent, { type: 'DisputeClosed' }>,
  payment: KnownPayment,
): readonly Posting[] => {
  const before = payment.disputes.find((one) => one.disputeId === disputeId);
  const disputed = before?.status === 'open' ? post(owedBy(payment), '1120', before.amount) : [];
  const taken = outcome === 'lost' ? amount : -amount;
  return [...disputed, ...post('1140', owedBy(payment), taken), ...surplus(payment, taken)];
};

const fee = (paid: Credits): readonly Posting[] =>
  post('6010:Platform', '1100', (paid * FEE_PER_MILLE) / 1000n + FIXED_FEE);

/** A payment in another currency is not in the clearing account before the payout. */
const owedBy = ({ sale }: KnownPayment): BookAccount => (sale === null || sale.currency === CURRENCY ? '1100' : '1130');

/** The part without tax of what goes back of a transaction in quarantine. All parts together are exact. */
const quarantinedPart = (one: Quarantined, gross: MinorUnits): Credits => {
  const before = returnsOf(one);
  return withoutTax(one, before + gross) - withoutTax(one, before);
};

const withoutTax = ({ paid, tax, currency }: Quarantined, gross: MinorUnits): Credits =>
  currency === CURRENCY ? (fromMinorUnits(gross) * (paid - tax)) / paid : 0n;

/** If less was released from quarantine than the partner owes us, the rest of it goes back in proportion. */
const surplus = (payment: KnownPayment, taken: Credits): readonly Posting[] => {
  const { sale, quarantined } = payment;
  const origin = quarantined.find(({ transactionId }) => transactionId === sale?.transactionId);
  if (!sale || origin?.currency !== CURRENCY) return [];
  const owed = withoutTax(origin, origin.paid) - withoutTax(origin, returnsOf(origin));
  const share = (returned: Credits): Credits => (returned * (owed - sale.credited)) / sale.credited;
  const before = returnedOf(payment).net;
  return post('1130', '1100', share(before + taken) - share(before));
};
