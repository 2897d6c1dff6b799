import { createCreem } from '../../../src/payments/creem/creem.ts';
import type { PartnerFixture } from '../partner-contract.ts';
import { SECRET } from './events.ts';

const BASE_URL = 'https://test-api.creem.io/v1';
const PRODUCT = 'KissAPI contract tests';

/** A key of Creem's test environment, in which no money moves; undefined without one. */
export const testKey = (): string | undefined => {
  const key = process.env['CREEM_API_KEY_FOR_TESTS'] ?? '';
  return key.startsWith('creem_test_') ? key : undefined;
};

type Product = { readonly id: string; readonly name: string; readonly status: string };

const call = async (apiKey: string, path: string, body?: object): Promise<unknown> => {
  const response = await fetch(BASE_URL + path, {
    method: body ? 'POST' : 'GET',
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(`Creem's test API answered ${path} with ${response.status}`);
  return response.json();
};

/** Finds the product of an earlier run, or creates it. */
const productOf = async (apiKey: string): Promise<string> => {
  const { items } = (await call(apiKey, '/products/search?page_size=100')) as { readonly items: readonly Product[] };
  const found = items.find(({ name, status }) => name === PRODUCT && status === 'active');
  if (found) return found.id;
  const created = await call(apiKey, '/products', {
    ...{ name: PRODUCT, description: 'Prepaid credits. Only for automatic tests.', price: 100, currency: 'USD' },
    ...{ billing_type: 'onetime', tax_mode: 'exclusive', tax_category: 'saas' },
  });
  return (created as Product).id;
};

/** Creem's test API. Only people can pay there, with a test card on its page. */
export const openTestApi = async (apiKey: string): Promise<PartnerFixture> => {
  const productId = await productOf(apiKey);
  const connect = (key: string) => createCreem({ apiKey: key, webhookSecret: SECRET, productId });
  return {
    partner: connect(apiKey),
    withWrongKey: connect('creem_test_that_does_not_exist'),
    acts: undefined,
    close: () => Promise.resolve(),
  };
};
