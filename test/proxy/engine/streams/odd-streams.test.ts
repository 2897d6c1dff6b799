import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { cost, noUsage } from '../../../../src/domain/money.ts';
import { formats } from '../../../../src/gateway/providers.ts';
import { createCompletions } from '../../../../src/proxy/engine/completions.ts';
import { STEP_TOKENS } from '../../../../src/proxy/engine/hold/hold-steps.ts';
import type { TokenCounter } from '../../../../src/proxy/metering/token-counter.ts';
import { ProviderFailed } from '../../../../src/proxy/providers/provider.ts';
import { audit } from '../../../reference/audit-history.ts';
import { KEY_ID, openAccount } from '../account.ts';
import { createTestProvider, price as listed, sinkOf, usage, like } from '../../examples.ts';

const price = { ...listed, ...like('simulated-chat'), maxOutputTokens: 5000 };
const { rates } = price;

/** Four bytes are a token, across the bounds of words, so that no text may be counted in pieces without a loss. */
const tokensOf = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / 4), 0);
const tokens: TokenCounter = { count: (texts) => Promise.resolve(tokensOf(texts)), close: () => Promise.resolve() };

type Kind = 'content' | 'reasoning' | 'parts' | 'tool' | 'refusal' | 'text';
type Piece =
  | { readonly is: 'said'; readonly index: number; readonly kind: Kind; readonly size: number; readonly more: object }
  | { readonly is: 'wire'; readonly text: string };

const words = (size: number): string => 'w'.repeat(size);
const delta = (kind: Kind, size: number): object => {
  switch (kind) {
    case 'content':
      return { role: 'assistant', content: words(size) };
    case 'reasoning':
      return { content: null, reasoning_content: words(size), reasoning: words(size) };
    case 'parts':
      return { content: [{ type: 'thinking', thinking: [{ type: 'text', text: words(size) }] }] };
    case 'tool':
      return { tool_calls: [{ index: 0, function: { arguments: words(size) } }] };
    case 'refusal':
      return { refusal: words(size) };
    case 'text':
      return {};
  }
};
const chunkOf = (choices: readonly object[], more: object = {}): string =>
  JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more });
const wireOf = (piece: Piece, nl: string): string => {
  if (piece.is === 'wire') return piece.text.replaceAll('\n', nl);
  const { index, kind, size, more } = piece;
  const text = kind === 'text' ? { text: words(size) } : {};
  return `data: ${chunkOf([{ index, ...text, delta: delta(kind, size), logprobs: { content: [] }, finish_reason: null }], more)}${nl}${nl}`;
};

