import { z } from 'zod';
import { invariant } from '../../domain/decider.ts';
import { PartnerFailed, type CheckoutOrder, type NotFound, type PaymentPartner, type Refused } from '../partner.ts';
import { createCreemApi, type CreemApi } from './api.ts';
import {
  customerAnswer,
  fetchedCheckout,
  fetchedTransaction,
  newCheckout,
  paidReport,
  readOrder,
  refundAnswer,
  transactionList,
} from './shapes.ts';
import { createWebhookReader } from './webhook.ts';

type CreemOptions = {
  /** Of the environment that its prefix names: `creem_test_…` or `creem_…`. */
  readonly apiKey: string;
  readonly webhookSecret: string;
  /** The one-time product in USD that every top-up is an order of, at a price of its own. */
  readonly productId: string;
  /** By default that of Creem for the environment of the key. */
  readonly baseUrl?: string;
  /** The values of `mode` in the environment. By default those of the environment of the key. */
  readonly modes?: ReadonlySet<string>;
  readonly answerWithinMs?: number;
};

const ANSWER_WITHIN_MS = 20_000;
const PAGE_SIZE = 50;
/** Creem's bounds of a price, in cents. */
const PRICES = { least: 100n, most: 99_999_999n };

const TEST_KEY = /^creem_test_/;
/** The values of `mode` in Creem's SDK and in its documentation. */
const TEST_MODES: ReadonlySet<string> = new Set(['test', 'sandbox', 'local']);
const LIVE_MODES: ReadonlySet<string> = new Set(['prod']);

const notFound: NotFound = { kind: 'not_found' };
const refusedWith = (status: number): Refused => ({ kind: 'refused', reason: `Creem answered with ${status}` });

/** Creem (https://docs.creem.io), over its HTTP API. Throws if the key, the secret or the product is empty. */
export const createCreem = (options: CreemOptions): PaymentPartner => {
  const { apiKey, webhookSecret, productId, answerWithinMs = ANSWER_WITHIN_MS } = options;
  if (apiKey.trim() === '') throw new TypeError('The API key of Creem is empty.');
  if (productId.trim() === '') throw new TypeError('The product of Creem is empty.');
  const isTest = TEST_KEY.test(apiKey);
  const baseUrl = options.baseUrl ?? `https://${isTest ? 'test-api' : 'api'}.creem.io/v1`;
  const modes = options.modes ?? (isTest ? TEST_MODES : LIVE_MODES);
  const readWebhook = createWebhookReader({ secret: webhookSecret, modes });
  const api = createCreemApi({ baseUrl, apiKey, answerWithinMs });
  return {
    name: 'creem',
    readWebhook,
    checkout: async (order) => {
      const answer = await api.call(newCheckout, {
        ...{ method: 'POST', path: '/checkouts', body: await checkoutBody(api, productId, order) },
      });
      if (answer.kind === 'refused') return refusedWith(answer.status);
      return { kind: 'created', checkoutId: answer.value.id, url: answer.value.checkout_url };
    },
    refund: async (transactionId) => {
      const body = { transaction_id: transactionId };
      const answer = await api.call(refundAnswer, { method: 'POST', path: '/refunds', body });
      return answer.kind === 'refused' ? refusedWith(answer.status) : { kind: 'accepted', status: answer.value.status };
    },
    checkoutById: async (checkoutId) => {
      const query = { checkout_id: checkoutId };
      const answer = await api.call(fetchedCheckout, { method: 'GET', path: '/checkouts', query });
      return answer.kind === 'refused' ? notFoundOr(answer.status) : asCheckout(answer.value);
    },
    transactionById: async (transactionId) => {
      const query = { transaction_id: transactionId };
      const answer = await api.call(fetchedTransaction, { method: 'GET', path: '/transactions', query });
      return answer.kind === 'refused' ? notFoundOr(answer.status) : { kind: 'transaction', ...answer.value };
    },
    transactions: async (page) => {
      const query = { page_number: String(page), page_size: String(PAGE_SIZE), product_id: productId };
      const answer = await api.call(transactionList, { method: 'GET', path: '/transactions/search', query });
      if (answer.kind === 'refused') throw new PartnerFailed('unreadable', refusedWith(answer.status).reason);
      const { items, pagination } = answer.value;
      const read = items.map((item) => fetchedTransaction.safeParse(item));
      const transactions = read.flatMap(({ data }) => (data === undefined ? [] : [data]));
      const unreadable = items.length - transactions.length;
      return { transactions, unreadable, nextPage: pagination.next_page ?? null };
    },
    close: api.close,
  };
};

/** Creem answers with 400 or 404 if there is no such entity. Other refusals mean that our call is wrong. */
const notFoundOr = (status: number): NotFound => {
  if (status === 400 || status === 404) return notFound;
  throw new PartnerFailed('unreadable', refusedWith(status).reason);
};

const asCheckout = ({ id: checkoutId, status, request_id: paymentId, order }: z.output<typeof fetchedCheckout>) => {
  const fields = { kind: 'checkout', checkoutId, status, paymentId } as const;
  if (order === undefined || order === null) return { ...fields, paid: null };
  try {
    const read = readOrder(order);
    return { ...fields, paid: read.kind === 'paid' ? paidReport({ checkoutId, paymentId }, read.order) : null };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const wrong = error.issues.map(({ path }) => path.join('.')).join(', ');
    throw new PartnerFailed('unreadable', `the order of a checkout of Creem has missing or unknown fields: ${wrong}`);
  }
};

const checkoutBody = async (api: CreemApi, productId: string, order: CheckoutOrder) => {
  const { paymentId, amount, successUrl } = order;
  invariant(amount >= PRICES.least && amount <= PRICES.most, 'a checkout is within the prices that Creem accepts');
  return {
    ...{ product_id: productId, units: 1, custom_price: Number(amount), request_id: paymentId },
    ...{ success_url: successUrl, metadata: { payment_id: paymentId } },
    ...(order.customer === undefined ? {} : { customer: await customerOf(api, order.accountId, order.customer) }),
  };
};

/**
 * Creem's customer of the account. Its `external_id` is our account id, so that Creem's page of a customer leads to the
 * account. If Creem has a customer with this address, that one is used. If the account's customer has another address, only
 * the address is sent.
 */
const customerOf = async (api: CreemApi, accountId: string, { email, name }: { email: string; name: string }) => {
  const path = '/customers';
  const body = { email, name, external_id: accountId };
  const created = await api.call(customerAnswer, { method: 'POST', path, body });
  if (created.kind === 'ok') return { id: created.value.id };
  const found = await api.call(customerAnswer, { method: 'GET', path, query: { email } });
  return found.kind === 'ok' ? { id: found.value.id } : { email };
};
