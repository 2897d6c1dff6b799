import { createCreemStandIn } from '@kissapi/creem-stand-in';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { paymentDecider } from '../../src/domain/payments/decide.ts';
import { paymentStream } from '../../src/domain/payments/payment.ts';
import type { PaymentsOptions } from '../../src/payments/payments-options.ts';
import { sweep } from '../../src/payments/sweep.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { derivedId } from '../../src/eventstore/ids.ts';
import { journal } from '../../src/eventstore/journal/codec.ts';
import { createInMemoryLog, createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import { customer } from '../domain/account/examples.ts';
import { happen } from '../eventstore/nodes.ts';
import { createNode } from './schedules/node.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const SECRETS = { apiKey: 'creem_test_1', webhookSecret: 'whsec_1' };

/** One gateway, the stand-in of the partner, and a customer. Webhooks are lost, unless they are delivered. */
const open = async () => {
  let ms = Date.UTC(2026, 0, 31, 12);
  const standIn = createCreemStandIn({ ...SECRETS, seed: 'the sweep', now: () => ms });
  const url = await standIn.listen(0);
  const { control } = standIn;
  const log = createInMemoryLog(() => new Date(++ms));
  const alerts: string[] = [];
  const partner = { ...SECRETS, productId: standIn.productId, baseUrl: `${url}/v1` };
  const node = createNode({ log, partner, now: () => new Date(ms), alarm: (alert) => void alerts.push(alert) });
  const store = createInMemoryStore(log);
  const committer = createCommitter({ store });
  const commands = createCommands({ store, committer, codec: journal, decider: paymentDecider });
  await happen(store, 'acc_1', ...customer);
  let topUps = 0;
  let executed = 0;
  const { payments } = node;
  return {
    ...{ control, payments, alerts, commands },
    wait: (forMs: number): void => void (ms += forMs),
    open: (n: number) =>
      payments.openTopUp({
        ...{ accountId: 'acc_1', amount: 25_000_000_000n, mayRepeat: true },
        metadata: { actor: 'test', commandId: `top-up-${n}` },
      }),
    topUp: async (): Promise<string> => {
      const metadata = { actor: 'test', commandId: `top-up-${++topUps}` };
      await payments.openTopUp({ accountId: 'acc_1', amount: 25_000_000_000n, metadata, mayRepeat: true });
      return derivedId('pay', metadata.commandId);
    },
    checkoutOf: async (paymentId: string): Promise<string> =>
      (await payments.find(paymentId))?.checkouts.at(-1)?.checkoutId ?? '',
    execute: (paymentId: string, command: Parameters<typeof commands.execute>[1]) =>
      commands.execute(paymentStream(paymentId), command, { actor: 'test', commandId: `test-${++executed}` }),
    deliver: async (): Promise<void> => {
      for (const { id } of control.events()) {
        const { headers, body } = control.signed(id);
        expect(await payments.receiveWebhook(headers, body)).toMatchObject({ status: 200 });
      }
    },
    close: async (): Promise<void> => {
      await node.close();
      await committer.close();
      await standIn.close();
    },
  };
};

let world: Awaited<ReturnType<typeof open>>;
beforeEach(async () => {
  world = await open();
});
afterEach(() => world.close());

describe('a transaction of which a part was returned before its release from quarantine', () => {
  it('loses this part once: neither a sweep nor a later report takes credits for it', async () => {
    const paymentId = await world.topUp();
    world.control.pay(await world.checkoutOf(paymentId), { country: 'US', instead: { subTotal: 10_000 } });
    const [transaction] = world.control.transactions();
    const transactionId = transaction?.id ?? '';
    world.control.refund(transactionId, { amount: 7500 });
    await world.deliver();
    const released = await world.execute(paymentId, {
      ...{ type: 'ReleaseQuarantine', transactionId, credited: 25_000_000_000n, reason: 'the excess went back' },
    });
    expect(released.kind).toBe('accepted');
    expect(await world.payments.sweep()).toMatchObject({ recorded: 0 });
    expect(await world.payments.find(paymentId)).toMatchObject({ refunds: [] });
  });
});

describe('a payment page about which the partner gives no usable answer', () => {
  const failing = (times: number): void =>
    world.control.faultApi({ method: 'GET', path: '/v1/checkouts', times, how: { kind: 'status', status: 500 } });
  const lookUp = (): Promise<unknown> => world.payments.lookUpUnpaid().catch((error: unknown) => error);

  it('does not stop the look-ups of other payments, and is looked up again after five minutes', async () => {
    const [broken, paid] = [await world.topUp(), await world.topUp()];
    for (const paymentId of [broken, paid]) {
      world.control.pay(await world.checkoutOf(paymentId), { country: 'US' });
    }
    world.wait(MINUTE_MS);
    failing(1);
    expect(await lookUp()).toMatchObject({ code: 'unavailable' });
    expect(await world.payments.find(paid)).toMatchObject({ status: 'completed' });
    await lookUp();
    expect(await world.payments.find(broken)).toMatchObject({ status: 'open' });
    world.wait(5 * MINUTE_MS);
    await lookUp();
    expect(await world.payments.find(broken)).toMatchObject({ status: 'completed' });
  });

  it('does not stop a sweep', async () => {
    const [broken, paid] = [await world.topUp(), await world.topUp()];
    world.control.pay(await world.checkoutOf(paid), { country: 'US' });
    failing(1);
    expect(await world.payments.sweep()).toMatchObject({ recorded: 1, unreadable: 1 });
    expect(await world.payments.find(broken)).toMatchObject({ status: 'open' });
  });

  it('expires after two days', async () => {
    const broken = await world.topUp();
    failing(10);
    world.wait(DAY_MS);
    await lookUp();
    expect(await world.payments.find(broken)).toMatchObject({ status: 'open' });
    world.wait(DAY_MS);
    await lookUp();
    expect(await world.payments.find(broken)).toMatchObject({ status: 'expired' });
  });
});

describe('a refund that was ordered from the partner', () => {
  it('shows as returned once it has succeeded, and not after it has failed without a report', async () => {
    const paymentId = await world.topUp();
    world.control.pay(await world.checkoutOf(paymentId), { country: 'US' });
    await world.deliver();
    const [transaction] = world.control.transactions();
    const refunds = [0, 1].map(() => world.control.refund(transaction?.id ?? '', { amount: 500, status: 'pending' }));
    world.control.settleRefund(refunds[0]?.id ?? '', 'failed');
    expect(await world.payments.lookUpReturns(paymentId)).toBe('as_recorded');
    world.control.settleRefund(refunds[1]?.id ?? '', 'succeeded');
    expect(await world.payments.lookUpReturns(paymentId)).toBe('more');
    await world.payments.sweep();
    expect(await world.payments.lookUpReturns(paymentId)).toBe('as_recorded');
  });
});

describe('a dispute that is reported while a sweep compares', () => {
  it.each([
    ['is not won because the page of transactions is older', 'charged_back', 'open'],
    ['is won if the transaction is paid now', 'paid', 'won'],
  ] as const)('%s', async (_, status, expected) => {
    const paymentId = await world.topUp();
    world.control.pay(await world.checkoutOf(paymentId), { country: 'US' });
    const { id: transactionId = '' } = world.control.transactions()[0] ?? {};
    world.control.dispute(transactionId);
    await world.deliver();
    const paid = { transactionId, orderId: null, paid: 2500n, tax: 0n, refunded: 0n, currency: 'USD', createdAt: 0 };
    await sweep({
      payments: world.commands,
      partner: {
        transactions: () =>
          Promise.resolve({ transactions: [{ ...paid, status: 'paid' }], unreadable: 0, nextPage: null }),
        transactionById: () => Promise.resolve({ kind: 'transaction', ...paid, status }),
      },
      paymentOf: () => Promise.resolve(paymentId),
      unpaid: () => Promise.resolve([]),
      expired: () => Promise.resolve([]),
      openDisputes: () => Promise.resolve([]),
      now: () => new Date(),
    } as unknown as PaymentsOptions);
    expect(await world.payments.find(paymentId)).toMatchObject({ disputes: [{ status: expected }] });
  });
});

describe('an account that opens payment pages without paying', () => {
  it('gets no more than thirty, the same ones again, and others once they expire', async () => {
    for (let n = 0; n < 30; n++) expect(await world.open(n)).toMatchObject({ kind: 'opened' });
    expect(await world.open(30)).toEqual({ kind: 'too_many' });
    expect(await world.open(29)).toMatchObject({ kind: 'opened' });
    world.wait(DAY_MS);
    await world.payments.lookUpUnpaid();
    expect(await world.open(30)).toMatchObject({ kind: 'opened' });
  });
});

describe('an expired payment', () => {
  it('is credited by the sweep if its page was paid late and the webhook was lost', async () => {
    const paymentId = await world.topUp();
    const checkoutId = await world.checkoutOf(paymentId);
    await world.execute(paymentId, { type: 'ExpirePayment', reason: 'not paid in time' });
    world.control.pay(checkoutId, { country: 'US' });
    expect(await world.payments.sweep()).toMatchObject({ recorded: 1, unmatched: 0 });
    expect(await world.payments.find(paymentId)).toMatchObject({ status: 'completed' });
  });
});
