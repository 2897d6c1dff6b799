import { Router } from 'express';
import { z } from 'zod';
import { Refusal, find } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import { checkoutView, discountOf, openCheckout } from '../shop/checkouts.ts';
import { refundInFull } from '../shop/transactions.ts';
import type { Faults } from '../webhooks/faults.ts';
import { email, httpUrl, metadata, pageOf, paging, read, text } from './fields.ts';

const CheckoutBody = z.strictObject({
  product_id: text,
  request_id: text.optional(),
  units: z.int().min(1).max(10_000).default(1),
  /** Per unit, in cents. */
  custom_price: z.int().min(100).max(99_999_999).optional(),
  discount_code: text.optional(),
  customer: z.strictObject({ id: text.optional(), email: email.optional(), name: text.optional() }).optional(),
  success_url: httpUrl.optional(),
  metadata: metadata.default({}),
  custom_fields: z.array(z.unknown()).max(3).optional(),
});

export const checkoutRoutes = (shop: Shop): Router => {
  const { state } = shop;
  return Router()
    .post('/', (request, response) => {
      const body = read(CheckoutBody, request.body);
      const product = find(state.products, body.product_id, 'Product');
      if (product.billing_type !== 'onetime') {
        throw new Refusal('not_onetime', 'Only products with one-time payments can be bought here');
      }
      if (body.discount_code !== undefined) discountOf(shop, body.discount_code);
      if (body.customer?.id !== undefined) find(state.customers, body.customer.id, 'Customer');
      const checkout = openCheckout(shop, {
        product,
        requestId: body.request_id,
        units: body.units,
        customPrice: body.custom_price,
        discountCode: body.discount_code,
        customer: body.customer?.id,
        email: body.customer?.email,
        successUrl: body.success_url,
        metadata: body.metadata,
      });
      response.json(checkoutView(shop, checkout, product.id));
    })
    .get('/', (request, response) => {
      const { checkout_id: id } = read(z.strictObject({ checkout_id: text }), request.query);
      const checkout = find(state.checkouts, id, 'Checkout');
      response.json(checkoutView(shop, checkout, find(state.products, checkout.product, 'Product')));
    });
};

const TransactionQuery = z.strictObject({
  ...paging,
  customer_id: text.optional(),
  order_id: text.optional(),
  product_id: text.optional(),
});

/** There is no filter by date: a client that looks for new transactions pages back from the newest. */
export const transactionRoutes = (shop: Shop): Router => {
  const { state } = shop;
  return Router()
    .get('/search', (request, response) => {
      const query = read(TransactionQuery, request.query);
      const found = state.transactions.filter(({ customer, order }) => {
        const product = state.orders.find(({ id }) => id === order)?.product;
        return (
          customer === (query.customer_id ?? customer) &&
          order === (query.order_id ?? order) &&
          product === (query.product_id ?? product)
        );
      });
      response.json(pageOf(found.toReversed(), query));
    })
    .get('/', (request, response) => {
      const { transaction_id: id } = read(z.strictObject({ transaction_id: text }), request.query);
      response.json(find(state.transactions, id, 'Transaction'));
    });
};

export const refundRoutes = (shop: Shop, faults: Faults): Router =>
  Router().post('/', (request, response) => {
    const { transaction_id: id } = read(z.strictObject({ transaction_id: text }), request.body);
    response.json({ status: refundInFull(shop, faults, id).status });
  });
