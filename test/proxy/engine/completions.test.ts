import { describe, expect, it, vi } from 'vitest';
import type { PriceVersion } from '../../../src/domain/prices/price-book.ts';
import { StoreFull, StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { formats } from '../../../src/gateway/providers.ts';
import {
  createCompletions,
  type Answer,
  type CompletionsOptions,
  type UpstreamRefusal,
} from '../../../src/proxy/engine/completions.ts';
import { HoldsPaused } from '../../../src/proxy/engine/hold/hold.ts';
import type { ExecuteOnAccount } from '../../../src/proxy/engine/ledger.ts';
import type { Endpoint } from '../../../src/proxy/providers/http/transport.ts';
import type { Dialect } from '../../../src/proxy/providers/openai/dialects.ts';
import { ProviderFailed, type Provider } from '../../../src/proxy/providers/provider.ts';
import { KEY_ID, openAccount, type TestAccount } from './account.ts';
import {
  bodyOf,
  chat,
  chunk,
  countWords,
  createTestProvider,
  lastChunk,
  never,
  price,
  sinkOf,
  sse,
  streamOf,
  usage,
  usageChunk,
  type Piece,
  like,
} from '../examples.ts';

const CREDITS = 1_000_000_000n;
const whole = JSON.stringify({
  id: 'chatcmpl-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Fine.' }, finish_reason: 'stop' }],
  usage: usage(9, 2),
});
const answering = (body: string, more: object = {}, dialect?: Dialect) =>
  createTestProvider(() => ({ body: bodyOf([body]), ...more }), dialect);

