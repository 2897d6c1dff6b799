import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { costBound, formatUsd, parseUsd, parseUsdPerMillion } from '../../../src/domain/money.ts';
import { checkProjections, checkSettledBooks, isCharge } from '../../support/events/account-history.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { sum } from '../../support/money.ts';
import { SOON } from '../../support/soon.ts';
import { chat, chatBody, costUsdOf, errorOf, type Answer, type Wish } from '../../support/traffic.ts';

const rate = (usd: string): bigint => parseUsdPerMillion(usd) ?? 0n;
/** Of simulated-chat. */
const RATES = {
  input: rate('1.00'),
  cachedInput: rate('0.25'),
  cacheWrite: rate('1.25'),
  output: rate('4.00'),
  reasoning: rate('4.00'),
};

const ASKED = 200;
const AFFORDABLE = 20;

/**
 * A request that costs exactly what is held for it: as many tokens written to the cache, the dearest class of input, as
 * its body has bytes, and as much output as it allows. It answers late, so that none ends before all have been asked.
 */
const dearest = (): { wish: Wish; bound: bigint } => {
  const outputTokens = 100;
  const wishOf = (bytes: number): Wish => ({
    maxTokens: outputTokens,
    simulate: { promptTokens: bytes, cacheWriteTokens: bytes, outputTokens, firstByteMs: 3000 },
  });
  // Any number of three digits makes the body equally long.
  const bytes = Buffer.byteLength(JSON.stringify(chatBody(wishOf(999))));
  expect(bytes).toBeGreaterThan(99);
  return { wish: wishOf(bytes), bound: costBound(bytes, outputTokens, RATES) };
};

const expectHeld = (answer: Answer): void => {
  expect(answer.status).toBe(402);
  expect(errorOf(answer)).toMatchObject({ code: 'credits_held_by_concurrent_requests', type: 'insufficient_quota' });
  expect(answer.headers.get('x-should-retry')).toBe('true');
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
};

describe('many requests at once', () => {
  let premises: Premises;
  let nodes: readonly [RunningGateway, RunningGateway];
  beforeAll(async () => {
    // They start together and both create the tables.
    premises = await createPremises({ empty: true });
    nodes = await Promise.all([premises.startGateway(), premises.startGateway()]);
  });
  afterAll(() => premises.close());

  const exhaust = async (gateways: readonly RunningGateway[]): Promise<void> => {
    const [node] = nodes;
    const { wish, bound } = dearest();
    const credit = bound * BigInt(AFFORDABLE);
    const { accountId, apiKey } = await node.openAccount(formatUsd(credit));

    const sent = Array.from({ length: ASKED }, (_, n) => chat(gateways[n % gateways.length] ?? node, apiKey, wish));
    const answers = await Promise.all(sent.map(({ answer }) => answer));
    const [served, refused] = [
      answers.filter(({ status }) => status === 200),
      answers.filter(({ status }) => status !== 200),
    ];
    expect(served).toHaveLength(AFFORDABLE);
    for (const answer of served) expect(costUsdOf(answer)).toBe(formatUsd(bound));
    refused.forEach(expectHeld);

    const checked = await checkSettledBooks(node, accountId);
    const charges = checked.events.filter(isCharge);
    expect(charges).toHaveLength(AFFORDABLE);
    expect(sum(charges.map(({ charged }) => charged))).toBe(credit);
    expect(checked.account.wallet.balance).toBe(0n);
    expect(checked.books.writtenOff).toBe(0n);
    await checkProjections(premises.databaseUrl, accountId, checked);

    // Now nothing is held by anybody: waiting would not help, and the customer is told so.
    const late = await chat(node, apiKey, wish).answer;
    expect(late.status).toBe(402);
    expect(errorOf(late).code).toBe('credit_balance_exhausted');
    expect(late.headers.get('x-should-retry')).toBe('false');
  };

  it('serves exactly as many as there is credit for', () => exhaust([nodes[0]]));
  it('serves exactly as many on two nodes that share the account', () => exhaust(nodes));

  it('serves all of them in the end when they ask again as they are told', async () => {
    const [node, other] = nodes;
    const { bound } = dearest();
    // Three fit at once, but each costs a small part of what it holds.
    const { accountId, apiKey } = await node.openAccount(formatUsd(bound * 3n));
    const { model, messages } = chatBody();
    const costs = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const client = (n % 2 === 0 ? node : other).client(apiKey, { maxRetries: 20 });
        const answer = await client.chat.completions.create({
          ...{ model, messages: messages as [{ role: 'user'; content: string }], max_tokens: 100 },
          ...{ simulate: { outputTokens: 5, firstByteMs: 100 } },
        });
        return parseUsd((answer.usage as unknown as { cost_usd: string }).cost_usd) ?? 0n;
      }),
    );
    const { books } = await checkSettledBooks(other, accountId);
    expect(books.charged).toBe(sum(costs));
  });

  it('keeps the books whatever becomes of the requests', async () => {
    const [node] = nodes;
    const { accountId, apiKey } = await node.openAccount('0.05');
    const fates: readonly Wish[] = [
      { simulate: { outputTokens: 20 }, maxTokens: 50 },
      { simulate: { outputTokens: 20, tokenMs: 2 }, maxTokens: 50, stream: true },
      { simulate: { status: 500 }, maxTokens: 50 },
      { simulate: { status: 400, message: 'no' }, maxTokens: 50 },
      { simulate: { outputTokens: 20, breakAfter: 5 }, maxTokens: 50, stream: true },
      { simulate: { outputTokens: 20, errorMidStream: 5 }, maxTokens: 50, stream: true },
      { simulate: { outputTokens: 20, usage: 'missing' }, maxTokens: 50, stream: true },
      { simulate: { outputTokens: 20, promptTokens: 2000 }, maxTokens: 50 },
      { simulate: { resetBeforeHead: true }, maxTokens: 50 },
      { simulate: { outputTokens: 400, tokenMs: 5 }, maxTokens: 500, stream: true },
      { simulate: { outputTokens: 30 } },
    ];
    const sent = Array.from({ length: 300 }, (_, n) => chat(nodes[n % 2 ? 0 : 1], apiKey, fates[n % fates.length]));
    // Those that would take longest are left by their clients, each at another moment.
    sent.forEach((one, n) => n % fates.length === 9 && void setTimeout(one.leave, n));
    await Promise.all(sent.map(({ answer }) => answer));

    await expect
      .poll(
        async () => (await node.manage<{ open_holds: unknown[] }>('GET', `/accounts/${accountId}`)).open_holds,
        SOON,
      )
      .toEqual([]);
    const checked = await checkSettledBooks(node, accountId);
    expect(checked.events.filter(isCharge).length).toBeGreaterThan(10);
    await checkProjections(premises.databaseUrl, accountId, checked);
  });
});
