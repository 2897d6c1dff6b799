import { find } from './store/shop.ts';
import type { Shop } from './store/shop.ts';
import type { AttemptOutcome, Checkout, CreemEvent, Delivery, Dispute, Payout, Refund } from './store/state.ts';
import type { Order, RefundStatus, Transaction } from './store/wire.ts';
import { checkoutView, expire, pay } from './shop/checkouts.ts';
import type { Payment, PaymentOutcome } from './shop/checkouts.ts';
import { closePayout, openBalance, statement } from './shop/payouts.ts';
import type { PayoutOptions } from './shop/payouts.ts';
import { closeDispute, openDispute, refund, settleRefund } from './shop/transactions.ts';
import type { RefundOptions } from './shop/transactions.ts';
import type { Deliveries, DeliverOptions, ResendOptions } from './webhooks/deliveries.ts';
import { recordEvent } from './webhooks/events.ts';
import type { ApiFault, DeliveryFault, Faults, FaultSelector } from './webhooks/faults.ts';
import type { SignedRequest } from './webhooks/send.ts';

/**
 * What customers, their banks and Creem do, for tests. An act that is not possible throws `Refusal`, with a `code`. Returned
 * values are copies, and do not change.
 */
export type CreemControl = {
  checkouts(): readonly Checkout[];
  orders(): readonly Order[];
  /** In the order in which they were paid. */
  transactions(): readonly Transaction[];
  refunds(): readonly Refund[];
  disputes(): readonly Dispute[];
  events(): readonly CreemEvent[];
  deliveries(): readonly Delivery[];

  pay(checkoutId: string, payment?: Payment): PaymentOutcome;
  /** The customer leaves: nothing changes and nothing is sent, and the checkout can still be paid. */
  abandon(checkoutId: string): void;
  expire(checkoutId: string): void;

  /** A refund on the dashboard or by Creem itself, in part or of all that is left. */
  refund(transactionId: string, options?: RefundOptions): Refund;
  /** A pending refund becomes final, without an event. */
  settleRefund(refundId: string, status: 'succeeded' | 'failed' | 'canceled'): Refund;
  /** The status of refunds that are asked for by the API from now on. */
  setRefundStatus(status: RefundStatus): void;
  dispute(transactionId: string): Dispute;
  /** Sends no event. The transaction returns to its earlier state. */
  winDispute(disputeId: string): Dispute;
  /** Sends no event. The transaction stays `chargedBack`. */
  loseDispute(disputeId: string): Dispute;
  closePayout(options?: PayoutOptions): Payout;
  /** What the next payout would contain before its fee, in cents. */
  balance(currency?: string): number;
  /** The CSV of a payout. */
  statement(payoutId: string): string;

  /** Sets the address of the endpoint of the settings. Until then, its deliveries wait. */
  deliverTo(url: string): void;
  deliverDue(options?: DeliverOptions): Promise<readonly Delivery[]>;
  resend(eventId: string, options?: ResendOptions): Promise<AttemptOutcome>;
  /** The bytes and headers of a delivery, without sending it. */
  signed(eventId: string, fault?: DeliveryFault): SignedRequest;
  /** Sends an event of any type, known or unknown. */
  emit(eventType: string, object: Readonly<Record<string, unknown>>): CreemEvent;
  /** For the next attempts that the selector matches. The oldest fault that matches is used, one for an attempt. */
  faultDelivery(fault: DeliveryFault, selector?: FaultSelector): void;
  faultApi(fault: ApiFault): void;
  setModeration(mode: 'works' | 'fails' | 'hangs'): void;
  /** The shape of events from now on: that of Creem's SDK, or that of its documentation, which the SDK refuses. */
  setShape(shape: 'sdk' | 'documentation'): void;
  /** Removes all faults and resets every switch. */
  clearFaults(): void;
};

type ControlParts = {
  readonly shop: Shop;
  readonly faults: Faults;
  readonly deliveries: Deliveries;
  /** Runs after something may have become due. */
  readonly wake: () => void;
  readonly deliverTo: (url: string) => void;
};

export const createControl = ({ shop, faults, deliveries, wake, deliverTo }: ControlParts): CreemControl => {
  const { state } = shop;
  const copied = <T>(value: T): T => structuredClone(value);
  const waking = <T>(result: T): T => {
    wake();
    return copied(result);
  };
  return {
    checkouts: () => copied(state.checkouts),
    orders: () => copied(state.orders),
    transactions: () => copied(state.transactions),
    refunds: () => copied(state.refunds),
    disputes: () => copied(state.disputes),
    events: () => copied(state.events),
    deliveries: () => copied(state.deliveries),

    pay: (checkoutId, payment = {}) => waking(pay(shop, faults, checkoutId, payment)),
    abandon: (checkoutId) => void checkoutView(shop, find(state.checkouts, checkoutId, 'Checkout'), ''),
    expire: (checkoutId) => expire(shop, checkoutId),

    refund: (transactionId, options = {}) => waking(refund(shop, faults, transactionId, options)),
    settleRefund: (refundId, status) => copied(settleRefund(shop, refundId, status)),
    setRefundStatus: (status) => void (faults.refundStatus = status),
    dispute: (transactionId) => waking(openDispute(shop, faults, transactionId)),
    winDispute: (disputeId) => copied(closeDispute(shop, disputeId, 'won')),
    loseDispute: (disputeId) => copied(closeDispute(shop, disputeId, 'lost')),
    closePayout: (options) => copied(closePayout(shop, options)),
    balance: (currency = 'USD') => openBalance(shop, currency),
    statement: (payoutId) => statement(shop, payoutId),

    deliverTo,
    deliverDue: async (options) => copied(await deliveries.deliverDue(options)),
    resend: (eventId, options) => deliveries.resend(eventId, options),
    signed: (eventId, fault) => deliveries.signed(eventId, fault),
    emit: (eventType, object) => waking(shop.change(() => recordEvent(shop, faults, eventType, object))),
    faultDelivery: (fault, selector = {}) => faults.addDelivery(fault, selector),
    faultApi: (fault) => faults.addApi(fault),
    setModeration: (mode) => void (faults.moderation = mode),
    setShape: (shape) => void (faults.shape = shape),
    clearFaults: () => faults.clear(),
  };
};
