import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCatalogue, readModelFacts } from '../../../src/config/catalogue.ts';
import { cost, costBound, noUsage, type Usage } from '../../../src/domain/money.ts';
import { linesOf, ratesOf } from '../../../src/domain/prices/lines.ts';
import type { PriceVersion } from '../../../src/domain/prices/price-book.ts';
import { formats } from '../../../src/gateway/providers.ts';
import { createCompletions } from '../../../src/proxy/engine/completions.ts';
import type { ModelFacts, SoldModel } from '../../../src/proxy/metering/model-facts.ts';
import { createTokenCounter, type TokenCounter } from '../../../src/proxy/metering/token-counter.ts';
import { audit } from '../../reference/audit-history.ts';
import { KEY_ID, openAccount } from '../engine/account.ts';
import { bodyOf, chunk, countWords, createTestProvider, lastChunk, sse, sinkOf } from '../examples.ts';

const CREDITS = 100_000_000_000n;
const DONE = '[DONE]';

/** Where a report stands in an answer. */
const places = ['whole', 'last', 'first', 'after [DONE]'] as const;
type Place = (typeof places)[number];

const answerOf = (words: string, usage: unknown, place: Place): string => {
  if (place === 'whole') {
    const choices = [{ index: 0, message: { role: 'assistant', content: words }, finish_reason: 'stop' }];
    return JSON.stringify({ id: 'chatcmpl-1', choices, ...(usage === undefined ? {} : { usage }) });
  }
  const [said, report] = [chunk({ content: words }), chunk({}, { choices: [], usage })];
  if (place === 'first') return sse(report, said, lastChunk, DONE);
  return place === 'last' ? sse(said, lastChunk, report, DONE) : sse(said, lastChunk, DONE, report);
};

type Asked = {
  readonly model: SoldModel;
  readonly body: object;
  readonly words: string;
  readonly usage: unknown;
  readonly place: Place;
  readonly tokens: TokenCounter;
};

/** Asks for one completion; returns what was held and how it was settled. */
const settled = async ({ model, body, words, usage, place, tokens }: Asked) => {
  const account = openAccount(CREDITS);
  const streamed = place !== 'whole';
  const contentType = streamed ? 'text/event-stream' : 'application/json';
  const upstream = createTestProvider(() => ({ contentType, body: bodyOf([answerOf(words, usage, place)]) }));
  const completions = createCompletions({
    formats,
    findPrice: () => model,
    factsOf: () => ({ reasoning: model.reasoning, limitLeavesReasoningOut: model.limitLeavesReasoningOut }),
    providers: new Map([[model.upstream, upstream]]),
    execute: account.execute,
    recordedBy: () => Promise.resolve(undefined),
    ...{ idempotencySecret: 's', promptTokens: tokens, tokens, runId: () => 'run', now: () => new Date() },
    ...{
      idleTimeoutMs: 60_000,
      upstreamRefused: () => undefined,
      isPaused: () => false,
      logCopy: { isRecent: () => true, confirm: () => Promise.resolve(true) },
    },
  });
  const text = Buffer.from(JSON.stringify({ model: model.model, ...body, ...(streamed ? { stream: true } : {}) }));
  let written = '';
  const answer = await completions.complete({
    ...{ uuid: '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d', accountId: 'acc_1', keyId: KEY_ID },
    ...{ endpoint: '/chat/completions', body: text, gone: new AbortController().signal },
  });
  if (answer.kind === 'stream') {
    await answer.relay(sinkOf((piece) => void (written += Buffer.from(piece).toString())));
  } else if (answer.kind === 'whole') {
    written = answer.body;
  }
  const books = audit(account.history);
  const reserved = account.events.find((event) => event.type === 'CreditsReserved');
  const end = account.events.find((event) => event.type === 'HoldSettled');
  if (!end || !reserved) throw new Error('it is settled');
  const beyond = account.events.find((event) => event.type === 'UsageWrittenOff')?.beyond ?? noUsage;
  return { reserved, end, beyond, books, bytes: text.length, written };
};

