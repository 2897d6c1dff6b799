import type { Account } from '../account/account.ts';
import { free, isPaid, isDisputed, lotOf, type Lot } from '../account/lots.ts';
import { available } from '../account/wallet.ts';
import { min, type Credits } from '../money.ts';
import { CENT } from './amounts.ts';
import { lotOfPayment, paymentOfLot, refundableOf, type KnownPayment } from './payment.ts';

export const wholeCents = (amount: Credits): Credits => amount - (amount % CENT);

/** What a refund of a payment can be now, in whole cents: of its lot, what is neither used, held, frozen nor refunded. */
export const refundableNow = ({ wallet }: Account, paymentId: string, payment: KnownPayment): Credits => {
  const lot = lotOf(wallet, lotOfPayment(paymentId));
  return lot ? refundableOfLot(lot, payment, available(wallet)) : 0n;
};

/** `unheld` are the credits of the account that no request in progress needs. */
export const refundableOfLot = (lot: Lot, payment: KnownPayment, unheld: Credits): Credits => {
  if (!isPaid(lot) || isDisputed(lot)) return 0n;
  return wholeCents(min(min(free(lot), unheld), refundableOf(payment)?.net ?? 0n));
};

type PaidLot = { readonly lotId: string; readonly lot: Lot; readonly paymentId: string };

/** The paid lots with credits, the newest first. */
export const paidLots = ({ wallet }: Account): readonly PaidLot[] =>
  [...wallet.lots]
    .flatMap(([lotId, lot]) => {
      const paymentId = paymentOfLot(lot);
      return paymentId === undefined ? [] : [{ lotId, lot, paymentId }];
    })
    .toSorted((a, b) => b.lot.age - a.lot.age);

/** The payment of a lot that is known to be paid. */
export const paymentIdOf = ({ wallet }: Account, lotId: string): string => {
  const lot = lotOf(wallet, lotId);
  return (lot && paymentOfLot(lot)) ?? '';
};