/** What a client reads of each choice. */
const readBy = (written: string) => {
  const said = new Map<number, string>();
  const finished: number[] = [];
  let [done, failed, events] = [false, false, 0];
  const parser = createParser({
    onEvent: ({ data }) => {
      events++;
      if (data === '[DONE]') return void (done = true);
      const { choices, error } = JSON.parse(data) as {
        choices: null | { index: number; text?: string; delta?: object; finish_reason?: string | null }[];
        error?: object;
      };
      failed ||= error !== undefined;
      for (const { index, text, delta = {}, finish_reason: finish } of choices ?? []) {
        const size = text?.length ?? JSON.stringify(delta).match(/ww*(?=")/)?.[0].length ?? 0;
        said.set(index, (said.get(index) ?? '') + words(size));
        if (finish) finished.push(index);
      }
    },
  });
  parser.feed(written);
  return { said, finished, done, failed, events };
};

const bySdk = async (written: string): Promise<'read' | 'raised'> => {
  const headers = { 'content-type': 'text/event-stream' };
  const fetch = () => Promise.resolve(new Response(written, { headers }));
  const client = new OpenAI({ apiKey: 'k', baseURL: 'http://test/v1', fetch, maxRetries: 0 });
  try {
    const stream = await client.chat.completions.create({ model: 'm', messages: [], stream: true });
    for await (const one of stream) expect(one).toHaveProperty('choices');
    return 'read';
  } catch {
    return 'raised';
  }
};

describe('a stream of whatever shape', () => {
  const size = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 9 }) },
    { weight: 6, arbitrary: fc.integer({ min: 100, max: 900 }) },
    { weight: 1, arbitrary: fc.integer({ min: 5000, max: 30_000 }) },
  );
  const kind = fc.constantFrom<Kind>('content', 'content', 'reasoning', 'parts', 'tool', 'refusal', 'text');
  const reports = fc.integer({ min: 0, max: 4000 }).map((output) => ({ usage: usage(3, output) }));
  const piece = (choices: number): fc.Arbitrary<Piece> =>
    fc.oneof(
      {
        weight: 30,
        arbitrary: fc.record({
          is: fc.constant('said' as const),
          // Now and then one that nobody asked for.
          index: fc.oneof({ weight: 30, arbitrary: fc.nat(choices - 1) }, { weight: 1, arbitrary: fc.nat(9) }),
          ...{ kind, size },
          more: fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: reports }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc
          .constantFrom(
            ': still here\n\n',
            '\n',
            'event: ping\n\n',
            'id: 1\nretry: 10\n\n',
            'nothing: of the kind\n\n',
            'data: no JSON\n\n',
            'data: {"choices":[]}\n\n',
            'data: {"choices":null}\n\n',
            'data: {"choices":[{"index":0,"delta":{}}]}\n\n',
            'data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":""}]}\n\n',
          )
          .map((text) => ({ is: 'wire' as const, text })),
      },
    );
  const shape = fc.integer({ min: 1, max: 4 }).chain((choices) =>
    fc.record({
      choices: fc.constant(choices),
      pieces: fc.array(piece(choices), { maxLength: 120, size: 'max' }),
      nl: fc.constantFrom('\n', '\n', '\r\n', '\r'),
      head: fc.constantFrom('', '', '\uFEFF', '\n\n', ': hello\n\n'),
      contentType: fc.constantFrom('text/event-stream', 'text/event-stream', 'application/json', ''),
      ending: fc.constantFrom('usage', 'no usage', 'closed', 'break', 'error'),
      byEvent: fc.boolean(),
      cuts: fc.array(fc.nat(), { maxLength: 60, size: 'max' }),
      credits: fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.constant(1_000_000)).map((n) => BigInt(n) * 4000n),
      limit: fc.option(fc.integer({ min: 1, max: 6000 }), { nil: undefined }),
      includeUsage: fc.boolean(),
    }),
  );

  it('is charged as far as was asked for, cut a step beyond that and not before, borne beyond it, and read by any client', () =>
    fc.assert(
      fc.asyncProperty(shape, async (how) => {
        const {
          choices,
          pieces,
          nl,
          head,
          contentType,
          ending,
          byEvent,
          cuts,
          credits,
          limit: asked,
          includeUsage,
        } = how;
        const account = openAccount(credits);
        const limit = Math.min(asked ?? Infinity, price.maxOutputTokens) * choices;
        const said = new Map<number, string>();
        for (const one of pieces) {
          if (one.is === 'said') said.set(one.index, (said.get(one.index) ?? '') + words(one.size));
        }
        const all = tokensOf([...said.values()]);
        const finish = Array.from(
          { length: choices },
          (_, index) => `data: ${chunkOf([{ index, delta: {}, finish_reason: 'stop' }])}${nl}${nl}`,
        );
        const ended = ending === 'break' || ending === 'error' ? [] : finish;
        const bytes = Buffer.from(
          [
            head,
            ...pieces.map((one) => wireOf(one, nl)),
            ...ended,
            ...(ending === 'usage' ? [`data: ${chunkOf([], { usage: usage(3, all) })}${nl}${nl}`] : []),
            ...(ending === 'error' ? [`data: {"error":{"message":"x"}}${nl}${nl}`] : []),
            ...(ending === 'usage' || ending === 'no usage' ? [`data: [DONE]${nl}${nl}`] : []),
          ].join(''),
        );
        const ends = byEvent ? [...bytes.toString('latin1').matchAll(/\n\n/g)].map(({ index }) => index + 2) : [];
        const places = [...new Set([0, ...ends, ...cuts.map((at) => at % bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        );
        const upstream = createTestProvider(() => ({
          contentType,
          body: (async function* () {
            for (const [n, to] of places.slice(1).entries()) yield await Promise.resolve(bytes.subarray(places[n], to));
            if (ending === 'break') throw new ProviderFailed('reset', 'broke');
          })(),
        }));
        const completions = createCompletions({
          formats,
          ...{ findPrice: () => price, providers: new Map([['test', upstream]]), execute: account.execute },
          ...{ recordedBy: () => Promise.resolve(undefined), idempotencySecret: 's', promptTokens: tokens, tokens },
          ...{
            runId: () => 'run',
            isPaused: () => false,
            logCopy: { isRecent: () => true, confirm: () => Promise.resolve(true) },
            now: () => new Date(),
            idleTimeoutMs: 60_000,
            upstreamRefused: () => undefined,
          },
        });
        const body = {
          ...{ model: 'm', messages: [{ role: 'user', content: 'How are you' }], stream: true, n: choices },
          ...(asked === undefined ? {} : { max_tokens: asked }),
          ...(includeUsage ? { stream_options: { include_usage: true } } : {}),
        };
        const answer = await completions.complete({
          ...{ uuid: '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d', accountId: 'acc_1', keyId: KEY_ID },
          ...{ endpoint: '/chat/completions', body: Buffer.from(JSON.stringify(body)) },
          gone: new AbortController().signal,
        });
        fc.pre(answer.kind === 'stream' || account.events.length > 0);
        let written = '';
        if (answer.kind === 'stream') {
          await answer.relay(
            sinkOf((passing) => {
              written += typeof passing === 'string' ? passing : Buffer.from(passing).toString();
              return undefined;
            }),
          );
        }

        expect(completions.active).toBe(0);
        expect(account.state.wallet.held).toBe(0n);
        const books = audit(account.history);
        expect(books.charged).toBeLessThanOrEqual(credits);
        const told = readBy(written);
        const delivered = tokensOf([...told.said.values()]);
        expect(delivered).toBeLessThanOrEqual(limit + STEP_TOKENS * choices);
        const end = account.events.find((event) => event.type === 'HoldSettled');
        if (!end) {
          expect(delivered).toBe(0);
          return;
        }
        const { usageSource, ended: howEnded, finishReason } = end.delivery;
        const borne = account.events.find((event) => event.type === 'UsageWrittenOff')?.beyond ?? noUsage;
        expect(books.writtenOff).toBe(end.cost - end.charged + cost(borne, rates));
        if (usageSource === 'metered') expect(borne).toEqual({ ...noUsage, output: Math.max(0, delivered - limit) });
        expect(end.usage.output).toBeLessThanOrEqual(limit);
        if (borne.output > 0) expect(end.usage.output).toBe(limit);
        if (usageSource === 'metered') expect(end.usage.output).toBe(Math.min(delivered, limit));
        const lawful = all <= limit && credits === 4_000_000_000n;
        if (lawful) expect(delivered).toBe(all);
        if (lawful && ended.length > 0) expect([howEnded, finishReason]).toEqual(['completed', 'stop']);
        const inOrder = howEnded === 'completed' || howEnded === 'out_of_credits';
        expect([told.done, told.failed]).toEqual([inOrder, !inOrder]);
        expect(await bySdk(written)).toBe(inOrder ? 'read' : 'raised');
        if (inOrder) expect(told.finished.toSorted()).toEqual(Array.from({ length: choices }, (_, index) => index));
      }),
      // To shrink a stream that failed takes minutes; the first that did is told as it is.
      { numRuns: 300, endOnFailure: true },
    ));
});
