import type { Process } from '../reactions/process.ts';
import type { KnownPayment } from '../domain/payments/payment.ts';
import type { PaymentRefusal } from '../domain/payments/commands.ts';
import type { Credits } from '../domain/money.ts';
import type { Metadata } from '../eventstore/journal/codec.ts';
import { isSimulatedPartner, type WebhookHeaders } from './partner.ts';
import type { PaymentsOptions } from './payments-options.ts';
import { createClosings } from './closings.ts';
import { createPaymentsProcess } from './payments-process.ts';
import { checkPaid, readPayment } from './record-reports.ts';
import { lookUpReturns } from './send-refund.ts';
import { sweep, type SweepReport } from './sweep.ts';
import { createUnpaidRounds, openTopUp } from './top-ups.ts';
import { receiveWebhook } from './webhooks.ts';

export type TopUpAsked = {
  readonly accountId: string;
  /** Without tax, in whole cents. The caller checks the smallest and the largest amount. */
  readonly amount: Credits;
  readonly metadata: Metadata;
  readonly mayRepeat: boolean;
};

export type TopUpOutcome =
  | { readonly kind: 'opened'; readonly paymentId: string; readonly url: string; readonly payment: KnownPayment }
  /** No payment partner is configured. */
  | { readonly kind: 'unavailable' }
  /** The account has as many unpaid payments as it may have. */
  | { readonly kind: 'too_many' }
  /** The partner gave no page. A repetition under the same id tries again. */
  | { readonly kind: 'partner_failed' }
  /** The command id belongs to another top-up. */
  | { readonly kind: 'refused'; readonly refusal: PaymentRefusal };

/** What the partner shows as returned of a payment, compared with the log. */
export type Returns = 'as_recorded' | 'more' | 'no_answer';

export type WebhookAnswer = {
  readonly status: 200 | 400 | 403 | 500;
  /** Shown on the page of deliveries at the partner. */
  readonly message: string;
};

/** What people and the partner do with payments. */
export type Payments = {
  /** The name that is recorded in payments, and whether no money moves; undefined without a partner. */
  readonly partner: { readonly name: string; readonly isSimulated: boolean } | undefined;
  openTopUp(asked: TopUpAsked): Promise<TopUpOutcome>;
  /** Undefined if there is no such payment. */
  find(paymentId: string): Promise<KnownPayment | undefined>;
  /** Asks the partner whether an open payment was paid, and records it. Returns the payment as it is then. */
  check(paymentId: string): Promise<KnownPayment | undefined>;
  /** Compares what the partner shows as returned of a payment with the log. Records nothing. */
  lookUpReturns(paymentId: string): Promise<Returns>;
  /** Answers with 200 only after what was reported is in the log, or is kept for the operator. */
  receiveWebhook(headers: WebhookHeaders, rawBody: Uint8Array): Promise<WebhookAnswer>;
  /** Compares the newest transactions of the partner with the log, and records what no webhook has reported. */
  sweep(progress?: (compared: number) => void): Promise<SweepReport>;
  /** Looks up unpaid payments when it is time. To be called every few seconds, on one node at a time. */
  lookUpUnpaid(): Promise<void>;
  readonly process: Process;
  /** What the holders of closed accounts are paid back. */
  readonly closings: Process;
};

/** The rules of payments. */
export const createPayments = (options: PaymentsOptions): Payments => {
  const { partner } = options;
  const check = async (paymentId: string): Promise<KnownPayment | undefined> => {
    await checkPaid(options, paymentId);
    return readPayment(options, paymentId);
  };
  return {
    partner: partner && { name: partner.name, isSimulated: isSimulatedPartner(partner.name) },
    openTopUp: (asked) => openTopUp(options, asked),
    find: (paymentId) => readPayment(options, paymentId),
    check,
    lookUpReturns: (paymentId) => lookUpReturns(options, paymentId),
    receiveWebhook: (headers, rawBody) => receiveWebhook(options, headers, rawBody),
    sweep: (progress) => sweep(options, progress),
    lookUpUnpaid: createUnpaidRounds(options, check),
    process: createPaymentsProcess(options),
    closings: createClosings(options),
  };
};