async function* bodyOfBytes(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

let calls = 0;
const uuidOf = (n: number): string => `0198f3c2-7b1e-7c3a-9d52-${String(n).padStart(12, '0')}`;

type Options = {
  readonly upstream?: Provider;
  readonly prices?: readonly PriceVersion[];
  readonly account?: TestAccount;
  readonly execute?: ExecuteOnAccount;
  readonly logCopy?: CompletionsOptions['logCopy'];
};

const open = ({
  upstream = answering(whole),
  prices = [price],
  account = openAccount(CREDITS),
  execute,
  logCopy = { isRecent: () => true, confirm: () => Promise.resolve(true) },
}: Options = {}) => {
  const refusals: UpstreamRefusal[] = [];
  const completions = createCompletions({
    formats,
    findPrice: (model) => prices.find((one) => one.model === model),
    providers: new Map([['test', upstream]]),
    execute: execute ?? account.execute,
    recordedBy: () => Promise.resolve(undefined),
    idempotencySecret: 'of the tests',
    promptTokens: countWords,
    tokens: countWords,
    runId: () => 'run',
    isPaused: () => false,
    logCopy,
    now: () => new Date(),
    idleTimeoutMs: 10_000,
    upstreamRefused: (refusal) => refusals.push(refusal),
  });
  const ask = (body: unknown = chat, gone = new AbortController().signal, endpoint: Endpoint = '/chat/completions') =>
    completions.complete({
      uuid: uuidOf(calls++),
      accountId: 'acc_1',
      keyId: KEY_ID,
      endpoint,
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      gone,
    });
  return { completions, ask, account, refusals };
};

/** Relays a stream to nowhere; tells what was written. */
const relay = async (answer: Answer): Promise<string> => {
  if (answer.kind !== 'stream') throw new Error(`it is ${answer.kind}`);
  let written = '';
  await answer.relay(
    sinkOf((passing) => {
      written += typeof passing === 'string' ? passing : Buffer.from(passing).toString();
      return undefined;
    }),
  );
  return written;
};

describe('a completion', () => {
  it.each([
    [{}, { max_tokens: 16 }],
    [{ max_tokens: null }, { max_tokens: 16 }],
    [{ max_tokens: 9 }, { max_tokens: 9 }],
  ])('of the older format with %j says its limit to the provider', async (given, told) => {
    const upstream = answering(whole);
    const { ask } = open({ upstream, prices: [{ ...price, kind: 'completion' }] });
    const asked = { model: chat.model, prompt: 'a b' };
    expect(await ask({ ...asked, ...given }, undefined, '/completions')).toMatchObject({ kind: 'whole' });
    expect(upstream.sent).toEqual([{ endpoint: '/completions', body: { ...asked, ...told } }]);
  });

  it.each([
    ['is refused, without a hold, if the copy of the log is too old', false],
    ['is accepted if the copy of the log was only not compared for long', true],
  ])('%s', async (_, isRecent) => {
    const account = openAccount(CREDITS);
    const asked: string[] = [];
    const { ask } = open({
      account,
      execute: (accountId, command, ...rest) => {
        asked.push(command.type);
        return account.execute(accountId, command, ...rest);
      },
      logCopy: { isRecent: () => false, confirm: () => Promise.resolve(isRecent) },
    });
    expect(await ask()).toMatchObject(
      isRecent ? { kind: 'whole' } : { kind: 'problem', problem: { kind: 'log_copy_too_old' } },
    );
    expect(asked.includes('ReserveCredits')).toBe(isRecent);
  });

  it('fails as the log does if its copy is too old and the log cannot be read', async () => {
    const confirm = () => Promise.reject(new Error('no database'));
    const { ask } = open({ logCopy: { isRecent: () => false, confirm } });
    await expect(ask()).rejects.toThrow('no database');
  });

  it('is refused as paused, without a release, if the pause begins before its hold is placed', async () => {
    const asked: string[] = [];
    const { ask } = open({
      execute: (_accountId, { type }) => {
        asked.push(type);
        return Promise.reject(new HoldsPaused('the log went back in time'));
      },
    });
    expect(await ask()).toEqual({ kind: 'problem', problem: { kind: 'paused' } });
    expect(asked).toEqual(['ReserveCredits']);
  });

  it('is reserved, forwarded, settled and answered', async () => {
    const upstream = answering(whole);
    const { ask, account, completions } = open({ upstream });
    const answer = await ask();
    expect(answer).toMatchObject({
      kind: 'whole',
      costUsd: '0.000017',
      generationId: expect.stringMatching(/^gen-/) as string,
    });
    expect(upstream.sent).toEqual([{ endpoint: '/chat/completions', body: chat }]);
    expect(account.events.map(({ type }) => type)).toEqual(['CreditsReserved', 'HoldSettled']);
    expect(account.state.wallet).toMatchObject({ balance: CREDITS - 17_000n, held: 0n });
    expect(completions.active).toBe(0);
  });

  it('is refused where it has more values than any needs, and sold where a long text looks like that', async () => {
    const upstream = answering(whole);
    const { ask, account } = open({ upstream });
    expect(await ask({ ...chat, metadata: Array.from({ length: 400_000 }, () => 1) })).toMatchObject({
      problem: { kind: 'bad_request', code: 'invalid_request', message: expect.stringContaining('400000') as string },
    });
    expect(account.events).toEqual([]);
    const messages = [{ role: 'user', content: '{"a":[1,2]},'.repeat(50_000) }];
    expect(await ask({ ...chat, messages })).toMatchObject({ kind: 'whole' });
  });

  it('sells no more of a window than its price is for, though the model may read more', async () => {
    const upstream = answering(whole);
    const { ask, account } = open({ upstream, prices: [{ ...price, contextTokens: 1000 }] });
    const told = (content: unknown) => ask({ ...chat, messages: [{ role: 'user', content }] });
    for (const content of ['w '.repeat(1001), [{ type: 'text', text: 'w '.repeat(1001) }]]) {
      expect(await told(content)).toMatchObject({
        problem: { kind: 'bad_request', code: 'context_length_exceeded', param: 'messages' },
      });
    }
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'upstream_refused' });
    expect(account.state.wallet).toMatchObject({ balance: CREDITS, held: 0n });
    expect(upstream.sent).toEqual([]);
    expect(await told('words '.repeat(1000))).toMatchObject({ kind: 'whole' });
    const image_url = { url: `data:image/png;base64,${'A'.repeat(4000)}` };
    expect(await told([{ type: 'image_url', image_url }])).toMatchObject({ kind: 'whole' });
  });

  it('is charged for all that was read, where that is more than the window that is sold', async () => {
    // Older functions are read by models, and not counted here.
    const functions = [{ name: 'f', description: 'w '.repeat(5000) }];
    const upstream = answering(JSON.stringify({ ...(JSON.parse(whole) as object), usage: usage(5000, 2) }));
    const { ask, account } = open({ upstream, prices: [{ ...price, contextTokens: 1000 }] });
    expect(await ask({ ...chat, functions })).toMatchObject({ kind: 'whole', costUsd: '0.005008' });
    expect(account.events.at(-1)).toMatchObject({ usage: { input: 5000 }, delivery: { usageSource: 'reported' } });
  });

  it('tells what the customer pays, and not what we do, as xAI and OpenRouter tell us', async () => {
    const ours = { cost: 0.5, cost_details: { upstream_inference_cost: 0.4 }, cost_in_usd_ticks: 232856000 };
    const told = { ...usage(9, 2), num_sources_used: 0, ...ours };
    const { ask } = open({ upstream: answering(JSON.stringify({ ...(JSON.parse(whole) as object), usage: told })) });
    const answer = await ask();
    if (answer.kind !== 'whole') throw new Error('it is answered');
    const paid = { ...usage(9, 2), num_sources_used: 0, cost: 0.000017, cost_usd: '0.000017' };
    expect(JSON.parse(answer.body)).toMatchObject({ usage: paid });
    expect(answer.body).not.toMatch(/cost_(?!usd)|upstream_/);
    const upstream = createTestProvider(() =>
      streamOf([
        sse(chunk({ content: 'a' }, { usage: told }), lastChunk, chunk({}, { choices: [], usage: told }), '[DONE]'),
      ]),
    );
    const stream = await open({ upstream }).ask({ ...chat, stream: true, stream_options: { include_usage: true } });
    const written = await relay(stream);
    expect(written).toContain(`"usage":${JSON.stringify(paid)}`);
    expect(written).not.toMatch(/cost_(?!usd)|upstream_/);
  });

  it('sells no sound that may cost more than text', async () => {
    const upstream = answering(whole);
    const { ask, account } = open({ upstream });
    const content = [{ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }];
    expect(await ask({ ...chat, messages: [{ role: 'user', content }] })).toMatchObject({
      problem: { kind: 'bad_request', code: 'unsupported_parameter', param: 'messages.content.input_audio' },
    });
    expect(account.events).toEqual([]);
    expect(upstream.sent).toEqual([]);
  });

  it('streams with the usage asked for, whatever the customer said', async () => {
    for (const options of [{}, { stream_options: null }, { stream_options: { include_usage: false, other: 1 } }]) {
      const upstream = createTestProvider(() =>
        streamOf([sse(chunk({ content: 'a' }), lastChunk, usageChunk(9, 1), '[DONE]')]),
      );
      const { ask, completions } = open({ upstream });
      const answer = await ask({ ...chat, stream: true, ...options });
      expect(completions.active).toBe(1);
      expect(await relay(answer)).not.toContain('usage');
      expect(completions.active).toBe(0);
      expect(upstream.sent[0]?.body['stream_options']).toEqual({ ...options.stream_options, include_usage: true });
    }
  });

  it('streams however the media type is written', async () => {
    for (const contentType of [
      'text/event-stream',
      'text/event-stream;charset=UTF-8',
      'Text/Event-Stream; charset=utf-8',
    ]) {
      const upstream = createTestProvider(() => ({ ...streamOf([sse(lastChunk, '[DONE]')]), contentType }));
      await relay(await open({ upstream }).ask({ ...chat, stream: true }));
    }
  });

  it('streams under whatever name, where it begins as a stream', async () => {
    const events = sse(chunk({ content: 'a' }), lastChunk, usageChunk(9, 1), '[DONE]');
    const told = sse(chunk({ content: 'a' }), lastChunk, '[DONE]');
    for (const contentType of ['application/json', '', 'text/plain; charset=utf-8', 'application/octet-stream']) {
      for (const pieces of [
        [events],
        [': OPENROUTER PROCESSING\n\n', events],
        ['\n', '\n', 'da', events.slice(2)],
        ['\uFEFF', events],
        ['event: message\n', events],
        ['retry: 3\n', events],
      ]) {
        const upstream = createTestProvider(() => ({ ...streamOf(pieces), contentType }));
        const { ask, account, completions } = open({ upstream });
        expect((await relay(await ask({ ...chat, stream: true }))).replace(/^[^d][^\n]*\n+/, '')).toBe(told);
        expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', usage: { input: 9, output: 1 } });
        expect(completions.active).toBe(0);
      }
    }
  });

  it('is no stream where it does not begin as one, and none at all where it ends before', async () => {
    const answered = open({
      upstream: createTestProvider(() => ({ ...streamOf(['\n ', '\n', whole]), contentType: '' })),
    });
    expect(await relay(await answered.ask({ ...chat, stream: true }))).toContain('"delta":{"role":"assistant"');
    for (const pieces of [[], ['\n'], ['dat'], ['<html>'], ['data'], [new ProviderFailed('reset', 'broke')]]) {
      const { ask, account, completions } = open({
        upstream: createTestProvider(() => ({ ...streamOf(pieces), contentType: 'application/json' })),
      });
      expect(await ask({ ...chat, stream: true })).toMatchObject({
        problem: { kind: 'upstream_failed', code: 'upstream_error' },
      });
      expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'upstream_failed' });
      expect(completions.active).toBe(0);
    }
  });

  it('fails as it failed where nothing had come as yet', async () => {
    const silent = createTestProvider(() => ({
      ...streamOf(['\n', new ProviderFailed('timeout', 'silent')]),
      contentType: '',
    }));
    const { ask, account } = open({ upstream: silent });
    expect(await ask({ ...chat, stream: true })).toMatchObject({ problem: { code: 'upstream_timeout' } });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', detail: 'timeout' });
  });

  it('leaves an upstream that has said nothing as yet when the customer leaves', async () => {
    let left = false;
    const customer = new AbortController();
    const silent = function* () {
      customer.abort();
      yield never;
    };
    const upstream = createTestProvider((signal) => {
      signal.addEventListener('abort', () => (left = true));
      return { ...streamOf(silent(), signal), contentType: '' };
    });
    const { ask, account } = open({ upstream });
    expect(await ask({ ...chat, stream: true }, customer.signal)).toMatchObject({ problem: { kind: 'client_gone' } });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'client_gone' });
    expect(left).toBe(true);
  });

  it('closes the connection of a stream under another name as of any, once it is refused', async () => {
    let closed = false;
    const body = async function* () {
      try {
        yield Buffer.from(sse(chunk({ content: 'w '.repeat(5000) })));
        yield Buffer.from(sse(lastChunk, '[DONE]'));
      } finally {
        closed = true;
      }
    };
    const upstream = createTestProvider(() => ({ contentType: '', body: body() }));
    const prices = [{ ...price, ...like('gpt-4o'), maxOutputTokens: 10_000 }];
    const { ask } = open({ upstream, prices, account: openAccount(10_000_000n) });
    expect(await relay(await ask({ ...chat, stream: true }))).toContain('credit_balance_exhausted');
    expect(closed).toBe(true);
  });

  describe('whose provider refuses the request in a response of status 200', () => {
    const error = {
      message: 'Too long.',
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    };
    const refused = { kind: 'problem', problem: { kind: 'upstream_refused', status: 400, error } };
    const said = JSON.stringify({ error });

    it.each<[string, object, string, string]>([
      ['as the first event of a stream', { stream: true }, 'text/event-stream', sse(said)],
      ['as the first event, under a name', { stream: true }, 'text/event-stream', `event: error\ndata: ${said}\n\n`],
      ['behind comments', { stream: true }, 'text/event-stream', `: wait\n\n${sse(said, '[DONE]')}`],
      ['as JSON to a request for a stream', { stream: true }, 'application/json', said],
      ['as JSON called a stream', { stream: true }, 'text/event-stream', said],
      ['as JSON', {}, 'application/json', said],
      ['as a stream that was not asked for', {}, 'text/event-stream', sse(chunk({ content: 'a' }), said)],
    ])('is refused in the same words, and charges nothing: %s', async (_, fields, contentType, body) => {
      const { ask, account, refusals, completions } = open({ upstream: answering(body, { contentType }) });
      expect(await ask({ ...chat, ...fields })).toMatchObject(refused);
      expect(account.events.map(({ type }) => type)).toEqual(['CreditsReserved', 'HoldReleased']);
      expect(account.events.at(-1)).toMatchObject({ reason: 'upstream_refused' });
      expect(account.state.wallet).toMatchObject({ balance: CREDITS, held: 0n });
      expect(refusals).toEqual([{ upstream: 'test', status: 400, rejectsOurAccount: false }]);
      expect(completions.active).toBe(0);
    });

    it('ends a stream that has begun with its code', async () => {
      const body = sse(chunk({ content: 'a b' }), said);
      const { ask, account } = open({ upstream: answering(body, { contentType: 'text/event-stream' }) });
      const written = await relay(await ask({ ...chat, stream: true }));
      expect(written.endsWith(sse(JSON.stringify({ error: refused.problem })))).toBe(true);
      expect(account.events.at(-1)).toMatchObject({ usage: { output: 2 }, delivery: { ended: 'upstream_broke' } });
    });

    it('is not passed on if it is about our account there', async () => {
      const ours = sse(JSON.stringify({ error: { message: 'org-ours has no quota', code: 'insufficient_quota' } }));
      const { ask, account } = open({ upstream: answering(ours, { contentType: 'text/event-stream' }) });
      const written = await relay(await ask({ ...chat, stream: true }));
      expect(written).toBe(sse('{"error":{"kind":"stream_broken","code":"upstream_error"}}'));
      expect(account.state.wallet).toMatchObject({ balance: CREDITS, held: 0n });
    });
  });

  describe('that comes as a stream though none was asked for', () => {
    const streamed = sse(chunk({ role: 'assistant', content: 'one ' }), chunk({ content: 'two' }), lastChunk);
    const unasked = (pieces: readonly Piece[]) => {
      let left = false;
      const upstream = createTestProvider((signal) => {
        const { body, ...rest } = streamOf(pieces, signal);
        return {
          ...rest,
          body: (async function* () {
            try {
              yield* body;
            } finally {
              left = true;
            }
          })(),
        };
      });
      return { ...open({ upstream }), hasLeft: () => left };
    };

    it.each<[string, readonly Piece[], object]>([
      ['ends', [streamed, sse(usageChunk(9, 2), '[DONE]')], { input: 9, output: 2 }],
      ['has no [DONE]', [streamed, sse(usageChunk(9, 2))], { input: 9, output: 2 }],
      ['has no usage', [streamed, sse('[DONE]')], { input: 3, output: 2 }],
      ['breaks after it finished', [streamed, new ProviderFailed('reset', 'broke')], { input: 3, output: 2 }],
      ['stays open after [DONE]', [streamed, sse(usageChunk(9, 2), '[DONE]'), never], { input: 9, output: 2 }],
      ['stays open after its usage', [streamed, sse(usageChunk(9, 2)), never], { input: 9, output: 2 }],
    ])('is one answer, charged as one, if it %s', async (_, pieces, used) => {
      const { ask, account, hasLeft } = unasked(pieces);
      const answer = await ask();
      if (answer.kind !== 'whole') throw new Error(`it is ${answer.kind}`);
      expect(JSON.parse(answer.body)).toMatchObject({
        object: 'chat.completion',
        choices: [{ message: { role: 'assistant', content: 'one two' }, finish_reason: 'stop' }],
        usage: { cost_usd: answer.costUsd },
      });
      expect(account.events.at(-1)).toMatchObject({
        type: 'HoldSettled',
        usage: used,
        delivery: { ended: 'completed', finishReason: 'stop', upstreamId: 'chatcmpl-1' },
      });
      expect(hasLeft()).toBe(true);
    });

    it.each<[string, readonly Piece[]]>([
      ['breaks before', [sse(chunk({ content: 'one' })), new ProviderFailed('reset', 'broke')]],
      ['ends before', [sse(chunk({ content: 'one' }))]],
      ['fails', [sse(chunk({ content: 'one' }), '{"error":{"message":"x","type":"server_error"}}', '[DONE]')]],
      ['has nothing but its end', [sse('[DONE]')]],
    ])('costs nothing if it %s', async (_, pieces) => {
      const { ask, account } = unasked(pieces);
      expect(await ask()).toMatchObject({ problem: { kind: 'upstream_failed', code: 'upstream_error' } });
      expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'upstream_failed' });
    });
  });

  it.each([
    ['text/plain; charset=iso-8859-1', 'latin1'],
    ['application/json; Charset="UTF-16LE"', 'utf16le'],
    ['application/json; charset=iso-8859-1', 'utf8'],
    ['application/json; a=b; charset=no-such', 'utf8'],
  ] as const)('is read in the charset that it is in: %s, %s', async (contentType, encoding) => {
    const body = bodyOfBytes(Buffer.from(whole.replace('Fine.', 'Schön.'), encoding));
    const { ask } = open({ upstream: createTestProvider(() => ({ contentType, body })) });
    expect(await ask()).toMatchObject({ kind: 'whole', body: expect.stringContaining('Schön.') as string });
  });

  it('is refused by its status, though the words of the refusal cannot be read', async () => {
    const body = bodyOf(['{"error":', new ProviderFailed('reset', 'broke')]);
    const { ask } = open({ upstream: createTestProvider(() => ({ status: 400, body })) });
    expect(await ask()).toMatchObject({ problem: { kind: 'upstream_refused', status: 400 } });
  });

  it('is told as a stream to who asked for one, though it came whole', async () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
    const message = { role: 'assistant', content: 'Fine.', tool_calls: [call] };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: 'tool_calls' }];
    const upstream = answering(JSON.stringify({ id: 'c-1', object: 'chat.completion', choices, usage: usage(9, 2) }));
    const { ask, completions } = open({ upstream });
    const delta = { ...message, tool_calls: [{ index: 0, ...call }] };
    const said = { id: 'c-1', object: 'chat.completion.chunk' };
    const chunks = [{ ...said, choices: [{ index: 0, logprobs: null, finish_reason: 'tool_calls', delta }] }];
    const plain = chunks.map((one) => JSON.stringify(one));
    expect(await relay(await ask({ ...chat, stream: true }))).toBe(sse(...plain, '[DONE]'));
    const told = JSON.stringify({
      ...said,
      choices: [],
      usage: { ...usage(9, 2), cost: 0.000017, cost_usd: '0.000017' },
    });
    const options = { stream: true, stream_options: { include_usage: true } };
    expect(await relay(await ask({ ...chat, ...options }))).toBe(sse(...plain, told, '[DONE]'));
    expect(completions.active).toBe(0);
  });

  it('is held for as a whole where a stream was asked for and none was made, or not given', async () => {
    const long = { ...(JSON.parse(whole) as object), usage: usage(9, 5000) };
    const choices = [{ index: 0, message: { content: 'w '.repeat(5000) }, finish_reason: 'stop' }];
    const upstream = answering(JSON.stringify({ ...long, choices }));
    const prices = [{ ...price, ...like('gpt-4o'), maxOutputTokens: 10_000 }];
    const rich = open({ upstream, prices });
    expect(await relay(await rich.ask({ ...chat, stream: true }))).toContain('"delta":{"content":"w w ');
    expect(rich.account.events.map(({ type }) => type)).toEqual([
      'CreditsReserved',
      ...['HoldExtended', 'HoldExtended'],
      'HoldSettled',
    ]);
    const poor = open({ upstream, prices, account: openAccount(10_000_000n) });
    expect(await poor.ask({ ...chat, stream: true })).toMatchObject({
      problem: { kind: 'refused', refusal: { code: 'insufficient_credits' } },
    });
    expect(poor.account.state.wallet).toMatchObject({ balance: 10_000_000n, held: 0n });
  });

  it('costs nothing where it ends while a whole answer, that was to stream, is yet to be held for', async () => {
    const choices = [{ index: 0, message: { content: 'w '.repeat(5000) }, finish_reason: 'stop' }];
    const upstream = answering(JSON.stringify({ ...(JSON.parse(whole) as object), choices, usage: usage(9, 5000) }));
    const prices = [{ ...price, ...like('gpt-4o'), maxOutputTokens: 10_000 }];
    for (const why of ['client_gone', 'draining'] as const) {
      const account = openAccount(CREDITS);
      const customer = new AbortController();
      const { ask, completions } = open({
        ...{ upstream, prices, account },
        execute: (...asked) => {
          if (asked[1].type !== 'ExtendHold') return account.execute(...asked);
          setTimeout(() => {
            if (why === 'client_gone') customer.abort();
            else void completions.drain(0);
          });
          return Promise.reject(new StoreUnavailable('away'));
        },
      });
      expect(await ask({ ...chat, stream: true }, customer.signal)).toMatchObject({ problem: { kind: why } });
      expect(account.events.map(({ type }) => type)).toEqual(['CreditsReserved', 'HoldReleased']);
    }
  });

  it('ends its hold where an error of ours keeps a whole answer from being settled', async () => {
    const account = openAccount(CREDITS);
    const { ask } = open({
      account,
      execute: (...asked) =>
        asked[1].type === 'SettleHold' ? Promise.reject(new Error('ours')) : account.execute(...asked),
    });
    await expect(ask()).rejects.toThrow('ours');
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'gateway_failed' });
  });

  it('writes off what an answer has beyond its limit, where no usage says how much it was', async () => {
    const content = 'w '.repeat(5000);
    const upstream = answering(JSON.stringify({ choices: [{ message: { content }, finish_reason: 'stop' }] }));
    const prices = [{ ...price, ...like('gpt-4.1') }];
    const delivery = { anomalies: ['usage_missing', 'output_beyond_limit'] };
    for (const stream of [false, true]) {
      const { ask, account } = open({ upstream, prices });
      const answer = await ask({ ...chat, max_tokens: 10, stream });
      if (stream) expect(await relay(answer)).toContain(content);
      expect(account.events.slice(-2)).toMatchObject([
        { type: 'HoldSettled', usage: { output: 10 }, delivery },
        { type: 'UsageWrittenOff', beyond: { output: 4990 }, amount: 4990n * 4000n },
      ]);
    }
  });

  it('ends its hold whatever stands in the list of choices', async () => {
    const nothing = open({ upstream: answering('{"choices":[null,7]}') });
    expect(await nothing.ask()).toMatchObject({ problem: { kind: 'upstream_failed' } });
    expect(nothing.account.state.wallet.held).toBe(0n);
    const upstream = createTestProvider(() =>
      streamOf([sse(chunk({ content: 'a b' }), chunk({}, { choices: [null] }), usageChunk(9, 2), '[DONE]')]),
    );
    const streamed = open({ upstream });
    expect(await relay(await streamed.ask({ ...chat, stream: true }))).toContain('[DONE]');
    expect(streamed.account.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged: 17_000n });
  });

  it('is answered whole where its output costs nothing, however long it is', async () => {
    const choices = [{ index: 0, message: { content: 'w '.repeat(5000) }, finish_reason: 'stop' }];
    const upstream = answering(JSON.stringify({ ...(JSON.parse(whole) as object), choices, usage: usage(9, 5000) }));
    const rates = { ...price.rates, output: 0n, reasoning: 0n };
    const { ask, account } = open({
      upstream,
      prices: [{ ...price, rates, ...like('gpt-4o'), maxOutputTokens: 10_000 }],
    });
    expect(await ask({ ...chat, stream: true })).toMatchObject({ kind: 'stream' });
    expect(account.events.at(-1)).toMatchObject({ charged: 9000n });
    expect(account.events.map(({ type }) => type)).toEqual(['CreditsReserved', 'HoldSettled']);
  });

  it("calls the model by the provider's name for it", async () => {
    const upstream = answering(whole);
    const { ask } = open({ upstream, prices: [{ ...price, upstreamModel: 'somebody/m' }] });
    await ask({ ...chat, temperature: 0.5 });
    expect(upstream.sent[0]?.body).toEqual({ ...chat, temperature: 0.5, model: 'somebody/m' });
  });

  it('tells both sides of a cap, in the words of the provider', async () => {
    const upstream = answering(whole);
    const { ask } = open({ upstream, account: openAccount(2_000_000n) });
    const answer = await ask();
    if (answer.kind !== 'whole') throw new Error('it is answered');
    expect(answer.outputCap).toBeGreaterThan(300);
    expect(upstream.sent[0]?.body).toEqual({ ...chat, max_completion_tokens: answer.outputCap });
  });

  describe('whose output was capped by credit', () => {
    const ending = (...reasons: readonly string[]): string =>
      `{ "choices": [${reasons.map((reason) => `{"logprob":-1e-5,"finish_reason":"${reason}"}`).join()}],\n` +
      ` "usage": ${JSON.stringify(usage(9, 2))} }\n`;
    const bodyOfAnswer = async (body: string, fields: object = {}, account = openAccount(2_000_000n)) => {
      const answer = await open({ upstream: answering(body), account }).ask({ ...chat, ...fields });
      if (answer.kind !== 'whole') throw new Error(`it is ${answer.kind}`);
      return answer;
    };
    it.each([[['length']], [['stop', 'length']]])(
      'says so beside the format where that cut it: %j',
      async (reasons) => {
        const { body, generationId } = await bodyOfAnswer(ending(...reasons), { n: reasons.length });
        const { kissapi } = JSON.parse(body) as { kissapi: unknown };
        expect(kissapi).toEqual({
          generation_id: generationId,
          error: {
            code: 'credit_balance_exhausted',
            message: expect.stringMatching(/credit ran out/) as string,
            type: 'insufficient_quota',
            param: null,
          },
        });
        // Not another byte is changed, but for the cost.
        const told = `,"kissapi":${JSON.stringify(kissapi)}`;
        expect(body.replace(told, '').replace(',"cost":0.000017,"cost_usd":"0.000017"', '')).toBe(ending(...reasons));
      },
    );

    it('names the limit on spending, where it was that', async () => {
      const account = openAccount(CREDITS);
      const limits = { spending: { day: 2_000_000n } };
      const given = { actor: 'a', commandId: 'limits' };
      await account.execute('acc_1', { type: 'SetKeyLimits', keyId: KEY_ID, limits }, given);
      const { body } = await bodyOfAnswer(ending('length'), {}, account);
      expect(JSON.parse(body)).toMatchObject({ kissapi: { error: { code: 'key_limit_exceeded' } } });
    });

    it.each<[string, string, object, bigint]>([
      ['it ended by itself', 'stop', {}, 2_000_000n],
      ["the limit was the customer's", 'length', { max_tokens: 10 }, 2_000_000n],
      ["the limit was the model's", 'length', {}, CREDITS],
    ])('says nothing of it where %s', async (_why, reason, fields, credits) => {
      const { body } = await bodyOfAnswer(ending(reason), fields, openAccount(credits));
      expect(body.replace(',"cost":0.000017,"cost_usd":"0.000017"', '')).toBe(ending(reason));
    });
  });

  it.each<[object, string]>([
    [{ max_completion_tokens: 7 }, '"max_tokens":7'],
    [{ max_tokens: 7 }, '"max_tokens":7'],
    [{ max_tokens: null, max_completion_tokens: 7 }, '"max_tokens":7,"max_tokens":7'],
    [{ max_tokens: 5, max_completion_tokens: 7 }, '"max_tokens":7,"max_tokens":7'],
    [{ max_completion_tokens: null }, '"max_completion_tokens":null'],
    [{}, ''],
  ])('tells a provider that knows but the older name for it of a limit like %o', async (limits, told) => {
    // DeepSeek takes no notice of `max_completion_tokens`, and says as much as it likes; Mistral answers 422.
    const older = answering(whole, {}, { outputLimitField: 'max_tokens' });
    const { ask } = open({ upstream: older });
    await ask({ ...chat, ...limits });
    const [body] = older.bodies;
    expect(body).toBe(JSON.stringify(chat).replace(/}$/, told === '' ? '}' : `,${told}}`));
  });

  it.each<[string, Options, unknown, Endpoint, object]>([
    ['what is no JSON', {}, '{', '/chat/completions', { kind: 'bad_request', code: 'invalid_json' }],
    [
      'a model that nobody listed',
      {},
      { ...chat, model: 'x' },
      '/chat/completions',
      { kind: 'model_not_found', model: 'x' },
    ],
    ['a model of another endpoint', {}, { model: 'm', input: 'x' }, '/embeddings', { kind: 'model_not_found' }],
    [
      'a provider that is switched off',
      { prices: [{ ...price, upstream: 'off' }] },
      chat,
      '/chat/completions',
      { kind: 'model_not_found' },
    ],
    [
      'an account without credit',
      { account: openAccount(1n) },
      chat,
      '/chat/completions',
      { kind: 'refused', refusal: { code: 'insufficient_credits' } },
    ],
  ])('is refused to %s, and the provider is not asked', async (_name, options, body, endpoint, expected) => {
    const upstream = answering(whole);
    const { ask, account } = open({ upstream, ...options });
    expect(await ask(body, undefined, endpoint)).toMatchObject({ kind: 'problem', problem: expected });
    expect(upstream.sent).toEqual([]);
    expect(account.events).toEqual([]);
  });

  it.each<[number, string, object]>([
    [
      400,
      '{"error":{"message":"Too long.","type":"t","param":"p","code":"c"}}',
      { kind: 'upstream_refused', status: 400, error: { message: 'Too long.', type: 't', param: 'p', code: 'c' } },
    ],
    [
      422,
      'no JSON',
      { kind: 'upstream_refused', status: 422, error: { message: 'The provider refused the request.', code: null } },
    ],
    [404, '{"error":"a text"}', { kind: 'upstream_refused', error: { type: 'invalid_request_error' } }],
    [401, '', { kind: 'upstream_failed', code: 'no_provider' }],
    [429, '', { kind: 'upstream_failed', code: 'server_is_overloaded', retryAfterMs: 1500 }],
    [408, '', { kind: 'upstream_failed', code: 'upstream_timeout' }],
    [500, '', { kind: 'upstream_failed', code: 'upstream_error', retryAfterMs: 1500 }],
    [302, '', { kind: 'upstream_failed', code: 'upstream_error' }],
  ])('that the provider answers with %i costs nothing', async (status, body, expected) => {
    const { ask, account, refusals } = open({ upstream: answering(body, { status, retryAfterMs: 1500 }) });
    expect(await ask()).toMatchObject({ kind: 'problem', problem: expected });
    // Its name, as the operator knows it, and whether it is they who must act.
    expect(refusals).toEqual([{ upstream: 'test', status, rejectsOurAccount: status === 401 }]);
    expect(account.events.at(-1)).toMatchObject({
      type: 'HoldReleased',
      reason: 'upstream_refused',
      detail: `status ${status}`,
    });
  });

  it('that breaks costs nothing', async () => {
    const failures: readonly Provider[] = [
      createTestProvider(() => Promise.reject(new ProviderFailed('connect', 'x'))),
      createTestProvider(() => ({ body: bodyOf([whole.slice(0, 9), new ProviderFailed('reset', 'x')]) })),
      createTestProvider(() => ({ status: 500, body: bodyOf([new ProviderFailed('reset', 'x')]) })),
      answering('<html>'),
      answering('{"error":{"message":"x"}}'),
    ];
    for (const upstream of failures) {
      const { ask, account, completions } = open({ upstream });
      expect(await ask()).toMatchObject({ problem: { kind: 'upstream_failed', code: 'upstream_error' } });
      expect(account.state.wallet).toMatchObject({ balance: CREDITS, held: 0n });
      expect(completions.active).toBe(0);
    }
  });

  it('that nobody waits for any more is not asked for', async () => {
    const upstream = answering(whole);
    const { ask, account } = open({ upstream });
    expect(await ask(chat, AbortSignal.abort())).toMatchObject({ problem: { kind: 'client_gone' } });
    expect(upstream.sent).toEqual([]);
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'client_gone' });
  });

  it('that an error of ours ends gives the hold back', async () => {
    const upstream = createTestProvider(() => Promise.reject(new TypeError('a bug')));
    const { ask, account, completions } = open({ upstream });
    await expect(ask()).rejects.toThrow(TypeError);
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'gateway_failed' });
    expect(completions.active).toBe(0);
  });

  it('that an error of ours ends once the answer is there gives the hold back as well', async () => {
    const account = openAccount(CREDITS);
    const execute: ExecuteOnAccount = (...asked) =>
      asked[1].type === 'SettleHold' ? Promise.reject(new TypeError('a bug')) : account.execute(...asked);
    await expect(open({ account, execute }).ask()).rejects.toThrow(TypeError);
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'gateway_failed' });
  });

  it('may begin with a byte order mark, and with blank lines', async () => {
    for (const before of ['\uFEFF', '\n\n\r\n  ']) {
      const { ask } = open({ upstream: answering(before + whole) });
      expect(await ask()).toMatchObject({ kind: 'whole', costUsd: '0.000017' });
    }
  });

  it('whose choices are none leaves no hold', async () => {
    const { ask, account } = open({ upstream: answering('{"choices":[null]}') });
    expect(await ask()).toMatchObject({ problem: { kind: 'upstream_failed' } });
    expect(account.state.wallet.held).toBe(0n);
  });

  it('whose reservation nobody acknowledged leaves no hold, though it was written', async () => {
    const account = openAccount(CREDITS);
    const execute: ExecuteOnAccount = async (...asked) => {
      const outcome = await account.execute(...asked);
      if (asked[1].type === 'ReserveCredits') throw new StoreUnavailable('the answer was lost');
      return outcome;
    };
    const { ask } = open({ account, execute });
    await expect(ask()).rejects.toThrow(StoreUnavailable);
    await vi.waitFor(() => expect(account.state.wallet).toMatchObject({ balance: CREDITS, held: 0n }));
  });

  it('whose reservation found no room has nothing to give back', async () => {
    const commands: string[] = [];
    const { ask } = open({
      execute: async (_account, command) => {
        commands.push(command.type);
        return Promise.reject(new StoreFull('no room'));
      },
    });
    await expect(ask()).rejects.toThrow(StoreFull);
    expect(commands).toEqual(['ReserveCredits']);
  });
});

