import { z } from 'zod';
import { partnerRefundStatuses } from '../../domain/payments/commands.ts';
import { checkoutStatuses, type PaidReport, type PartnerTransaction } from '../partner.ts';

// Only the fields that are used. Creem's documentation and its SDK disagree about many of the others.

/** The ids of Creem have a prefix and letters or digits. Ids go into the log, addresses and mails. */
const id = z.string().regex(/^[\w-]{1,128}$/);
const minorUnits = z.int().nonnegative().transform(BigInt);
const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/)
  .transform((code) => code.toUpperCase());
const mode = z.string().optional().catch(undefined);

/** An entity, or its id alone. */
const idOf = z.union([id, z.object({ id }).transform((entity) => entity.id)]);

const OUR_ID = /^[\w-]{1,64}$/;
/** Our id of a payment. A checkout that was not opened by us has none, or one of another form. */
const paymentId = z
  .string()
  .regex(OUR_ID)
  .nullish()
  .catch(null)
  .transform((text) => text ?? null);

const paidOrder = z.object({
  order: z.object({ id, transaction: idOf, amount_paid: minorUnits, tax_amount: minorUnits, currency }),
});
type PaidOrder = z.output<typeof paidOrder>['order'];

/** An order of a subscription, or one without a payment, is not ours. A missing type is that of all orders that we make. */
const anyOrder = z.object({
  order: z.object({ status: z.string(), type: z.string().default('onetime'), amount_paid: z.unknown().optional() }),
});

type Order = { readonly kind: 'not_paid' } | { readonly kind: 'paid'; readonly order: PaidOrder };

/** Throws a ZodError if the order is paid and cannot be read. */
export const readOrder = (order: unknown): Order => {
  const { status, type, amount_paid: paid } = anyOrder.parse({ order }).order;
  if (status !== 'paid' || type !== 'onetime' || paid === 0) return { kind: 'not_paid' };
  return { kind: 'paid', ...paidOrder.parse({ order }) };
};

/** What every event has. */
export const envelope = z.object({
  id: id.nullish().catch(null),
  eventType: z.string().min(1),
  object: z.unknown().optional(),
});

const modal = z.object({ mode }).optional().catch(undefined);
/** Where an event may state its mode. Documented refunds have it only in their parts. */
export const modes = z
  .object({ mode, transaction: modal, order: modal, checkout: modal, product: modal, customer: modal })
  .transform(({ mode: own, ...parts }) =>
    [own, ...Object.values(parts).map((part) => part?.mode)].filter((one) => one !== undefined),
  )
  .catch([]);

export const completedCheckout = z.object({ id, request_id: paymentId, order: z.unknown().optional() });

const ofCheckout = z
  .union([
    z.object({ id, request_id: paymentId }).transform((one) => ({ checkoutId: one.id, paymentId: one.request_id })),
    id.transform((checkoutId) => ({ checkoutId, paymentId: null })),
  ])
  .nullish()
  .catch(null)
  .transform((one) => one ?? { checkoutId: null, paymentId: null });

export const createdRefund = z.object({
  id,
  status: z.enum(partnerRefundStatuses),
  refund_amount: minorUnits,
  refund_currency: currency,
  transaction: idOf,
  checkout: ofCheckout,
});

export const createdDispute = z.object({ id, amount: minorUnits, currency, transaction: idOf, checkout: ofCheckout });

export const paidReport = (
  checkout: { readonly checkoutId: string; readonly paymentId: string | null },
  order: PaidOrder,
): PaidReport => ({
  kind: 'paid',
  ...checkout,
  ...{ orderId: order.id, transactionId: order.transaction },
  ...{ paid: order.amount_paid, tax: order.tax_amount, currency: order.currency },
});

/** The answers of the API. */
export const newCheckout = z.object({ id, checkout_url: z.url({ protocol: /^https?$/ }) });
export const fetchedCheckout = z.object({
  id,
  status: z.enum(checkoutStatuses),
  request_id: paymentId,
  order: z.unknown().optional(),
});
export const refundAnswer = z.object({ status: z.enum(partnerRefundStatuses) });
export const customerAnswer = z.object({ id });

const STATUSES: Readonly<Record<string, PartnerTransaction['status']>> = {
  paid: 'paid',
  refunded: 'refunded',
  partialRefund: 'partly_refunded',
  chargedBack: 'charged_back',
  // As the documentation writes it.
  chargeback: 'charged_back',
  ...{ pending: 'unpaid', uncollectible: 'unpaid', declined: 'unpaid', canceled: 'unpaid', void: 'unpaid' },
};

const amountOrNone = minorUnits.nullish().transform((amount) => amount ?? 0n);

export const fetchedTransaction = z
  .object({
    id,
    order: idOf.nullish().transform((order) => order ?? null),
    amount_paid: amountOrNone,
    tax_amount: amountOrNone,
    refunded_amount: amountOrNone,
    currency,
    status: z.string().transform((status, context) => {
      const known = Object.hasOwn(STATUSES, status) ? STATUSES[status] : undefined;
      if (known !== undefined) return known;
      context.addIssue({ code: 'custom', message: 'is an unknown status' });
      return z.NEVER;
    }),
    created_at: z.union([z.int().nonnegative(), z.iso.datetime().transform((text) => Date.parse(text))]),
  })
  .transform((one): PartnerTransaction => ({
    ...{ transactionId: one.id, orderId: one.order, paid: one.amount_paid, tax: one.tax_amount },
    ...{ refunded: one.refunded_amount, currency: one.currency, status: one.status, createdAt: one.created_at },
  }));

export const transactionList = z.object({
  items: z.array(z.unknown()),
  pagination: z.object({ next_page: z.int().positive().nullish() }),
});
