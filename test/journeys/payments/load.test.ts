import { createCreemStandIn, type CreemStandIn } from '@kissapi/creem-stand-in';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { costBound, formatUsd, parseUsd, parseUsdPerMillion } from '../../../src/domain/money.ts';
import type { AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import { checkBooks, checkProjections, checkSettledBooks, isCharge } from '../../support/events/account-history.ts';
import { createHouse, type House } from '../../support/house.ts';
import { SOON } from '../../support/soon.ts';
import { chat, chatBody, errorOf, type Sent, type Wish } from '../../support/traffic.ts';

const SECRETS = { apiKey: 'creem_test_under_load', webhookSecret: 'whsec_under_load' };
const ASKED = 200;
/** Those before the refund is requested. What they hold and the refund fit into the credits together. */
const BEFORE = 50;

let standIn: CreemStandIn;
let house: House;
let accountId: string;
let apiKey: string;
let paymentId: string;

beforeAll(async () => {
  standIn = createCreemStandIn({ ...SECRETS, seed: 'load', now: Date.now });
  house = await createHouse({
    ...{ CREEM_API_KEY: SECRETS.apiKey, CREEM_WEBHOOK_SECRET: SECRETS.webhookSecret, TOP_UP_LEAST_USD: '1.00' },
    ...{ CREEM_PRODUCT_ID: standIn.productId, CREEM_API_URL: await standIn.listen() },
  });
  standIn.control.deliverTo(`${house.gateway.url}/webhooks/creem`);
  // Grants pay before payments: this one is used up by the first request.
  ({ accountId, apiKey } = await house.gateway.openAccount('0.000000001'));
  const path = `/accounts/${accountId}/top-ups`;
  ({ payment_id: paymentId } = await house.gateway.manage<{ payment_id: string }>('POST', path, {
    amount_usd: '4.00',
  }));
  standIn.control.pay(standIn.control.checkouts()[0]?.id ?? '', { country: 'FR' });
  await standIn.control.deliverDue();
  await vi.waitFor(async () => expect(await available()).toBe(nano('4.000000001')), SOON);
});
afterAll(async () => {
  await house.close();
  await standIn.close();
});

const figures = () => house.gateway.manage<AccountView>('GET', `/accounts/${accountId}`);
const nano = (usd: string): bigint => parseUsd(usd) ?? -1n;
const available = async (): Promise<bigint> => nano((await figures()).available_usd);

const rate = (usd: string): bigint => parseUsdPerMillion(usd) ?? 0n;
/** Of simulated-chat. */
const RATES = {
  ...{ input: rate('1.00'), cachedInput: rate('0.25'), cacheWrite: rate('1.25') },
  ...{ output: rate('4.00'), reasoning: rate('4.00') },
};
/**
 * A request that costs exactly what is held for it: as many tokens written to the cache, the dearest class of input, as its
 * body has bytes, and as much output as it allows.
 */
const dearest = (): { wish: Wish; bound: bigint } => {
  const outputTokens = 2000;
  const wishOf = (bytes: number): Wish => ({
    maxTokens: outputTokens,
    simulate: { promptTokens: bytes, cacheWriteTokens: bytes, outputTokens, firstByteMs: 2000 },
  });
  // Any number of three digits makes the body equally long.
  const bytes = Buffer.byteLength(JSON.stringify(chatBody(wishOf(999))));
  return { wish: wishOf(bytes), bound: costBound(bytes, outputTokens, RATES) };
};

/** 200 requests at once, and a request for a refund among them. Returns the id of the refund. */
const spendWhileRefunding = async (refund: string): Promise<string> => {
  const { gateway } = house;
  const { wish, bound } = dearest();
  const before = await available();
  const spendable = before - nano(refund);
  const affordable = Number(spendable / bound);
  expect(affordable).toBeGreaterThan(BEFORE);
  expect(affordable).toBeLessThan(ASKED);

  const send = (count: number): readonly Sent[] => Array.from({ length: count }, () => chat(gateway, apiKey, wish));
  const first = send(BEFORE);
  await expect.poll(async () => (await figures()).open_holds.length, SOON).toBeGreaterThan(0);
  const asked = gateway.manage<{ data: readonly { refund_id: string }[] }>('POST', `/accounts/${accountId}/refunds`, {
    ...{ payment_id: paymentId, amount_usd: refund, reason: 'not_needed' },
  });
  const { data } = await asked;
  const answers = await Promise.all([...first, ...send(ASKED - BEFORE)].map(({ answer }) => answer));

  const refused = answers.filter(({ status }) => status !== 200);
  expect(answers.length - refused.length, 'what is not held for the refund can be spent').toBe(affordable);
  for (const answer of refused) expect(answer.status, errorOf(answer).code).toBe(402);
  await expect.poll(async () => (await figures()).open_holds, SOON).toEqual([]);
  expect(await available(), 'what is held for the refund is not spent').toBe(spendable - bound * BigInt(affordable));
  const { books } = await checkBooks(gateway, accountId);
  expect(books.writtenOff).toBe(0n);
  return data[0]?.refund_id ?? '';
};

const answerRefund = (refundId: string, how: 'approve' | 'refuse') =>
  house.gateway.manage('POST', `/accounts/${accountId}/payments/${paymentId}/refunds/${refundId}/${how}`, {
    reason: 'load',
  });
const untilRequested = (refundId: string) =>
  expect
    .poll(async () => (await house.gateway.manage<{ data: readonly object[] }>('GET', '/refunds')).data, SOON)
    .toMatchObject([{ refund_id: refundId, status: 'requested' }]);

describe('a refund that is requested while 200 requests are served', () => {
  it('keeps its credits from being spent, and leaves the rest; if it is refused, they can be spent again', async () => {
    const refundId = await spendWhileRefunding('3.00');
    const rest = await available();
    await untilRequested(refundId);
    await answerRefund(refundId, 'refuse');
    await expect.poll(available, SOON).toBe(rest + nano('3.00'));
    const { wish, bound } = dearest();
    expect(await chat(house.gateway, apiKey, wish).answer).toMatchObject({ status: 200 });
    await expect.poll(available, SOON).toBe(rest + nano('3.00') - bound);
    await checkSettledBooks(house.gateway, accountId);
  });

  it('takes its credits once when it is made', async () => {
    const refundId = await spendWhileRefunding('2.00');
    const { balance_usd, available_usd } = await figures();
    expect(nano(balance_usd)).toBe(nano(available_usd) + nano('2.00'));
    await untilRequested(refundId);
    await answerRefund(refundId, 'approve');
    standIn.control.refund(standIn.control.transactions()[0]?.id ?? '', { amount: 240 });
    await standIn.control.deliverDue();
    await expect
      .poll(figures, SOON)
      .toMatchObject({ balance_usd: available_usd, available_usd, refunded_usd: '2.00', held_usd: '0.00' });
    const checked = await checkSettledBooks(house.gateway, accountId);
    const spent = nano('4.00') + 1n - nano('2.00') - nano(available_usd);
    expect(checked.events.filter(isCharge).reduce((sum, { charged }) => sum + charged, 0n)).toBe(spent);
    expect(formatUsd(checked.books.refunded)).toBe('2.00');
    await checkProjections(house.premises.databaseUrl, accountId, checked);
  });
});