describe('draining', () => {
  const streaming = () => createTestProvider((signal) => streamOf([sse(chunk({ content: 'one two' })), never], signal));

  it('takes no more', async () => {
    const { completions, ask, account } = open();
    await completions.drain(1000);
    expect(await ask()).toMatchObject({ kind: 'problem', problem: { kind: 'draining' } });
    expect(account.events).toEqual([]);
  });

  it('lets those under way end', async () => {
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const upstream = createTestProvider((signal) =>
      streamOf([sse(chunk({ content: 'a' })), finished, sse(lastChunk, usageChunk(9, 1), '[DONE]')], signal),
    );
    const { completions, ask, account } = open({ upstream });
    const written = relay(await ask({ ...chat, stream: true }));
    const drained = completions.drain(60_000);
    finish();
    await drained;
    expect(await written).toContain('[DONE]');
    expect(account.events.at(-1)).toMatchObject({ delivery: { ended: 'completed' } });
  });

  it('ends those that outlast the grace, and charges what they delivered', async () => {
    const { completions, ask, account } = open({ upstream: streaming() });
    const written = relay(await ask({ ...chat, stream: true }));
    await completions.drain(10);
    expect(await written).toContain('"code":"draining"');
    expect(account.events.at(-1)).toMatchObject({
      type: 'HoldSettled',
      usage: { input: 3, output: 2 },
      delivery: { ended: 'drained' },
    });
    expect(completions.active).toBe(0);
  });

  it('charges nothing where nothing was delivered', async () => {
    const upstream = createTestProvider(
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    const { completions, ask, account } = open({ upstream });
    const answer = ask();
    await vi.waitFor(() => expect(upstream.sent).toHaveLength(1));
    await completions.drain(10);
    expect(await answer).toMatchObject({ problem: { kind: 'draining' } });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'gateway_failed' });
  });

  it('waits for those whose credits are being set aside, and gives these back', async () => {
    const account = openAccount(CREDITS);
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    let reserving = false;
    const execute: ExecuteOnAccount = async (...asked) => {
      if (asked[1].type === 'ReserveCredits') {
        reserving = true;
        await held;
      }
      return account.execute(...asked);
    };
    const upstream = answering(whole);
    const { completions, ask } = open({ account, execute, upstream });
    const answer = ask();
    await vi.waitFor(() => expect(reserving).toBe(true));
    expect(completions.active).toBe(1);
    let drained = false;
    const draining = completions.drain(1000).then(() => (drained = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(false);
    goOn();
    await draining;
    expect(account.events.map(({ type }) => type)).toEqual(['CreditsReserved', 'HoldReleased']);
    expect(await answer).toMatchObject({ problem: { kind: 'draining' } });
    expect(upstream.sent).toEqual([]);
    expect(completions.active).toBe(0);
  });

  it('does not begin what is still being looked at', async () => {
    const { completions, ask, account } = open();
    const answer = ask({ ...chat, messages: [{ role: 'user', content: 'x'.repeat(500_000) }] });
    await completions.drain(1000);
    expect(await answer).toMatchObject({ problem: { kind: 'draining' } });
    expect(account.events).toEqual([]);
  });
});

describe('what is sent is what is priced', () => {
  const chatFields = { service_tier: 'default', store: false };
  const openAi = () =>
    answering(whole, {}, { outputLimitField: 'max_completion_tokens', chatFields, cacheTtls: ['30m'] });
  const bodySent = async (upstream: ReturnType<typeof answering>, fields: object, endpoint?: Endpoint) => {
    const prices = [endpoint === '/completions' ? { ...price, kind: 'completion' as const } : price];
    const body = endpoint === '/completions' ? { model: chat.model, prompt: 'a', max_tokens: 5 } : chat;
    const { ask } = open({ upstream, prices });
    expect(await ask({ ...body, ...fields }, undefined, endpoint)).toMatchObject({ kind: 'whole' });
    return upstream.sent[0]?.body;
  };

  it.each([
    {},
    { service_tier: 'auto', store: true },
    { service_tier: 'default', store: false },
    { service_tier: null, store: null },
  ])('in the default tier and not stored, at a provider that knows both: %j', async (fields) =>
    expect(await bodySent(openAi(), fields)).toEqual({ ...chat, ...chatFields }),
  );

  it('without fields that a provider may not know, unless the customer sent them', async () => {
    expect(await bodySent(answering(whole), {})).toEqual(chat);
    const fields = { service_tier: 'auto', store: true };
    expect(await bodySent(answering(whole), fields)).toEqual({ ...chat, ...chatFields });
  });

  it('on the older endpoint without fields that it does not know', async () => {
    const body = await bodySent(openAi(), {}, '/completions');
    expect(body).toEqual({ model: chat.model, prompt: 'a', max_tokens: 5 });
  });

  it('and a lifetime in a cache without a price is refused before anything is held', async () => {
    const { ask, account } = open({ upstream: openAi() });
    const options = { prompt_cache_options: { mode: 'explicit', ttl: '12h' } };
    expect(await ask({ ...chat, ...options })).toMatchObject({
      problem: { kind: 'bad_request', code: 'unsupported_parameter', param: 'prompt_cache_options.ttl' },
    });
    expect(account.events).toEqual([]);
    expect(await ask({ ...chat, prompt_cache_options: { ttl: '30m' } })).toMatchObject({ kind: 'whole' });
  });

  const anomaliesOf = (account: TestAccount) =>
    account.events.flatMap((event) => (event.type === 'HoldSettled' ? event.delivery.anomalies : []));
  const answered = { ...(JSON.parse(whole) as object) };

  it.each<[object, readonly string[]]>([
    [{}, []],
    [{ service_tier: null }, []],
    [{ service_tier: 'default' }, []],
    [{ service_tier: 'on_demand' }, []],
    [{ service_tier: 'priority' }, ['other_service_tier']],
    [{ service_tier: 'flex' }, ['other_service_tier']],
    [{ service_tier: 7 }, ['other_service_tier']],
    [{ usage: { ...usage(9, 2), service_tier: 'priority' } }, ['other_service_tier']],
    [{ usage: { ...usage(9, 2), service_tier: 'STANDARD' } }, []],
  ])('and an answer of another tier is flagged on the receipt: %j', async (told, anomalies) => {
    const { ask, account } = open({ upstream: answering(JSON.stringify({ ...answered, ...told })) });
    expect(await ask()).toMatchObject({ kind: 'whole' });
    expect(anomaliesOf(account)).toEqual(anomalies);

    const events = [chunk({ content: 'Fine.' }, told), lastChunk, usageChunk(9, 2), '[DONE]'];
    const streamed = open({ upstream: createTestProvider(() => streamOf([sse(...events)])) });
    await relay(await streamed.ask({ ...chat, stream: true }));
    expect(anomaliesOf(streamed.account)).toEqual(anomalies);
  });
});
