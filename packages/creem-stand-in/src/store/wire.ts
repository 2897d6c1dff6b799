/** Entities in the JSON shapes of Creem's API. Amounts are in cents; a reference to another entity is its id. */

export type Metadata = Readonly<Record<string, unknown>>;
export type Mode = 'test' | 'prod' | 'sandbox';

export type Product = {
  readonly id: string;
  readonly mode: Mode;
  readonly object: 'product';
  readonly name: string;
  readonly description: string;
  readonly features: readonly [];
  readonly price: number;
  readonly currency: string;
  readonly billing_type: 'onetime' | 'recurring';
  readonly billing_period: string;
  readonly status: 'active' | 'archived';
  readonly tax_mode: 'exclusive' | 'inclusive';
  readonly tax_category: string;
  readonly default_success_url: string | null;
  readonly created_at: string;
  readonly updated_at: string;
};

export type Customer = {
  readonly id: string;
  readonly mode: Mode;
  readonly object: 'customer';
  email: string;
  name: string | null;
  country: string | null;
  readonly external_id?: string;
  readonly metadata?: Metadata;
  readonly created_at: string;
  updated_at: string;
};

export type Order = {
  readonly id: string;
  readonly mode: Mode;
  readonly object: 'order';
  readonly customer: string;
  readonly product: string;
  readonly transaction: string;
  readonly discount: string | null;
  readonly amount: number;
  readonly sub_total: number;
  readonly tax_amount: number;
  readonly discount_amount: number;
  readonly amount_due: number;
  readonly amount_paid: number;
  readonly currency: string;
  readonly fx_amount: null;
  readonly fx_currency: null;
  readonly fx_rate: null;
  readonly status: 'paid';
  readonly type: 'onetime';
  readonly affiliate: null;
  readonly created_at: string;
  readonly updated_at: string;
};

export type TransactionStatus = 'paid' | 'refunded' | 'partialRefund' | 'chargedBack';

export type Transaction = {
  readonly id: string;
  readonly mode: Mode;
  readonly object: 'transaction';
  readonly amount: number;
  readonly amount_paid: number;
  readonly discount_amount: number;
  readonly currency: string;
  readonly type: 'payment';
  readonly tax_country: string;
  readonly tax_amount: number;
  status: TransactionStatus;
  refunded_amount: number | null;
  readonly order: string;
  readonly subscription: null;
  readonly customer: string;
  readonly description: string;
  readonly created_at: number;
};

export type RefundStatus = 'pending' | 'requiresAction' | 'succeeded' | 'failed' | 'canceled';
export type RefundReason = 'duplicate' | 'fraudulent' | 'requested_by_customer' | 'other';
export type WebhookStatus = 'enabled' | 'disabled';
export type DeliveryMode = 'http' | 'cli';

/** What `GET /v1/webhooks` gives as `events`, and what an endpoint may subscribe to. */
export const EVENT_TYPES = [
  'checkout.completed',
  'refund.created',
  'dispute.created',
  'subscription.active',
  'subscription.trialing',
  'subscription.canceled',
  'subscription.scheduled_cancel',
  'subscription.paid',
  'subscription.expired',
  'subscription.unpaid',
  'subscription.update',
  'subscription.past_due',
  'subscription.paused',
  'customer_credits.exhausted',
  'credits.granted',
  'credits.consumed',
  'credits.auto_recharged',
] as const;
