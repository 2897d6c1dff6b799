export { createCreemStandIn, type CreemStandIn, type CreemStandInOptions } from './stand-in.ts';
export type { CreemControl } from './control.ts';
export { createStateFile, type StateStorage } from './store/state-file.ts';
export { Refusal } from './store/shop.ts';
export type {
  Attempt,
  AttemptOutcome,
  Checkout,
  CreemEvent,
  Delivery,
  Dispute,
  Payout,
  PayoutLine,
  Refund,
} from './store/state.ts';
export type { Customer, Order, Product, RefundStatus, Transaction, TransactionStatus } from './store/wire.ts';
export { COUNTRIES, DISCOUNTS, type DiscountCode } from './shop/amounts.ts';
export { TEST_CARDS } from './shop/cards.ts';
export type { Payment, PaymentOutcome } from './shop/checkouts.ts';
export type { RefundOptions } from './shop/transactions.ts';
export type { PayoutOptions } from './shop/payouts.ts';
export type { DeliverOptions, ResendOptions } from './webhooks/deliveries.ts';
export type { ApiFault, DeliveryFault, FaultSelector } from './webhooks/faults.ts';
export { sign } from './webhooks/events.ts';
export type { SignedRequest } from './webhooks/send.ts';