let sold: ReadonlyMap<string, SoldModel>;
let tokens: TokenCounter;
beforeAll(async () => {
  tokens = createTokenCounter();
  const facts = await readModelFacts();
  const catalogue = await readCatalogue();
  sold = new Map(
    catalogue.map(({ model }) => [
      model.model,
      {
        ...{ ...model, lines: model.cost, rates: ratesOf(model.cost), version: 1, effectiveFrom: new Date(0) },
        ...facts.get(model.model),
      },
    ]),
  );
});
afterAll(() => tokens.close());

const modelOf = (name: string): SoldModel => sold.get(name) ?? expect.fail(`${name} is in the catalogue`);
const prompt = (content: string) => ({ messages: [{ role: 'user', content }] });

describe('a report of more than the request could cost', () => {
  const report = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
  const cases: readonly (readonly [string, object, Partial<Usage>, Partial<Usage>, string])[] = [
    [
      'completion',
      { ...report, completion_tokens: 100_000, total_tokens: 100_009 },
      { input: 9, output: 10 },
      { output: 99_990 },
      'output_beyond_limit',
    ],
    ['total', { ...report, total_tokens: 120_000 }, { input: 9, output: 2 }, {}, 'total_unexplained'],
    [
      'reasoning beside the completion',
      { ...report, completion_tokens_details: { reasoning_tokens: 60_000 } },
      { input: 9, output: 2, reasoning: 8 },
      { reasoning: 59_992 },
      'output_beyond_limit',
    ],
    ['prompt', { ...report, prompt_tokens: 127_000, total_tokens: 127_002 }, { output: 2 }, {}, 'input_beyond_bound'],
    [
      'a completion alone',
      { prompt_tokens: 9, completion_tokens: 5000 },
      { input: 9, output: 10 },
      { output: 4990 },
      'output_beyond_limit',
    ],
    [
      'cached input',
      { ...report, prompt_tokens: 127_000, total_tokens: 127_002, prompt_tokens_details: { cached_tokens: 127_000 } },
      { input: 0, output: 2 },
      {},
      'input_beyond_bound',
    ],
    [
      'output in the names of Anthropic',
      { input_tokens: 9, output_tokens: 5000 },
      { input: 9, output: 10 },
      { output: 4990 },
      'output_beyond_limit',
    ],
  ];
  for (const place of places) {
    it.each(cases)(
      `is charged up to its bounds, and written off beyond (%s, ${place})`,
      async (_, usage, within, beyond, anomaly) => {
        const body = { ...prompt('Say hello world, please, and nothing else, for this is a test.'), max_tokens: 10 };
        const asked = { model: modelOf('gpt-4o'), body, words: 'hello world', usage, place, tokens };
        const { reserved, end, beyond: off, books, bytes } = await settled(asked);
        expect(end.usage).toMatchObject(within);
        expect(off).toMatchObject(beyond);
        expect(end.charged).toBeLessThanOrEqual(reserved.amount);
        if (anomaly === 'input_beyond_bound') {
          expect(end.usage.input + end.usage.cachedInput).toBe(bytes);
          expect(off.input + off.cachedInput).toBe(127_000 - bytes);
        }
        expect(books.writtenOff).toBe(cost(off, end.price.rates));
        expect(end.delivery.anomalies).toContain(anomaly);
      },
    );
  }

  it('allows the largest output of a model whose provider leaves reasoning out of the limit', async () => {
    const usage = { prompt_tokens: 9, completion_tokens: 2, completion_tokens_details: { reasoning_tokens: 5000 } };
    const body = { ...prompt('Say hello world.'), max_tokens: 10 };
    const model = { ...modelOf('grok-4.3'), limitLeavesReasoningOut: true };
    const { end, reserved } = await settled({ model, body, words: 'hello world', usage, place: 'whole', tokens });
    expect(end.usage).toMatchObject({ output: 2, reasoning: 5000 });
    expect(reserved.request.outputTokensBound).toBe(model.maxOutputTokens);
  });

  it('shows the customer the usage that is charged', async () => {
    const usage = { prompt_tokens: 9, completion_tokens: 5000, total_tokens: 5009 };
    const body = { ...prompt('Say hello world.'), max_tokens: 10 };
    const asked = { model: modelOf('gpt-4o'), body, words: 'hello world', usage, place: 'whole', tokens } as const;
    const { written } = await settled(asked);
    expect(JSON.parse(written)).toMatchObject({
      usage: { prompt_tokens: 9, completion_tokens: 10, total_tokens: 19 },
    });
  });
});

