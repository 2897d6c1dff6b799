import OpenAI from 'openai';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseUsd } from '../../../src/domain/money.ts';
import { auditedOne, type Customer } from '../../support/customers/audit.ts';
import { checkProjections, checkSettledBooks, isCharge } from '../../support/events/account-history.ts';
import { collect, costIn, sharedHouse, simulate, type House } from '../../support/house.ts';
import { nanoUsd, sum } from '../../support/money.ts';
import { SOON } from '../../support/soon.ts';

/** $0.60 per million tokens out: $0.002 pays for 3,333 of them, less the prompt. */
const MODEL = 'gpt-4o-mini';
const messages = [{ role: 'user' as const, content: 'How are you?' }];
const body = { model: MODEL, messages };
const includeUsage = { stream: true as const, stream_options: { include_usage: true } };
const CREDIT = '0.002';

let house: House;
beforeAll(async () => {
  house = await sharedHouse();
});
afterAll(() => house.close());

const customerWith = async (usd: string): Promise<{ customer: Customer; client: OpenAI }> => {
  const customer = await house.gateway.openAccount(usd);
  return { customer, client: house.gateway.client(customer.apiKey) };
};

type Told = { readonly generation_id: string; readonly error: { readonly code: string; readonly message: string } };
const reasonIn = (chunk: ChatCompletionChunk): Told | undefined => (chunk as { kissapi?: Told }).kissapi;
const textOf = (chunks: readonly ChatCompletionChunk[]): string =>
  chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');

type AccountNow = { readonly balance_usd: string; readonly held_usd: string };
const accountOf = ({ accountId }: Customer) => house.gateway.manage<AccountNow>('GET', `/accounts/${accountId}`);

