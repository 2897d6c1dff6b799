import { createHash } from 'node:crypto';
import { Refusal, find, iso } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import type { Checkout } from '../store/state.ts';
import type { Customer, Metadata, Order, Product, Transaction } from '../store/wire.ts';
import { recordEvent } from '../webhooks/events.ts';
import type { Faults } from '../webhooks/faults.ts';
import { COUNTRIES, amountsOf } from './amounts.ts';
import type { Amounts, Country, DiscountCode } from './amounts.ts';
import { cardOf } from './cards.ts';
import { customerByEmail } from './customers.ts';
import { recordSale } from './payouts.ts';

type CheckoutRequest = {
  readonly product: Product;
  readonly requestId: string | undefined;
  readonly units: number;
  readonly customPrice: number | undefined;
  readonly discountCode: string | undefined;
  readonly customer: string | undefined;
  readonly email: string | undefined;
  readonly successUrl: string | undefined;
  readonly metadata: Metadata;
};

/** Creem does not promise idempotency by `request_id`, so each request opens another checkout. */
export const openCheckout = (shop: Shop, request: CheckoutRequest): Checkout => {
  const { product, customPrice, units, successUrl } = request;
  const at = shop.now();
  const checkout: Checkout = {
    id: shop.newId('ch'),
    requestId: request.requestId,
    product: product.id,
    units,
    customPrice,
    subTotal: (customPrice ?? product.price) * units,
    customer: request.customer,
    email: request.email,
    discountCode: request.discountCode,
    successUrl: successUrl ?? product.default_success_url ?? undefined,
    metadata: request.metadata,
    createdAt: at,
    expiresAt: at + shop.settings.checkoutLifetimeMs,
    order: undefined,
  };
  shop.change(() => shop.state.checkouts.push(checkout));
  return checkout;
};

export type CheckoutStatus = 'pending' | 'completed' | 'expired';

export const statusOf = (shop: Shop, checkout: Checkout): CheckoutStatus => {
  if (checkout.order !== undefined) return 'completed';
  return checkout.expiresAt <= shop.now() ? 'expired' : 'pending';
};

const entity = (shop: Shop, checkout: Checkout) => ({
  id: checkout.id,
  mode: shop.settings.mode,
  object: 'checkout',
  status: statusOf(shop, checkout),
  ...(checkout.requestId !== undefined && { request_id: checkout.requestId }),
});

/** The checkout as a part of a refund or a dispute. */
export const checkoutSummary = (shop: Shop, checkout: Checkout) => ({
  ...entity(shop, checkout),
  product: checkout.product,
  units: checkout.units,
  custom_fields: [],
  metadata: checkout.metadata,
});

/** As the API answers it. `product` is an id when a checkout is created, and the product itself when it is fetched. */
export const checkoutView = (shop: Shop, checkout: Checkout, product: string | Product) => {
  const { state } = shop;
  const order = state.orders.find(({ id }) => id === checkout.order);
  const customer = state.customers.find(({ id }) => id === (order?.customer ?? checkout.customer));
  return {
    ...entity(shop, checkout),
    product,
    units: checkout.units,
    ...(checkout.customPrice !== undefined && { custom_price: checkout.customPrice }),
    ...(order && { order }),
    ...(customer && { customer }),
    custom_fields: [],
    checkout_url: `${shop.publicUrl()}/checkout/${checkout.id}`,
    success_url: checkout.successUrl ?? null,
    metadata: checkout.metadata,
  };
};

const completedObject = (shop: Shop, checkout: Checkout, order: Order, customer: Customer) => ({
  ...entity(shop, checkout),
  order,
  product: find(shop.state.products, checkout.product, 'Product'),
  units: checkout.units,
  customer,
  custom_fields: [],
  metadata: checkout.metadata,
  ...(checkout.successUrl !== undefined && { success_url: checkout.successUrl }),
});

export const countryOf = (code: string): Country => {
  const found = COUNTRIES.find((country) => country.code === code);
  if (!found) throw new Refusal('unknown_country', 'Choose a country of the list.');
  return found;
};

/** The discount of a code as a customer types it. Refuses one that does not exist. */
export const discountOf = ({ settings }: Shop, typed: string): DiscountCode | undefined => {
  const code = typed.trim().toUpperCase();
  if (code === '') return undefined;
  const found = settings.discounts.find((one) => one.code === code);
  if (!found) throw new Refusal('unknown_discount', 'This discount code is not valid.');
  return found;
};

export type Payment = {
  /** A card number; the one that pays unless stated. */
  readonly card?: string;
  /** Of the list of countries; US (no tax) unless stated. */
  readonly country?: string;
  readonly discountCode?: string;
  /** That of the checkout unless stated. */
  readonly email?: string;
  readonly name?: string;
  /** What the order states instead of what the checkout asked for, before tax: for payments that must be quarantined. */
  readonly instead?: { readonly subTotal?: number; readonly currency?: string };
};

export type PaymentOutcome =
  | {
      readonly kind: 'paid';
      /** The customer's way back, signed; undefined if the checkout has no `success_url`. */
      readonly redirectUrl: string | undefined;
      readonly transaction: Transaction;
      readonly order: Order;
      readonly eventId: string;
    }
  | { readonly kind: 'declined'; readonly code: string; readonly message: string };

