import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatUsd, parseUsd } from '../../../src/domain/money.ts';
import { checkProjections, checkSettledBooks, isCharge } from '../../support/events/account-history.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { sum } from '../../support/money.ts';
import { SOON } from '../../support/soon.ts';
import { chat, errorOf, type Answer } from '../../support/traffic.ts';

let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
beforeAll(async () => {
  premises = await createPremises();
  nodes = await Promise.all([premises.startGateway(), premises.startGateway()]);
});
afterAll(() => premises.close());

type Customer = Awaited<ReturnType<RunningGateway['openAccount']>>;

/** Somebody whose key both nodes know, and has these limits: set on one node, they hold on the other at once. */
const customerWith = async (limits: object, usd = '5.00'): Promise<Customer> => {
  const customer = await nodes[0].openAccount(usd);
  await limit(customer, limits);
  return customer;
};
const limit = ({ accountId, keyId }: Customer, limits: object): Promise<unknown> =>
  nodes[0].manage('PUT', `/accounts/${accountId}/keys/${keyId}/limits`, limits);
const limitAccount = ({ accountId }: Customer, limits: object): Promise<unknown> =>
  nodes[1].manage('PUT', `/accounts/${accountId}/limits`, limits);

const nodeOf = (n: number): RunningGateway => nodes[n % 2 === 0 ? 0 : 1];
const short = { maxTokens: 10, simulate: { outputTokens: 5 } };
const ask = ({ apiKey }: Customer, n = 0, wish: Parameters<typeof chat>[2] = short): Promise<Answer> =>
  chat(nodeOf(n), apiKey, wish).answer;
const statusAndCode = (answer: Answer): unknown => [answer.status, errorOf(answer).code];

describe('a flood on two nodes', () => {
  it('is accepted up to the limit per minute, and the rest is refused with the time to retry', async () => {
    const most = 100;
    const customer = await customerWith({ requests_per_minute: most });
    const answers: Answer[] = [];
    // Twice the limit, for some seconds.
    for (let n = 0; answers.length < 2 * most; n++) {
      answers.push(...(await Promise.all(Array.from({ length: 20 }, (_, k) => ask(customer, n + k)))));
    }
    const served = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(served).toHaveLength(most);
    for (const answer of refused) {
      expect(statusAndCode(answer)).toEqual([429, 'rate_limit_exceeded']);
      expect(errorOf(answer).type).toBe('rate_limit_error');
      expect(answer.headers.get('x-should-retry')).toBe('true');
      expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('0');
      const waitMs = Number(answer.headers.get('retry-after-ms'));
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(63_000);
    }
    for (const { headers } of served) {
      expect(headers.get('x-ratelimit-limit-requests')).toBe(String(most));
      expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^(1m\d+s|\d+s|\d+ms)$/);
      expect(headers.get('x-ratelimit-limit-tokens')).toBeNull();
    }
    const { events } = await checkSettledBooks(nodes[1], customer.accountId);
    expect(events.filter(isCharge)).toHaveLength(most);
  });

  it('leaves a free account alone', async () => {
    const customer = await customerWith({});
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => ask(customer, n)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect([...(answers[0]?.headers.keys() ?? [])].filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
  });
});

describe('a limit on spending', () => {
  it.each([
    ['key', limit],
    ['account', limitAccount],
  ] as const)('of the %s is never exceeded by fifty streams at once on two nodes', async (scope, set) => {
    const customer = await customerWith({});
    const most = '0.100000001';
    await set(customer, { spending_usd: { day: most } });
    // Each costs $0.012 where it is let finish.
    const wish = { stream: true, simulate: { outputTokens: 3000 } };
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => ask(customer, n, wish)));
    const checked = await checkSettledBooks(nodes[0], customer.accountId);
    const { events, books } = checked;
    const charges = events.filter(isCharge);
    const spent = sum(charges.map(({ charged }) => charged));
    expect(spent).toBeLessThanOrEqual(parseUsd(most) ?? 0n);
    expect(charges.length).toBeGreaterThan(5);
    expect(books.writtenOff).toBe(0n);
    const reason = new RegExp(`${scope}_limit_exceeded|limit_held_by_concurrent_requests`);
    for (const { status, body } of answers) {
      if (status === 200) expect(body).toContain('[DONE]');
      else expect([status, reason.test(body)]).toEqual([402, true]);
      if (body.includes('"finish_reason":"length"')) expect(body).toMatch(reason);
    }
    await checkProjections(premises.databaseUrl, customer.accountId, checked);
  });

  it('ends an answer without a limit of its own, and then is reached for good', async () => {
    const customer = await customerWith({ spending_usd: { total: '0.01' } });
    const capped = await ask(customer, 0, { simulate: { outputTokens: 16_000 } });
    expect(capped.status).toBe(200);
    expect(JSON.parse(capped.body)).toMatchObject({
      choices: [{ finish_reason: 'length' }],
      kissapi: { error: { code: 'key_limit_exceeded' } },
    });
    const late = await ask(customer, 1, { maxTokens: 2000 });
    expect(statusAndCode(late)).toEqual([402, 'key_limit_exceeded']);
    expect(late.headers.get('x-should-retry')).toBe('false');
    expect(errorOf(late).message).toMatch(/This API key may spend \$0\.01 in total: \$0\.0\d+ is spent/);
    const shown = await fetch(`${nodes[1].url}/v1/key`, { headers: { authorization: `Bearer ${customer.apiKey}` } });
    const { data } = (await shown.json()) as { data: Record<string, string> };
    expect(data).toMatchObject({ limit: 0.01, limit_usd: '0.01', limit_reset: null, spending_usd: { total: '0.01' } });
    const left = (parseUsd(data['limit_usd'] ?? '') ?? 0n) - (parseUsd(data['usage_usd'] ?? '') ?? 0n);
    expect(data['limit_remaining_usd']).toBe(formatUsd(left));
  });

  it('ends a long stream as credits do, and says why', async () => {
    const customer = await customerWith({ spending_usd: { month: '0.02' } });
    const { status, body } = await ask(customer, 0, { stream: true, simulate: { outputTokens: 50_000 } });
    expect(status).toBe(200);
    expect(body).toContain('"finish_reason":"length"');
    expect(body).toContain('"code":"key_limit_exceeded"');
    const { books } = await checkSettledBooks(nodes[0], customer.accountId);
    expect(books.charged).toBeLessThanOrEqual(parseUsd('0.02') ?? 0n);
    expect(books.charged).toBeGreaterThan(parseUsd('0.019') ?? 0n);
  });
});

