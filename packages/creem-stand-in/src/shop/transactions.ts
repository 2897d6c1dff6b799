import { Refusal, find } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import type { Dispute, Refund } from '../store/state.ts';
import type { RefundReason, RefundStatus, Transaction } from '../store/wire.ts';
import { recordEvent } from '../webhooks/events.ts';
import type { Faults } from '../webhooks/faults.ts';
import { checkoutSummary } from './checkouts.ts';
import { recordChargebackFee, recordReturn } from './payouts.ts';

const NOT_FINAL: readonly RefundStatus[] = ['pending', 'requiresAction'];

/** What a refund or a dispute refers to, as its webhook states it. */
const relatedTo = (shop: Shop, transaction: Transaction) => {
  const { state } = shop;
  const checkout = state.checkouts.find(({ order }) => order === transaction.order);
  return {
    transaction,
    ...(checkout && { checkout: checkoutSummary(shop, checkout) }),
    order: find(state.orders, transaction.order, 'Order'),
    customer: find(state.customers, transaction.customer, 'Customer'),
  };
};

const waitingRefunds = ({ state }: Shop, { id }: Transaction): readonly Refund[] =>
  state.refunds.filter((one) => one.transaction === id && NOT_FINAL.includes(one.status));

/** What can still be refunded: refunds that are not final count as made. */
export const refundable = (shop: Shop, transaction: Transaction): number => {
  if (transaction.status === 'chargedBack') return 0;
  const left = transaction.amount_paid - (transaction.refunded_amount ?? 0);
  return waitingRefunds(shop, transaction).reduce((rest, { amount }) => rest - amount, left);
};

const apply = (shop: Shop, transaction: Transaction, refund: Refund): void => {
  const refunded = (transaction.refunded_amount ?? 0) + refund.amount;
  transaction.refunded_amount = refunded;
  transaction.status = refunded === transaction.amount_paid ? 'refunded' : 'partialRefund';
  recordReturn(shop, 'refund', transaction, -refund.amount, refund.id);
};

export type RefundOptions = {
  /** In cents, tax included; all that is left unless stated. */
  readonly amount?: number;
  /** `succeeded` unless stated. */
  readonly status?: RefundStatus;
  /** `requested_by_customer` unless stated. */
  readonly reason?: RefundReason;
};

/** A refund on Creem's dashboard, or by Creem itself. Sends `refund.created`. */
export const refund = (shop: Shop, faults: Faults, transactionId: string, options: RefundOptions): Refund => {
  const { status = 'succeeded', reason = 'requested_by_customer' } = options;
  const transaction = find(shop.state.transactions, transactionId, 'Transaction');
  const left = refundable(shop, transaction);
  const amount = options.amount ?? left;
  if (!Number.isSafeInteger(amount) || amount < 1 || amount > left) {
    throw new Refusal('invalid_amount', 'The amount must be at least one cent, and at most what is left to refund.');
  }
  return shop.change(() => {
    const made: Refund = {
      id: shop.newId('ref'),
      transaction: transactionId,
      amount,
      reason,
      status,
      createdAt: shop.now(),
    };
    shop.state.refunds.push(made);
    if (status === 'succeeded') apply(shop, transaction, made);
    recordEvent(shop, faults, 'refund.created', {
      ...{ id: made.id, mode: shop.settings.mode, object: 'refund', status, refund_amount: amount },
      ...{ refund_currency: transaction.currency, reason, ...relatedTo(shop, transaction), created_at: made.createdAt },
    });
    return made;
  });
};

/** `POST /v1/refunds` refunds in full, once: a transaction that was refunded in part before is refused as well. */
export const refundInFull = (shop: Shop, faults: Faults, transactionId: string): Refund => {
  const transaction = find(shop.state.transactions, transactionId, 'Transaction');
  if (refundable(shop, transaction) !== transaction.amount_paid) {
    throw new Refusal('not_refundable', 'Transaction has already been refunded');
  }
  return refund(shop, faults, transactionId, { status: faults.refundStatus });
};

/** A pending refund becomes final. There is no event for it: the transaction has to be fetched. */
export const settleRefund = (shop: Shop, refundId: string, status: 'succeeded' | 'failed' | 'canceled'): Refund => {
  const made = find(shop.state.refunds, refundId, 'Refund');
  if (!NOT_FINAL.includes(made.status)) throw new Refusal('already_final', 'The refund is final.');
  const transaction = find(shop.state.transactions, made.transaction, 'Transaction');
  return shop.change(() => {
    made.status = status;
    if (status === 'succeeded') apply(shop, transaction, made);
    return made;
  });
};

/** The customer's bank takes back what is left; refunds that are not final are canceled. Sends `dispute.created`. */
export const openDispute = (shop: Shop, faults: Faults, transactionId: string): Dispute => {
  const transaction = find(shop.state.transactions, transactionId, 'Transaction');
  const waiting = waitingRefunds(shop, transaction);
  const amount = refundable(shop, transaction) + waiting.reduce((sum, one) => sum + one.amount, 0);
  if (transaction.status === 'chargedBack' || amount === 0) {
    throw new Refusal('nothing_left', 'Nothing is left of the transaction.');
  }
  return shop.change(() => {
    for (const one of waiting) one.status = 'canceled';
    const id = shop.newId('disp');
    const before = { status: transaction.status, refunded: transaction.refunded_amount };
    const made: Dispute = { id, transaction: transactionId, amount, before, outcome: 'open', createdAt: shop.now() };
    shop.state.disputes.push(made);
    transaction.status = 'chargedBack';
    transaction.refunded_amount = (before.refunded ?? 0) + amount;
    recordReturn(shop, 'chargeback', transaction, -amount, made.id);
    recordChargebackFee(shop, transaction, made.id);
    recordEvent(shop, faults, 'dispute.created', {
      ...{ id: made.id, mode: shop.settings.mode, object: 'dispute', amount, currency: transaction.currency },
      ...{ ...relatedTo(shop, transaction), created_at: made.createdAt },
    });
    return made;
  });
};

/** There is no event for the end of a dispute. If it is won, the transaction is what it was before; the fee stays. */
export const closeDispute = (shop: Shop, disputeId: string, outcome: 'won' | 'lost'): Dispute => {
  const dispute = find(shop.state.disputes, disputeId, 'Dispute');
  if (dispute.outcome !== 'open') throw new Refusal('already_closed', 'The dispute is closed.');
  const transaction = find(shop.state.transactions, dispute.transaction, 'Transaction');
  return shop.change(() => {
    dispute.outcome = outcome;
    if (outcome === 'won') {
      transaction.status = dispute.before.status;
      transaction.refunded_amount = dispute.before.refunded;
      recordReturn(shop, 'chargeback_reversal', transaction, dispute.amount, dispute.id);
    }
    return dispute;
  });
};