/** A hint for the page that the customer returns to; it proves nothing about money. */
export const redirectUrl = (shop: Shop, checkout: Checkout): string | undefined => {
  const order = shop.state.orders.find(({ id }) => id === checkout.order);
  if (checkout.successUrl === undefined || !order) return undefined;
  const params: readonly (readonly [string, string | undefined])[] = [
    ['checkout_id', checkout.id],
    ['order_id', order.id],
    ['customer_id', order.customer],
    ['product_id', checkout.product],
    ['request_id', checkout.requestId],
  ];
  const present = params.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, value] as const],
  );
  const signed = [...present, ['salt', shop.settings.apiKey] as const]
    .map(([name, value]) => `${name}=${value}`)
    .join('|');
  const url = new URL(checkout.successUrl);
  for (const [name, value] of present) url.searchParams.set(name, value);
  url.searchParams.set('signature', createHash('sha256').update(signed).digest('hex'));
  return url.href;
};

type Sale = {
  readonly checkout: Checkout;
  readonly product: Product;
  readonly customer: Customer;
  readonly amounts: Amounts;
  readonly currency: string;
  readonly country: Country;
  readonly discount: DiscountCode | undefined;
};

const writeSale = (shop: Shop, sale: Sale): { readonly order: Order; readonly transaction: Transaction } => {
  const { checkout, product, customer, amounts, currency } = sale;
  const { mode } = shop.settings;
  const [orderId, transactionId, at] = [shop.newId('ord'), shop.newId('tran'), shop.now()];
  const order: Order = {
    ...{ id: orderId, mode, object: 'order', customer: customer.id, product: product.id, transaction: transactionId },
    discount: sale.discount?.code ?? null,
    ...{ amount: amounts.amount, sub_total: amounts.subTotal, tax_amount: amounts.tax },
    ...{ discount_amount: amounts.discount, amount_due: amounts.total, amount_paid: amounts.total, currency },
    ...{ fx_amount: null, fx_currency: null, fx_rate: null, status: 'paid', type: 'onetime', affiliate: null },
    ...{ created_at: iso(at), updated_at: iso(at) },
  };
  const transaction: Transaction = {
    ...{ id: transactionId, mode, object: 'transaction', amount: amounts.amount, amount_paid: amounts.total },
    ...{ discount_amount: amounts.discount, currency, type: 'payment', tax_country: sale.country.code },
    ...{ tax_amount: amounts.tax, status: 'paid', refunded_amount: null, order: orderId, subscription: null },
    ...{ customer: customer.id, description: product.name, created_at: at },
  };
  shop.state.orders.push(order);
  shop.state.transactions.push(transaction);
  checkout.order = orderId;
  recordSale(shop, transaction, checkout.requestId);
  return { order, transaction };
};

/** What a customer does on the payment page. Refuses a checkout that cannot be paid any more. */
export const pay = (shop: Shop, faults: Faults, checkoutId: string, payment: Payment): PaymentOutcome => {
  const { state } = shop;
  const checkout = find(state.checkouts, checkoutId, 'Checkout');
  const status = statusOf(shop, checkout);
  if (status === 'completed') throw new Refusal('already_paid', 'This checkout has been paid.');
  if (status === 'expired') throw new Refusal('expired', 'This checkout has expired.');
  const product = find(state.products, checkout.product, 'Product');
  const country = countryOf(payment.country ?? 'US');
  const discount = discountOf(shop, payment.discountCode ?? '');
  const known = state.customers.find(({ id }) => id === checkout.customer);
  const email = (payment.email ?? checkout.email ?? known?.email ?? '').trim();
  if (!/^[^@\s]+@[^@\s]+$/.test(email)) throw new Refusal('invalid_email', 'Enter an e-mail address.');
  const { decline } = cardOf(payment.card ?? '4242424242424242');
  if (decline) return { kind: 'declined', ...decline };
  return shop.change(() => {
    const customer = customerByEmail(shop, email, payment.name);
    customer.country = country.code;
    customer.updated_at = iso(shop.now());
    const subTotal = payment.instead?.subTotal ?? checkout.subTotal;
    const amounts = amountsOf(subTotal, country, discount, product.tax_mode);
    const currency = payment.instead?.currency ?? product.currency;
    const { order, transaction } = writeSale(shop, {
      checkout,
      product,
      customer,
      amounts,
      currency,
      country,
      discount,
    });
    const event = recordEvent(shop, faults, 'checkout.completed', completedObject(shop, checkout, order, customer));
    return { kind: 'paid', redirectUrl: redirectUrl(shop, checkout), transaction, order, eventId: event.id };
  });
};

export const expire = (shop: Shop, checkoutId: string): void => {
  const checkout = find(shop.state.checkouts, checkoutId, 'Checkout');
  if (checkout.order !== undefined) throw new Refusal('already_paid', 'This checkout has been paid.');
  shop.change(() => (checkout.expiresAt = Math.min(checkout.expiresAt, shop.now())));
};