describe('a report in another dialect', () => {
  const long = ' word'.repeat(21_500);
  it('counts the caches that Anthropic reports beside the prompt', async () => {
    const usage = {
      ...{ prompt_tokens: 3, completion_tokens: 120, total_tokens: 21_623 },
      ...{ cache_read_input_tokens: 20_000, cache_creation_input_tokens: 1500 },
    };
    const body = { ...prompt(long), max_tokens: 200 };
    const asked = { model: modelOf('claude-sonnet-4-6'), body, words: 'one two three', usage, tokens };
    for (const place of places) {
      const { end, written } = await settled({ ...asked, place });
      expect(end.charged).toBe(13_434_000n);
      expect(end.delivery).toMatchObject({ usageSource: 'reported', anomalies: [] });
      if (place !== 'whole') continue;
      const details = { cached_tokens: 20_000, cache_write_tokens: 1500 };
      expect(JSON.parse(written)).toMatchObject({ usage: { prompt_tokens: 21_503, prompt_tokens_details: details } });
    }
  });

  it('is not believed if it is of far less input than was sent', async () => {
    const sent = await tokens.count([long]);
    const asked = {
      model: modelOf('gpt-4o'),
      body: { ...prompt(long), max_tokens: 200 },
      words: 'one two three',
      tokens,
    };
    for (const input of [3, 300, 3000, 10_000]) {
      const usage = { prompt_tokens: input, completion_tokens: 5, total_tokens: input + 5 };
      const { end } = await settled({ ...asked, usage, place: 'last' });
      expect(end.usage).toEqual({ ...noUsage, input: sent, output: 3 });
      expect(end.charged).toBe(BigInt(sent) * 2500n + 3n * 10_000n);
      expect(end.delivery).toMatchObject({ usageSource: 'metered', anomalies: ['usage_below_prompt'] });
    }
    const fewer = { prompt_tokens: Math.ceil(sent * 0.6), completion_tokens: 5 };
    const { end } = await settled({ ...asked, usage: fewer, place: 'last' });
    expect(end.delivery).toMatchObject({ usageSource: 'reported', anomalies: [] });
  });
});