describe('a long stream on a small balance', () => {
  it('ends with "length" at what was paid for, tells why and what it cost, and leaves the provider', async () => {
    const { customer, client } = await customerWith(CREDIT);
    const { aborted } = house.upstream.requests;
    const { result, generation } = await auditedOne(house, customer, async () => {
      const { data, response } = await client.chat.completions
        .create({ ...body, ...includeUsage, ...simulate({ outputTokens: 100_000 }) })
        .withResponse();
      return { chunks: await collect(data), response };
    });
    const { chunks, response } = result;
    expect(house.upstream.lastRequest?.body).not.toHaveProperty('max_completion_tokens');
    expect(response.headers.get('x-kissapi-output-capped')).toBeNull();

    const [finish, last] = chunks.slice(-2);
    expect(finish?.choices).toEqual([{ index: 0, delta: {}, finish_reason: 'length' }]);
    expect(finish && reasonIn(finish)).toMatchObject({
      generation_id: generation.generationId,
      error: { code: 'credit_balance_exhausted', type: 'insufficient_quota' },
    });
    expect(costIn(last?.usage)).toBe(generation.chargedUsd);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);

    expect(textOf(chunks).split(' ')).toHaveLength(generation.tokens?.['output'] ?? 0);
    expect(generation.delivery).toMatchObject({
      ended: 'out_of_credits',
      finish_reason: 'length',
      usage_source: 'metered',
    });
    const left = nanoUsd((await accountOf(customer)).balance_usd);
    expect(left).toBeGreaterThanOrEqual(0n);
    expect(left).toBeLessThan(nanoUsd(CREDIT) / 50n);
    await vi.waitFor(() => expect(house.upstream.requests).toMatchObject({ open: 0, aborted: aborted + 1 }), SOON);
  });

  it('ends all of several choices', async () => {
    const { customer, client } = await customerWith(CREDIT);
    const { result: chunks } = await auditedOne(house, customer, async () =>
      collect(
        await client.chat.completions.create({ ...body, n: 3, stream: true, ...simulate({ outputTokens: 20_000 }) }),
      ),
    );
    const finished = chunks.flatMap(({ choices }) => choices).filter(({ finish_reason }) => finish_reason === 'length');
    expect(finished.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it('keeps its text for the helper of the SDK, which gathers it', async () => {
    const { customer, client } = await customerWith(CREDIT);
    const { result, generation } = await auditedOne(house, customer, () =>
      client.chat.completions.stream({ ...body, ...simulate({ outputTokens: 20_000 }) }).finalChatCompletion(),
    );
    expect(result.choices[0]?.finish_reason).toBe('length');
    expect(result.choices[0]?.message.content?.split(' ')).toHaveLength(generation.tokens?.['output'] ?? 0);
  });

  it('of legacy completions ends likewise', async () => {
    const { customer, client } = await customerWith('0.02');
    const { result: chunks, generation } = await auditedOne(house, customer, async () => {
      const asked = { model: 'simulated-completion', prompt: 'Once', max_tokens: 16_000, stream: true as const };
      return collect(await client.completions.create({ ...asked, ...simulate({ outputTokens: 16_000 }) }));
    });
    expect(chunks.at(-1)).toMatchObject({
      object: 'text_completion',
      choices: [{ text: '', finish_reason: 'length' }],
    });
    expect(generation.delivery).toMatchObject({ ended: 'out_of_credits' });
  });
});

describe('many long streams at once', () => {
  it('on one small account are charged what it has, and leave no hold', async () => {
    const { customer, client } = await customerWith('0.03');
    const streams = Array.from({ length: 20 }, async () => {
      const asked = { ...body, ...includeUsage, ...simulate({ outputTokens: 5000 }) };
      return collect(await client.chat.completions.create(asked));
    });
    const answers = await Promise.all(streams);
    const finishes = answers.map((chunks) => chunks.flatMap(({ choices }) => choices).at(-1)?.finish_reason);
    expect(finishes.every((finish) => finish === 'stop' || finish === 'length')).toBe(true);
    // $0.03 pays for ten of them.
    expect(finishes).toContain('length');

    const checked = await checkSettledBooks(house.gateway, customer.accountId);
    const charges = checked.events.filter(isCharge);
    expect(charges).toHaveLength(20);
    expect(checked.books.writtenOff).toBe(0n);
    expect(sum(charges.map(({ charged }) => charged))).toBeLessThanOrEqual(nanoUsd('0.03'));
    const told = answers.map((chunks) => parseUsd(costIn(chunks.at(-1)?.usage) as string) ?? -1n);
    expect(sum(told)).toBe(checked.books.charged);
    await checkProjections(house.premises.databaseUrl, customer.accountId, checked);
  });

  it('serve many answers in one piece on credits for twenty, and charge no more than there is', async () => {
    const { customer } = await customerWith('0.0038');
    const client = house.gateway.client(customer.apiKey, { maxRetries: 2 });
    const asked = { ...body, ...simulate({ outputTokens: 300, promptTokens: 10 }) };
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => client.chat.completions.create(asked).catch(() => undefined)),
    );
    const served = answers.filter((answer) => answer?.choices[0]?.finish_reason === 'stop');
    // A hold for the most that one can cost would be 2.6 times the credits.
    expect(served.length).toBeGreaterThan(5);
    const { books } = await checkSettledBooks(house.gateway, customer.accountId);
    expect(books.charged).toBeLessThanOrEqual(nanoUsd('0.0038'));
  });

  it('hold cents each, though nobody said how long they may be', async () => {
    const { customer, client } = await customerWith('5.00');
    const asked = { ...body, model: 'gpt-4o', stream: true as const, ...simulate({ hang: 'midStream' }) };
    const streams = await Promise.all(Array.from({ length: 50 }, () => client.chat.completions.create(asked)));
    expect(nanoUsd((await accountOf(customer)).held_usd) / 50n).toBeLessThan(nanoUsd('0.03'));
    for (const stream of streams) stream.controller.abort();
    await expect.poll(async () => (await accountOf(customer)).held_usd, SOON).toBe('0.00');
  });
});
