import { formatUsd, type Credits } from '../../domain/money.ts';
import { fromMinorUnits } from '../../domain/payments/amounts.ts';
import { returnedOf, returnsOf, type KnownPayment } from '../../domain/payments/payment.ts';

export type ReceiptFacts = {
  readonly paymentId: string;
  readonly payment: KnownPayment;
  /** When it was credited, in ms since the epoch. */
  readonly creditedAt: number;
  /** The name of the holder; null if it is erased or not to be shown. */
  readonly holder: string | null;
  /** The part of the credits that repaid debts at once. */
  readonly debtRepaid: Credits;
  /** Paid to the stand-in, or in the test mode of the partner. */
  readonly isSimulated: boolean;
};

/** All amounts are decimal texts. Those without `_usd` are in `currency`. */
export type Receipt = {
  readonly number: string;
  /** ISO 8601, in UTC. */
  readonly date: string;
  readonly payment_id: string;
  /** The partner's id of the order, which its invoice shows. */
  readonly order_id: string;
  readonly account: { readonly id: string; readonly holder: string | null };
  /** ISO 4217. */
  readonly currency: string;
  readonly net: string;
  readonly tax: string;
  readonly tax_note: string;
  readonly total_paid: string;
  readonly credited_usd: string;
  readonly debt_repaid_usd: string;
  /** Returned so far by refunds and chargebacks: money with tax, and the credits taken for it. */
  readonly returned: string;
  readonly returned_credits_usd: string;
  readonly seller_note: string;
  readonly simulated: boolean;
};

const TAX_NOTE = 'as collected by Creem';
const SELLER_NOTE = 'Creem is the merchant of record; its invoice is the tax document.';

/** The receipt of a payment as it is now; undefined if nothing has been credited. */
export const receipt = (facts: ReceiptFacts): Receipt | undefined => {
  const { paymentId, payment, creditedAt, holder, debtRepaid, isSimulated } = facts;
  const { sale, accountId } = payment;
  if (!sale) return undefined;
  const { paid, tax, returned } = moneyOf(payment, sale);
  return {
    number: receiptNumber(paymentId, creditedAt),
    date: new Date(creditedAt).toISOString(),
    payment_id: paymentId,
    order_id: sale.orderId,
    account: { id: accountId, holder },
    currency: sale.currency,
    net: formatUsd(paid - tax),
    tax: formatUsd(tax),
    tax_note: TAX_NOTE,
    total_paid: formatUsd(paid),
    credited_usd: formatUsd(sale.credited),
    debt_repaid_usd: formatUsd(debtRepaid),
    returned: formatUsd(returned),
    returned_credits_usd: formatUsd(returnedOf(payment).net),
    seller_note: SELLER_NOTE,
    simulated: isSimulated,
  };
};

/** The same for the same payment, always: the month in UTC, and the last group of the UUID in the payment's id. */
const receiptNumber = (paymentId: string, creditedAt: number): string =>
  `KR-${new Date(creditedAt).toISOString().slice(0, 7)}-${paymentId.slice(-12).toUpperCase()}`;

/** What the customer paid, also if part of it was returned before it was released from quarantine. */
const moneyOf = (payment: KnownPayment, sale: NonNullable<KnownPayment['sale']>) => {
  const returned = returnedOf(payment).gross;
  const origin = payment.quarantined.find(({ transactionId }) => transactionId === sale.transactionId);
  return origin
    ? {
        paid: fromMinorUnits(origin.paid),
        tax: fromMinorUnits(origin.tax),
        returned: returned + fromMinorUnits(returnsOf(origin)),
      }
    : { paid: sale.paid, tax: sale.tax, returned };
};
