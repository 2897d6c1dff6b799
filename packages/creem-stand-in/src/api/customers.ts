import { Router } from 'express';
import { z } from 'zod';
import { Refusal, find } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import { createCustomer } from '../shop/customers.ts';
import { email, metadata, pageOf, paging, read, text } from './fields.ts';

const CustomerBody = z.strictObject({
  email,
  name: text,
  external_id: text.optional(),
  metadata: metadata.optional(),
});

export const customerRoutes = (shop: Shop): Router => {
  const { customers } = shop.state;
  return Router()
    .post('/', (request, response) => {
      const { external_id: externalId, ...body } = read(CustomerBody, request.body);
      response.json(createCustomer(shop, { ...body, externalId }));
    })
    .get('/', (request, response) => {
      const query = read(z.strictObject({ customer_id: text.optional(), email: email.optional() }), request.query);
      if (query.customer_id === undefined && query.email === undefined) {
        throw new Refusal('no_customer', "The 'customer_id' or 'email' field is required.");
      }
      const byEmail = customers.find((one) => one.email === query.email)?.id;
      response.json(find(customers, query.customer_id ?? byEmail, 'Customer'));
    })
    .get('/list', (request, response) => {
      const query = read(z.strictObject(paging), request.query);
      response.json(pageOf(customers.toReversed(), query));
    })
    .post('/billing', (request, response) => {
      const { customer_id: id } = read(z.strictObject({ customer_id: text }), request.body);
      const customer = find(customers, id, 'Customer');
      // There is no portal here; a link is part of the answer's shape.
      response.json({ customer_portal_link: `${shop.publicUrl()}/my-orders/${customer.id}` });
    });
};