describe('any request and any report', () => {
  const number = fc.oneof(
    { weight: 6, arbitrary: fc.nat(300) },
    { weight: 3, arbitrary: fc.nat(200_000) },
    fc.constantFrom<unknown>(0, -1, 1.5, 1e15, Number.MAX_SAFE_INTEGER, 2 ** 60, '12', 'many', null, true, [], {}),
  );
  const leaf = fc.constantFrom(
    ...['prompt_tokens', 'completion_tokens', 'total_tokens', 'input_tokens', 'output_tokens', 'cached_tokens'],
    ...['reasoning_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens', 'cache_write_tokens'],
    ...['promptTokenCount', 'candidatesTokenCount', 'thoughtsTokenCount', 'totalTokenCount', 'cachedContentTokenCount'],
    ...['toolUsePromptTokenCount', 'inputTokens', 'outputTokens', 'totalTokens', 'cacheReadInputTokens'],
    ...['prompt_eval_count', 'eval_count', 'prompt_cache_hit_tokens', 'num_cached_tokens', 'cachedInputTokens'],
    ...['ephemeral_1h_input_tokens', 'claude_cache_creation_5_m_tokens', 'thinking_tokens'],
  );
  const flat = fc.dictionary(leaf, number, { maxKeys: 5 });
  const details = fc.constantFrom(
    ...['prompt_tokens_details', 'completion_tokens_details', 'input_tokens_details', 'cache_creation', 'tokens'],
  );
  const usage = fc.oneof(
    {
      weight: 9,
      arbitrary: fc.tuple(flat, fc.dictionary(details, flat, { maxKeys: 2 })).map(([a, b]) => ({ ...b, ...a })),
    },
    fc.jsonValue(),
  );
  const models: readonly ModelFacts[] = [
    { reasoning: 'none' },
    { reasoning: 'streamed' },
    { reasoning: 'hidden' },
    { reasoning: 'hidden', limitLeavesReasoningOut: true },
  ];
  const rates = {
    input: 1_000_001n,
    cachedInput: 250_003n,
    cacheWrite: 1_250_007n,
    output: 4_000_009n,
    reasoning: 3_000_011n,
  };
  const price: PriceVersion = {
    ...{ model: 'm', ownedBy: 'somebody', upstream: 'test', upstreamModel: 'm', kind: 'chat' },
    ...{ contextTokens: 100_000, maxOutputTokens: 4000, source: 'test', asOf: '2026-01-31' },
    ...{ version: 1, effectiveFrom: new Date(0) },
    ...{ rates, lines: linesOf(rates), cost: null },
  };
  const shape = {
    facts: fc.constantFrom(...models),
    promptWords: fc.integer({ min: 1, max: 400 }),
    words: fc.integer({ min: 0, max: 30 }),
    limit: fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
    choices: fc.integer({ min: 1, max: 3 }),
    place: fc.constantFrom(...places),
  };
  const askedOf = (how: {
    facts: ModelFacts;
    promptWords: number;
    words: number;
    limit: number | undefined;
    choices: number;
    place: Place;
  }) => {
    const model: SoldModel = { ...price, ...how.facts };
    const body = {
      ...prompt('word '.repeat(how.promptWords)),
      ...{ n: how.choices, ...(how.limit === undefined ? {} : { max_tokens: how.limit }) },
    };
    const allowed = how.facts.limitLeavesReasoningOut ? Infinity : (how.limit ?? Infinity);
    const output = Math.min(allowed, model.maxOutputTokens) * how.choices;
    return { asked: { model, body, words: 'w '.repeat(how.words), place: how.place, tokens: countWords }, output };
  };

  it('are charged no more than the request could cost; what is beyond is in an event, with an anomaly', () =>
    fc.assert(
      fc.asyncProperty(fc.record({ ...shape, usage }), async (how) => {
        const { asked, output } = askedOf(how);
        const { end, beyond, books, bytes } = await settled({ ...asked, usage: how.usage });
        expect(end.charged).toBeLessThanOrEqual(costBound(bytes, output, price.rates));
        const { input, cachedInput, cacheWrite } = end.usage;
        expect(input + cachedInput + cacheWrite).toBeLessThanOrEqual(bytes);
        expect(end.usage.output + end.usage.reasoning).toBeLessThanOrEqual(output);
        expect(books.writtenOff).toBe(cost(beyond, price.rates));
        if (books.writtenOff > 0n)
          expect(end.delivery.anomalies.join()).toMatch(/input_beyond_bound|output_beyond_limit/);
        if (end.delivery.usageSource === 'metered') expect(end.delivery.anomalies).not.toEqual([]);
      }),
      { numRuns: 400 },
    ));

  it('are charged exactly if the report agrees with the bounds and with the words', () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          ...shape,
          part: fc.double({ min: 0, max: 1, noNaN: true }),
          cached: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        async (how) => {
          const { asked, output: most } = askedOf(how);
          fc.pre(how.words <= most && how.words > 0);
          const input = how.promptWords + Math.floor(how.part * how.promptWords * 4);
          const output = how.words + Math.floor(how.part * (most - how.words));
          const cachedInput = Math.floor(how.cached * input);
          const usage = {
            ...{ prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
            prompt_tokens_details: { cached_tokens: cachedInput },
          };
          const { end, books } = await settled({ ...asked, usage });
          const exact = { ...noUsage, input: input - cachedInput, cachedInput, output };
          expect(end.usage).toEqual(exact);
          expect(end.charged).toBe(cost(exact, price.rates));
          expect(books.writtenOff).toBe(0n);
          expect(end.delivery).toMatchObject({ usageSource: 'reported', anomalies: [] });
        },
      ),
      { numRuns: 200 },
    ));
});
