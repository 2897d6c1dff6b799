import { createCreemStandIn } from '@kissapi/creem-stand-in';
import { expect } from 'vitest';
import { forward } from '../../support/clock.ts';
import { call } from '../../support/customers/person.ts';
import { ADMIN_TOKEN, type RunningGateway } from '../../support/gateway.ts';
import { nanoUsd } from '../../support/money.ts';
import { SOON } from '../../support/soon.ts';
import type { CustomerPayments, Payments } from './target.ts';

const SECRETS = { apiKey: 'creem_test_of_the_regressions', webhookSecret: 'whsec_of_the_regressions' };

/** The stand-in of the payment partner, and the settings of gateways that are connected to it. */
export const openOurPartner = async () => {
  const standIn = createCreemStandIn({ ...SECRETS, seed: 'regressions', now: Date.now });
  const env: Readonly<Record<string, string>> = {
    ...{ CREEM_API_KEY: SECRETS.apiKey, CREEM_WEBHOOK_SECRET: SECRETS.webhookSecret, TOP_UP_LEAST_USD: '1.00' },
    ...{ CREEM_PRODUCT_ID: standIn.productId, CREEM_API_URL: await standIn.listen() },
  };
  return { standIn, env };
};

type Gateway = (node?: number) => RunningGateway;
type Parts = {
  readonly partner: Awaited<ReturnType<typeof openOurPartner>>;
  readonly databaseUrl: string;
  readonly gateway: Gateway;
  readonly gateways: () => readonly RunningGateway[];
  readonly start: (env: Readonly<Record<string, string>>) => Promise<RunningGateway>;
};

const webhookOf = ({ url }: RunningGateway): string => `${url}/webhooks/creem`;

export const ourPayments = ({ partner, databaseUrl, gateway, gateways, start }: Parts): Payments => {
  const { control } = partner.standIn;
  return {
    partner: control,
    deliver: async (eventId, { node = 0, fault } = {}) => {
      const outcome = await control.resend(eventId, { url: webhookOf(gateway(node)), ...(fault ? { fault } : {}) });
      if (outcome.kind !== 'answered') throw new Error(`${eventId} was not answered: ${outcome.reason}`);
      return outcome.status;
    },
    post: async (body, signature) => {
      const headers = { 'content-type': 'application/json', 'creem-signature': signature };
      return (await fetch(webhookOf(gateway()), { method: 'POST', headers, body })).status;
    },
    pass: async (ms) => void (await forward(databaseUrl, ms, gateways())),
    startsNot: async (webhookSecret) => {
      const outcome = await start({ CREEM_WEBHOOK_SECRET: webhookSecret }).catch((error: Error) => error);
      if (outcome instanceof Error) return outcome.message;
      await outcome.process.stop('SIGKILL');
      throw new Error('The gateway runs.');
    },
  };
};

export const paymentsOf = (gateway: Gateway, accountId: string): CustomerPayments => {
  const ask = (node: number, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    call(gateway(node).url, method, `/accounts/${accountId}${path}`, {
      ...{ token: ADMIN_TOKEN, headers },
      ...(body === undefined ? {} : { body }),
    });
  let topUps = 0;
  return {
    topUp: async (amount_usd) => {
      const headers = { 'idempotency-key': `top-up ${++topUps}` };
      const open = async () => ask(0, 'POST', '/top-ups', { amount_usd }, headers);
      let opened = await open();
      while (opened.status >= 500) opened = await open();
      const { json } = opened;
      const [paymentId, url] = [String(json['payment_id']), String(json['checkout_url'])];
      return { paymentId, checkoutId: url.split('/').at(-1) ?? '' };
    },
    returns: async (paymentId) => (await fetch(`${gateway().url}/top-ups/${paymentId}`)).status,
    release: async (paymentId, transactionId, credited_usd, node) => {
      const path = `/payments/${paymentId}/transactions/${transactionId}/release`;
      return (await ask(node, 'POST', path, { credited_usd, reason: 'regression' })).status;
    },
    askRefund: async (payment_id) => {
      const { json } = await ask(0, 'POST', '/refunds', { payment_id, reason: 'not_needed' });
      const refundId = (json['data'] as readonly { refund_id: string }[])[0]?.refund_id ?? '';
      const requests = async () => (await ask(0, 'GET', `/payments/${payment_id}`)).json['refunds'];
      await expect.poll(requests, SOON).toContainEqual(expect.objectContaining({ refund_id: refundId }));
      return refundId;
    },
    approve: async (paymentId, refundId, node) =>
      (await ask(node, 'POST', `/payments/${paymentId}/refunds/${refundId}/approve`, { reason: 'regression' })).status,
    figures: async (node = 0) => {
      const { json } = await ask(node, 'GET', '');
      const amount = (name: string): bigint => nanoUsd(String(json[`${name}_usd`]));
      return {
        ...{ balance: amount('balance'), toppedUp: amount('topped_up'), charged: amount('charged') },
        ...{ refunded: amount('refunded'), debt: amount('debt') },
      };
    },
  };
};