describe('a limit of requests under way', () => {
  it('holds on both nodes, and makes room as they end', async () => {
    const customer = await customerWith({ concurrent_requests: 3 });
    const hanging = { stream: true, simulate: { hang: 'midStream' as const, outputTokens: 5 } };
    const streams = Array.from({ length: 8 }, (_, n) => chat(nodeOf(n), customer.apiKey, hanging));
    const refused: Answer[] = [];
    for (const { answer } of streams) {
      void answer.then((one) => {
        if (one.status !== 200) refused.push(one);
      });
    }
    await expect.poll(() => refused.length, SOON).toBe(5);
    for (const answer of refused) {
      expect(statusAndCode(answer)).toEqual([429, 'concurrency_limit_exceeded']);
      expect(answer.headers.get('x-should-retry')).toBe('true');
      expect(Number(answer.headers.get('retry-after-ms'))).toBeLessThan(1000);
    }
    for (const stream of streams) stream.leave();
    await expect.poll(async () => (await ask(customer, 1)).status, SOON).toBe(200);
  });
});

describe('a limit of tokens by the minute', () => {
  it('counts a prompt that may fit, corrects to what was used, and says what can never be', async () => {
    const customer = await customerWith({ tokens_per_minute: 3000 });
    // 10,000 bytes, but 2,000 words.
    const content = 'word '.repeat(2000);
    const first = await ask(customer, 0, { content, maxTokens: 10, simulate: { promptTokens: 2000, outputTokens: 5 } });
    expect(first.status).toBe(200);
    expect(first.headers.get('x-ratelimit-limit-tokens')).toBe('3000');
    expect(Number(first.headers.get('x-ratelimit-remaining-tokens'))).toBe(3000 - 2005);
    const second = await ask(customer, 1, { maxTokens: 2000 });
    expect(statusAndCode(second)).toEqual([429, 'rate_limit_exceeded']);
    expect(second.headers.get('x-should-retry')).toBe('true');
    const never = await ask(customer, 1, { content: 'word '.repeat(1000), maxTokens: 2048 });
    expect(statusAndCode(never)).toEqual([429, 'rate_limit_exceeded']);
    expect(never.headers.get('x-should-retry')).toBe('false');
    expect(never.headers.get('retry-after-ms')).toBeNull();
    expect(errorOf(never).message).toContain('can never be accepted');
  });
});

describe('what a key may be used for', () => {
  it('is told: other models, and no use after its time', async () => {
    const customer = await customerWith({ models: ['simulated-chat'] });
    expect((await ask(customer, 1)).status).toBe(200);
    await limit(customer, { models: ['gpt-5-mini'] });
    const refused = await ask(customer, 1);
    expect(statusAndCode(refused)).toEqual([403, 'model_not_allowed']);
    expect(errorOf(refused).type).toBe('permission_error');
    await limit(customer, { expires_at: new Date(Date.now() - 1000).toISOString() });
    expect(statusAndCode(await ask(customer, 1))).toEqual([401, 'key_expired']);
    const authorization = `Bearer ${customer.apiKey}`;
    for (const { url } of nodes) {
      for (const path of ['/v1/models', '/v1/key', '/v1/credits', '/v1/generation?id=gen-1']) {
        const status = async () => (await fetch(`${url}${path}`, { headers: { authorization } })).status;
        await expect.poll(status, SOON).toBe(401);
      }
    }
    await limit(customer, {});
    await expect.poll(async () => (await ask(customer, 1)).status, SOON).toBe(200);
  });

  it('is all that the list of models shows', async () => {
    const customer = await customerWith({});
    const headers = { authorization: `Bearer ${customer.apiKey}` };
    const listed = async (): Promise<readonly string[]> => {
      const lists = await Promise.all(
        nodes.map(async ({ url }) => {
          const { data } = (await (await fetch(`${url}/v1/models`, { headers })).json()) as { data: { id: string }[] };
          return data.map(({ id }) => id);
        }),
      );
      expect(lists[0]).toEqual(lists[1]);
      return lists[0] ?? [];
    };
    const all = await listed();
    expect(all).toEqual(expect.arrayContaining(['simulated-chat', 'simulated-embedding']));
    await limit(customer, { models: ['simulated-chat', 'gpt-unheard-of'] });
    expect(await listed()).toEqual(['simulated-chat']);
    const statusOf = async (model: string) => (await fetch(`${nodes[1].url}/v1/models/${model}`, { headers })).status;
    expect(await Promise.all(['simulated-chat', 'simulated-embedding'].map(statusOf))).toEqual([200, 404]);
    await limitAccount(customer, { models: ['simulated-embedding'] });
    expect(await listed()).toEqual([]);
    await limit(customer, {});
    expect(await listed()).toEqual(['simulated-embedding']);
    await limitAccount(customer, {});
    expect(await listed()).toEqual(all);
  });
});
