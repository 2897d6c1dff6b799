import { Router } from 'express';
import { z } from 'zod';
import { find, iso } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import type { Product } from '../store/wire.ts';
import { httpUrl, pageOf, paging, read, text } from './fields.ts';

const ProductBody = z.strictObject({
  name: text,
  description: text,
  price: z.int().min(0).max(99_999_999),
  currency: z.enum(['USD', 'EUR']),
  billing_type: z.enum(['onetime', 'recurring']),
  billing_period: z
    .enum(['once', 'every-day', 'every-month', 'every-three-months', 'every-six-months', 'every-year'])
    .optional(),
  tax_mode: z.enum(['inclusive', 'exclusive']).default('exclusive'),
  tax_category: z.enum(['saas', 'digital-goods-service', 'ebooks']).default('saas'),
  default_success_url: httpUrl.optional(),
  image_url: httpUrl.optional(),
  pay_what_you_want: z.boolean().optional(),
  abandoned_cart_recovery_enabled: z.boolean().optional(),
  suggested_price: z.int().min(0).optional(),
});

type NewProduct = z.input<typeof ProductBody>;

/** Fields without an effect on one-time payments (pictures, suggested prices) are accepted and dropped. */
export const createProduct = (shop: Shop, body: NewProduct): Product => {
  const fields = read(ProductBody, body);
  const at = iso(shop.now());
  return shop.change(() => {
    const product: Product = {
      ...{ id: shop.newId('prod'), mode: shop.settings.mode, object: 'product', name: fields.name },
      ...{ description: fields.description, features: [], price: fields.price, currency: fields.currency },
      billing_type: fields.billing_type,
      billing_period: fields.billing_type === 'onetime' ? 'once' : (fields.billing_period ?? 'every-month'),
      ...{ status: 'active', tax_mode: fields.tax_mode, tax_category: fields.tax_category },
      ...{ default_success_url: fields.default_success_url ?? null, created_at: at, updated_at: at },
    };
    shop.state.products.push(product);
    return product;
  });
};

export const productRoutes = (shop: Shop): Router => {
  const { products } = shop.state;
  return Router()
    .post('/', (request, response) => void response.json(createProduct(shop, request.body as NewProduct)))
    .get('/search', (request, response) => {
      const query = read(
        z.strictObject({ ...paging, status: z.enum(['active', 'archived']).optional() }),
        request.query,
      );
      const found = products.filter(({ status }) => status === (query.status ?? status));
      response.json(pageOf(found.toReversed(), query));
    })
    .get('/', (request, response) => {
      const { product_id: id } = read(z.strictObject({ product_id: text }), request.query);
      response.json(find(products, id, 'Product'));
    })
    .get('/:id', (request, response) => void response.json(find(products, request.params.id, 'Product')));
};
