import type {
  Customer,
  DeliveryMode,
  Metadata,
  Order,
  Product,
  RefundReason,
  RefundStatus,
  Transaction,
  TransactionStatus,
  WebhookStatus,
} from './wire.ts';

/** A checkout as it is stored. `GET /v1/checkouts` joins the entities that it refers to. */
export type Checkout = {
  readonly id: string;
  readonly requestId: string | undefined;
  readonly product: string;
  readonly units: number;
  readonly customPrice: number | undefined;
  /** What the customer is asked for before tax and discount. */
  readonly subTotal: number;
  readonly customer: string | undefined;
  readonly email: string | undefined;
  readonly discountCode: string | undefined;
  readonly successUrl: string | undefined;
  readonly metadata: Metadata;
  readonly createdAt: number;
  expiresAt: number;
  order: string | undefined;
};

export type Refund = {
  readonly id: string;
  readonly transaction: string;
  /** In cents, tax included. */
  readonly amount: number;
  readonly reason: RefundReason;
  /** Changes without an event once the refund is no longer pending. */
  status: RefundStatus;
  readonly createdAt: number;
};

export type Dispute = {
  readonly id: string;
  readonly transaction: string;
  readonly amount: number;
  /** What the transaction returns to if the dispute is won. */
  readonly before: { readonly status: TransactionStatus; readonly refunded: number | null };
  outcome: 'open' | 'won' | 'lost';
  readonly createdAt: number;
};

export type PayoutLine = {
  readonly at: number;
  readonly type:
    'payment' | 'refund' | 'chargeback' | 'chargeback_reversal' | 'chargeback_fee' | 'moderation_fee' | 'payout_fee';
  readonly transaction: string | undefined;
  readonly order: string | undefined;
  readonly requestId: string | undefined;
  /** The id of the refund or of the dispute. */
  readonly reference: string | undefined;
  readonly currency: string;
  readonly gross: number;
  readonly tax: number;
  readonly fee: number;
  /** `gross − tax − fee`. */
  readonly net: number;
};

export type Payout = {
  readonly id: string;
  readonly at: number;
  readonly currency: string;
  /** The sum of the lines' net. */
  readonly amount: number;
  readonly lines: readonly PayoutLine[];
};

export type Webhook = {
  readonly id: string;
  /** The endpoint of the settings of the stand-in. Others are created by the API. */
  readonly ofSettings: boolean;
  name: string | null;
  url: string;
  readonly deliveryMode: DeliveryMode;
  status: WebhookStatus;
  events: readonly string[];
  secret: string;
};

export type CreemEvent = {
  readonly id: string;
  readonly type: string;
  readonly at: number;
  /** The compact JSON that is signed and sent. */
  readonly body: string;
};

export type AttemptOutcome =
  | { readonly kind: 'answered'; readonly status: number }
  /** `reason` is a code such as `ECONNREFUSED`, `timeout`, `lost`, `response_lost` or `cut`. */
  | { readonly kind: 'failed'; readonly reason: string };

export type Attempt = { readonly at: number; readonly manual: boolean; readonly outcome: AttemptOutcome };

/** One event on its way to one webhook endpoint. */
export type Delivery = {
  readonly id: string;
  readonly event: string;
  readonly webhook: string;
  readonly attempts: Attempt[];
  /** Undefined once it was answered with 200 or given up. */
  nextAttemptAt: number | undefined;
  state: 'scheduled' | 'delivered' | 'given_up';
};

/** The whole state of the stand-in, as plain JSON. */
export type State = {
  readonly version: 1;
  /** Ids follow from it and from `ids`, so that the same calls give the same ids. */
  readonly seed: string;
  ids: number;
  readonly products: Product[];
  readonly customers: Customer[];
  readonly checkouts: Checkout[];
  readonly orders: Order[];
  readonly transactions: Transaction[];
  readonly refunds: Refund[];
  readonly disputes: Dispute[];
  readonly payouts: Payout[];
  /** Lines that belong to the next payout. */
  unpaid: PayoutLine[];
  readonly webhooks: Webhook[];
  readonly events: CreemEvent[];
  readonly deliveries: Delivery[];
  readonly moderation: { unbilledUnits: number; screened: string[] };
};

export const emptyState = (seed: string): State => ({
  version: 1,
  seed,
  ids: 0,
  products: [],
  customers: [],
  checkouts: [],
  orders: [],
  transactions: [],
  refunds: [],
  disputes: [],
  payouts: [],
  unpaid: [],
  webhooks: [],
  events: [],
  deliveries: [],
  moderation: { unbilledUnits: 0, screened: [] },
});

/** Throws if the JSON is not a state of this version. */
export const readState = (json: string): State => {
  const state = JSON.parse(json) as Partial<State> | null;
  if (state?.version !== 1 || typeof state.seed !== 'string') {
    throw new TypeError('The saved state is not one of this stand-in for Creem.');
  }
  return state as State;
};
