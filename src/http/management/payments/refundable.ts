import type { Account } from '../../../domain/account/account.ts';
import { free, isPaid, lotOf, openDispute, type Lot } from '../../../domain/account/lots.ts';
import { available } from '../../../domain/account/wallet.ts';
import { min, type Credits } from '../../../domain/money.ts';
import { CENT } from '../../../domain/payments/amounts.ts';
import { lotOfPayment, refundableOf, type KnownPayment } from '../../../domain/payments/payment.ts';

export const wholeCents = (amount: Credits): Credits => amount - (amount % CENT);

/** What a refund of a payment can be now, in whole cents: of its lot, what is neither used, held, frozen nor refunded. */
export const refundableNow = ({ wallet }: Account, paymentId: string, payment: KnownPayment): Credits => {
  const lot = lotOf(wallet, lotOfPayment(paymentId));
  return lot ? refundableOfLot(lot, payment, available(wallet)) : 0n;
};

/** `unheld` are the credits of the account that no request in progress needs. */
export const refundableOfLot = (lot: Lot, payment: KnownPayment, unheld: Credits): Credits => {
  if (!isPaid(lot) || openDispute(lot) !== undefined) return 0n;
  return wholeCents(min(min(free(lot), unheld), refundableOf(payment)?.net ?? 0n));
};

/** The paid lots with credits, the newest first, with their payments. */
export const paidLots = ({
  wallet,
}: Account): readonly { readonly lot: Lot; readonly lotId: string; readonly paymentId: string }[] =>
  [...wallet.lots]
    .flatMap(([lotId, lot]) => (lot.source.kind === 'payment' ? [{ lotId, lot, paymentId: lot.source.reference }] : []))
    .toSorted((a, b) => b.lot.age - a.lot.age);
