import type { PartnerRefundStatus } from '../domain/payments/commands.ts';
import type { MinorUnits } from '../domain/payments/events.ts';

/**
 * A payment partner: the merchant of record, from which customers buy. It owns the payment page, the tax and the refunds;
 * we order by its API and it reports by webhooks, which may be late, repeated, lost or out of order.
 */
export type PaymentPartner = {
  /** As it is recorded in payments. */
  readonly name: string;
  /** Opens a payment page. Each call opens another one, all of which can be paid. */
  checkout(order: CheckoutOrder): Promise<CheckoutAnswer>;
  /** `rawBody` are the bytes as they arrived: the signature is over them. */
  readWebhook(headers: WebhookHeaders, rawBody: Uint8Array): WebhookReading;
  /** Refunds the whole transaction. The caller fetches it before, because no call can be made safely twice. */
  refund(transactionId: string): Promise<RefundAnswer>;
  checkoutById(checkoutId: string): Promise<FoundCheckout | NotFound>;
  transactionById(transactionId: string): Promise<FoundTransaction | NotFound>;
  /** The newest first. The first page is 1. */
  transactions(page: number): Promise<TransactionPage>;
  close(): Promise<void>;
};

/** Personal data is for the partner alone: it is neither logged nor recorded. */
export type CheckoutOrder = {
  readonly paymentId: string;
  readonly accountId: string;
  /** Without tax. */
  readonly amount: MinorUnits;
  /** Fills in the payment page; the customer may change it there. */
  readonly customer: { readonly email: string; readonly name: string } | undefined;
  /** The page to which the customer returns. */
  readonly successUrl: string;
};

type CheckoutAnswer = { readonly kind: 'created'; readonly checkoutId: string; readonly url: string } | Refused;

/** `accepted`: the refund is made or under way; a webhook reports its id. */
type RefundAnswer = { readonly kind: 'accepted'; readonly status: PartnerRefundStatus } | Refused;

/** The partner refused this order, now and if it is repeated. */
export type Refused = { readonly kind: 'refused'; readonly reason: string };

export type NotFound = { readonly kind: 'not_found' };

type FoundCheckout = {
  readonly kind: 'checkout';
  readonly checkoutId: string;
  readonly status: CheckoutStatus;
  /** Null until it is paid. */
  readonly paid: PaidReport | null;
  /** Our id of the payment; null if the checkout is not one of ours. */
  readonly paymentId: string | null;
};

export const checkoutStatuses = ['pending', 'processing', 'completed', 'expired'] as const;
export type CheckoutStatus = (typeof checkoutStatuses)[number];

type FoundTransaction = { readonly kind: 'transaction' } & PartnerTransaction;

export type PartnerTransaction = {
  readonly transactionId: string;
  readonly orderId: string | null;
  /** With tax. */
  readonly paid: MinorUnits;
  readonly tax: MinorUnits;
  /** With tax: by refunds and chargebacks. */
  readonly refunded: MinorUnits;
  /** ISO 4217, in capital letters. */
  readonly currency: string;
  /** `unpaid`: no money was received, or no longer counts as received, for another reason than a refund or a chargeback. */
  readonly status: 'paid' | 'refunded' | 'partly_refunded' | 'charged_back' | 'unpaid';
  /** In ms since the epoch. */
  readonly createdAt: number;
};

type TransactionPage = {
  readonly transactions: readonly PartnerTransaction[];
  /** How many on this page could not be read. */
  readonly unreadable: number;
  readonly nextPage: number | null;
};

export type WebhookHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export type WebhookReading =
  /** Not from the partner, or altered on the way. `check` is the one that failed. */
  | { readonly kind: 'bad_signature'; readonly check: SignatureCheck }
  /** Signed, but of another environment, such as a test payment in production. */
  | ({ readonly kind: 'wrong_mode'; readonly mode: string } & EventName)
  /** `needed`: the partner must send it again. `fields` are the names of the fields that are missing or wrong. */
  | {
      readonly kind: 'unreadable';
      readonly needed: boolean;
      readonly fields: readonly string[];
      readonly eventId: string | null;
      readonly eventType: string | null;
    }
  /** Nothing that we need. */
  | ({ readonly kind: 'ignored' } & EventName)
  | ({ readonly kind: 'facts'; readonly facts: readonly PartnerReport[] } & EventName);

/** In the order in which they are made. */
export type SignatureCheck = 'header_missing' | 'wrong_length' | 'no_match';

type EventName = { readonly eventId: string | null; readonly eventType: string };

/** `paymentId` is our id of the payment; null if the report does not contain it. `transactionId` and `checkoutId` lead to it. */
export type PartnerReport = PaidReport | RefundReport | DisputeReport;

export type PaidReport = {
  readonly kind: 'paid';
  readonly paymentId: string | null;
  readonly transactionId: string;
  readonly orderId: string;
  readonly checkoutId: string | null;
  readonly paid: MinorUnits;
  readonly tax: MinorUnits;
  readonly currency: string;
};

type RefundReport = {
  readonly kind: 'refund';
  readonly paymentId: string | null;
  readonly checkoutId: string | null;
  readonly transactionId: string;
  /** The partner's id of the refund. */
  readonly reference: string;
  readonly gross: MinorUnits;
  readonly currency: string;
  readonly status: PartnerRefundStatus;
};

type DisputeReport = {
  readonly kind: 'dispute';
  readonly paymentId: string | null;
  readonly checkoutId: string | null;
  readonly transactionId: string;
  readonly disputeId: string;
  readonly gross: MinorUnits;
  readonly currency: string;
};

/** What failed. After `timeout` and `broke_off` an order may have been carried out. */
type PartnerFault = 'unreachable' | 'timeout' | 'broke_off' | 'unavailable' | 'rejects_us' | 'unreadable';

/**
 * Fault: the partner gave no usable answer. The message has neither bodies nor personal data. `cause` is left out, because
 * its text may contain both.
 */
export class PartnerFailed extends Error {
  override readonly name = 'PartnerFailed';
  readonly code: PartnerFault;

  constructor(code: PartnerFault, message: string) {
    super(message);
    this.code = code;
  }
}

/** The faults that may concern one payment alone. After the others, the next call would fail as well. */
const OF_ONE: ReadonlySet<PartnerFault> = new Set(['unavailable', 'unreadable']);

/** Does the work for one of many payments. Returns the fault if only this one may be concerned, so that the others follow. */
export const eachAlone = async (work: () => Promise<unknown>): Promise<PartnerFailed | undefined> => {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof PartnerFailed && OF_ONE.has(error.code)) return error;
    throw error;
  }
};

/** Names of partners with which no money moves: the stand-in, and Creem with a test key. */
const SIMULATED: ReadonlySet<string> = new Set(['simulated', 'creem-test']);

/** Whether the partner that is recorded in a payment moved no money. */
export const isSimulatedPartner = (name: string): boolean => SIMULATED.has(name);
