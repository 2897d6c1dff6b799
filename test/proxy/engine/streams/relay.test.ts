import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExecuteOnAccount } from '../../../../src/proxy/engine/ledger.ts';
import { ProviderFailed } from '../../../../src/proxy/providers/provider.ts';
import { openAccount, type TestAccount } from '../account.ts';
import { chunk, lastChunk, never, sse, usage, usageChunk, type Piece } from '../../examples.ts';
import { after, ASKED_AT, CREDITS, IDLE_MS, relayed, timed, type RelayOptions } from './relayed.ts';

const includeUsage = { stream: true, stream_options: { include_usage: true } };

let account: TestAccount;
let customer: AbortController;
beforeEach(() => {
  account = openAccount(CREDITS);
  customer = new AbortController();
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

const relay = (pieces: Iterable<Piece>, options: RelayOptions = {}) => relayed(pieces, account, customer, options);

const said = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'one ' }), chunk({ content: 'two' })];
const complete = sse(...said, lastChunk, usageChunk(9, 2), '[DONE]');
const broke = new ProviderFailed('reset', 'broke');

describe('a stream that is relayed', () => {
  it('is settled before its end is told', async () => {
    let settledAtEnd: boolean | undefined;
    const { written, end } = await relay([complete], {
      wrote: (text) => {
        if (text.includes('[DONE]')) settledAtEnd = account.state.wallet.held === 0n;
      },
    });
    expect(written).toBe(`${sse(...said, lastChunk)}data: [DONE]\n\n`);
    expect(settledAtEnd).toBe(true);
    expect(end).toMatchObject({
      type: 'HoldSettled',
      charged: 17_000n,
      usage: { input: 9, output: 2 },
      delivery: { usageSource: 'reported', ended: 'completed', finishReason: 'stop', upstreamId: 'chatcmpl-1' },
    });
  });

  it('tells usage and cost to who asked for it, and makes a chunk of them where the provider did not', async () => {
    const told = await relay([complete], { fields: includeUsage });
    expect(told.written).toContain(
      '"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"cost":0.000017,"cost_usd":"0.000017"}',
    );
    account = openAccount(CREDITS);
    const made = await relay([sse(...said, lastChunk, '[DONE]')], { fields: includeUsage });
    expect(made.written).toContain(
      '"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"cost":0.000011,"cost_usd":"0.000011"}',
    );
    // Made here, it is as old as the request.
    expect(made.written).toContain(`"created":${Math.floor(ASKED_AT.getTime() / 1000)},`);
    expect(made.end).toMatchObject({ delivery: { usageSource: 'metered', anomalies: ['usage_missing'] } });
  });

  it('is complete without [DONE] where it said how it finished', async () => {
    const { written, end } = await relay([sse(...said, lastChunk)]);
    expect(written.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(end).toMatchObject({ type: 'HoldSettled', delivery: { ended: 'completed' } });
  });

  it('is complete where its last event lacks the blank line, and charged by the usage in that', async () => {
    for (const last of [usageChunk(9, 2), chunk({}, { choices: [{ delta: {} }], usage: usage(9, 2) })]) {
      account = openAccount(CREDITS);
      const { written, end } = await relay([`${sse(...said, lastChunk)}data: ${last}`]);
      expect(written.endsWith('data: [DONE]\n\n')).toBe(true);
      expect(end).toMatchObject({ usage: { input: 9, output: 2 }, delivery: { usageSource: 'reported' } });
    }
    const { written } = await relay([`${sse(...said)}data: ${lastChunk}\n`]);
    expect(written).toBe(`${sse(...said, lastChunk)}data: [DONE]\n\n`);
  });

  it('that closes in the midst, with reasons that say nothing, has not completed', async () => {
    const choices = [{ index: 0, delta: { content: 'one' }, finish_reason: '' }];
    const { end } = await relay([sse(chunk({}, { choices }))]);
    expect(end).toMatchObject({ delivery: { ended: 'upstream_broke', finishReason: null } });
  });

  it('tells the usage once, at the end, to who asked for it, though it came in every chunk', async () => {
    const growing = said.map((data, n) => JSON.stringify({ ...(JSON.parse(data) as object), usage: usage(9, n) }));
    const { written } = await relay([sse(...growing, lastChunk, '[DONE]')], { fields: includeUsage });
    expect(written.match(/"prompt_tokens"/g)).toHaveLength(1);
    expect(written).toContain('"completion_tokens":2,"total_tokens":11,"cost":0.000017,"cost_usd":"0.000017"');
  });

  it('is charged for what was said where the usage of that is zero', async () => {
    const zeros = (content: string) => chunk({ content }, { usage: usage(0, 0) });
    for (const [pieces, input, output, usageSource] of [
      [[sse(zeros('one '), zeros('two')), broke], 3, 2, 'metered'],
      [[sse(zeros('one '), zeros('two'), lastChunk, '[DONE]')], 3, 2, 'metered'],
      [[sse(zeros('one '), zeros('two'), usageChunk(9, 4), '[DONE]')], 9, 4, 'reported'],
      [[sse(chunk({ role: 'assistant' }), lastChunk, usageChunk(9, 0), '[DONE]')], 9, 0, 'reported'],
    ] as const) {
      account = openAccount(CREDITS);
      const { end } = await relay(pieces);
      const anomalies = usageSource === 'metered' ? ['usage_without_output'] : [];
      expect(end).toMatchObject({ usage: { input, output }, delivery: { usageSource, anomalies } });
    }
  });

  it('is charged for the thoughts that a customer saw and left', async () => {
    const thought = chunk({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'one two three' }] }] });
    const { end } = await relay([sse(said[0] ?? '', thought), never], {
      wrote: (text) => {
        if (text.includes('three')) customer.abort();
      },
    });
    expect(end).toMatchObject({ type: 'HoldSettled', usage: { input: 3, output: 3 } });
  });

  it('is charged for what was metered where it breaks', async () => {
    for (const ending of [[broke], []]) {
      account = openAccount(CREDITS);
      const { written, end } = await relay([sse(...said), ...ending]);
      expect(written).not.toContain('[DONE]');
      expect(written.endsWith(sse('{"error":{"kind":"stream_broken","code":"upstream_error"}}'))).toBe(true);
      expect(end).toMatchObject({
        type: 'HoldSettled',
        usage: { input: 3, output: 2 },
        delivery: { usageSource: 'metered', ended: 'upstream_broke', anomalies: ['usage_missing'] },
      });
    }
  });

  it('is charged for each choice by itself where several come in turns', async () => {
    // Side by side in one text, these would be three words.
    const turns = ['a', ' a'].flatMap((content) =>
      [0, 1].map((index) => chunk({}, { choices: [{ index, delta: { content }, finish_reason: null }] })),
    );
    const { end } = await relay([sse(...turns), broke], { fields: { n: 2 } });
    expect(end).toMatchObject({ usage: { output: 4 }, delivery: { usageSource: 'metered' } });
  });

  it('is charged for what was said after the last report as well, where it breaks or is left', async () => {
    const begun = chunk({ content: 'zero ' }, { usage: usage(9, 5) });
    const cases: readonly (readonly Piece[])[] = [
      [sse(begun, ...said), broke],
      [sse(usageChunk(9, 5), begun, ...said)],
      [sse(begun, ...said), never],
    ];
    for (const pieces of cases) {
      account = openAccount(CREDITS);
      const { end } = await relay(pieces, {
        wrote: (text) => {
          if (pieces.includes(never) && text.includes('two')) customer.abort();
        },
      });
      expect(end).toMatchObject({
        type: 'HoldSettled',
        usage: { input: 9, output: 7 },
        delivery: { usageSource: 'reported', anomalies: ['words_after_usage'] },
      });
    }
  });

  it('is charged once for what was said after a report, where another report came', async () => {
    const begun = chunk({ content: 'zero ' }, { usage: usage(9, 5) });
    for (const pieces of [
      [sse(begun, ...said, chunk({ content: ' three' }, { usage: usage(9, 8) })), broke],
      [sse(begun, ...said, usageChunk(9, 8)), broke],
      [sse(begun, ...said, lastChunk, usageChunk(9, 8), '[DONE]')],
      // Who says that it is complete has no more to report than it did.
      [sse(usageChunk(9, 8), ...said, lastChunk, '[DONE]')],
    ]) {
      account = openAccount(CREDITS);
      const { end } = await relay(pieces);
      expect(end).toMatchObject({ usage: { input: 9, output: 8 }, delivery: { anomalies: [] } });
    }
  });

  it('is metered where the usage is that of one of its choices', async () => {
    const turns = ['a', ' b', ' c'].flatMap((content) =>
      [0, 1].map((index) => chunk({}, { choices: [{ index, delta: { content }, finish_reason: null }] })),
    );
    const of = (completion: number) => sse(...turns, lastChunk, usageChunk(9, completion), '[DONE]');
    for (const [completion, output, usageSource] of [
      [3, 6, 'metered'],
      [4, 4, 'reported'],
      [6, 6, 'reported'],
      [60, 60, 'reported'],
    ] as const) {
      account = openAccount(CREDITS);
      const { written, end } = await relay([of(completion)], { fields: { ...includeUsage, n: 2 } });
      const anomalies = usageSource === 'metered' ? ['usage_below_words'] : [];
      expect(end).toMatchObject({ usage: { output }, delivery: { usageSource, anomalies } });
      expect(written).toContain(`"completion_tokens":${output},`);
    }
  });

  it('is metered where next to nothing is reported of many words', async () => {
    const long = chunk({ content: 'word '.repeat(100) });
    for (const [completion, output, usageSource] of [
      [1, 100, 'metered'],
      [20, 100, 'metered'],
      // As many bytes to a token as there may be, or fewer words than there were tokens.
      [40, 40, 'reported'],
      [200, 200, 'reported'],
    ] as const) {
      account = openAccount(CREDITS);
      const { end } = await relay([sse(long, lastChunk, usageChunk(9, completion), '[DONE]')]);
      const anomalies = usageSource === 'metered' ? ['usage_below_words'] : [];
      expect(end).toMatchObject({ usage: { output }, delivery: { usageSource, anomalies } });
    }
    account = openAccount(CREDITS);
    const blank = chunk({ content: ' '.repeat(500) });
    const { end } = await relay([sse(blank, lastChunk, usageChunk(9, 4), '[DONE]')]);
    expect(end).toMatchObject({ usage: { output: 4 }, delivery: { usageSource: 'reported', anomalies: [] } });
  });

  it('costs nothing where it says that it failed by how it finished, before anything was delivered', async () => {
    const choices = [{ index: 0, delta: { content: '' }, finish_reason: 'network_error' }];
    const { written, end } = await relay([sse(said[0] ?? '', chunk({}, { choices }), usageChunk(9, 0), '[DONE]')]);
    expect(end).toMatchObject({ type: 'HoldReleased', reason: 'upstream_failed' });
    expect(written).toContain('"code":"upstream_error"');
    expect(written).not.toMatch(/network_error|\[DONE\]/);
  });

  it('costs nothing where it breaks before anything was delivered', async () => {
    const reported = sse(said[0] ?? '', usageChunk(9, 0));
    for (const pieces of [
      [broke],
      [sse(said[0] ?? ''), broke],
      [reported, broke],
      [': hello\n\n'],
      [sse('[DONE]')],
      [],
    ]) {
      account = openAccount(CREDITS);
      const { end } = await relay(pieces);
      expect(end).toMatchObject({ type: 'HoldReleased', reason: 'upstream_failed', detail: 'reset' });
    }
  });

  it('has failed where the provider says so, even if it says [DONE] after it', async () => {
    const error = '{"error":{"message":"Overloaded"}}';
    for (const [pieces, type] of [
      [[sse(...said, error, '[DONE]')], 'HoldSettled'],
      [[sse(...said), sse(error), sse('[DONE]')], 'HoldSettled'],
      [[sse(error, '[DONE]')], 'HoldReleased'],
    ] as const) {
      account = openAccount(CREDITS);
      const { written, end } = await relay(pieces);
      expect(end).toMatchObject({ type });
      if (end?.type === 'HoldSettled') expect(end.delivery.ended).toBe('upstream_broke');
      expect(written.match(/"error":/g)).toHaveLength(1);
      expect(written).toContain('"code":"upstream_error"');
      expect(written).not.toMatch(/Overloaded|\[DONE\]/);
    }
  });

  it('is left at once when the customer leaves, and charged for what came', async () => {
    const { end, tookMs } = await relay([sse(...said), never], {
      model: { reasoning: 'none' },
      wrote: (text) => {
        if (text.includes('two')) customer.abort();
      },
    });
    expect(tookMs).toBeLessThan(IDLE_MS);
    expect(end).toMatchObject({
      type: 'HoldSettled',
      usage: { input: 3, output: 2 },
      delivery: { ended: 'client_gone', usageSource: 'metered' },
    });
  });

  it('costs nothing where the customer leaves before the first token: a role is not an answer', async () => {
    const { end } = await relay([sse(said[0] ?? ''), never], { wrote: () => customer.abort() });
    expect(end).toMatchObject({ type: 'HoldReleased', reason: 'client_gone', detail: 'before the first token' });
  });

  it('is ended by a gateway that stops, with an error that says so', async () => {
    const { written, end } = await relay([sse(...said), never], {
      wrote: (text, call) => {
        if (!text.includes('error')) call.cancel('drained');
      },
    });
    expect(written).toContain('"code":"draining"');
    expect(end).toMatchObject({ type: 'HoldSettled', delivery: { ended: 'drained' } });
  });
});

describe('the watchdog', () => {
  it('ends a stream that is silent for too long', async () => {
    const { written, end, tookMs } = await relay([sse(...said), never]);
    expect(tookMs).toBe(IDLE_MS);
    expect(written).toContain('"code":"upstream_timeout"');
    expect(end).toMatchObject({ type: 'HoldSettled', delivery: { ended: 'upstream_broke' } });
  });

  it('tells the same where the connection noticed first', async () => {
    const { written } = await relay([sse(...said), new ProviderFailed('timeout', 'silent')]);
    expect(written).toContain('"code":"upstream_timeout"');
  });

  it('takes comments for silence', async () => {
    const comments = Array.from({ length: 100 }, () => [IDLE_MS / 4, ': keep-alive\n\n']).flat();
    const { tookMs, written } = await relay(timed(sse(...said), ...comments, complete));
    expect(tookMs).toBe(IDLE_MS);
    expect(written).toContain('"code":"upstream_timeout"');
  });

  it('lets a stream take its time as long as something comes', async () => {
    const slow = said.flatMap((one) => [IDLE_MS - 1, sse(one)]);
    const { end, tookMs } = await relay(timed(...slow, ...slow, complete));
    expect(tookMs).toBeGreaterThan(5 * IDLE_MS);
    expect(end).toMatchObject({ delivery: { ended: 'completed' } });
  });

  it('does not blame the upstream for a reader that is slow', async () => {
    const { end, tookMs } = await relay([sse(...said), complete], { readerMs: 10 * IDLE_MS });
    expect(tookMs).toBeGreaterThanOrEqual(20 * IDLE_MS);
    expect(end).toMatchObject({ delivery: { ended: 'completed' } });
  });

  it('watches again once the reader has read', async () => {
    const { written, tookMs } = await relay([sse(...said), never], { readerMs: 10 * IDLE_MS });
    expect(tookMs).toBe(21 * IDLE_MS);
    expect(written).toContain('"code":"upstream_timeout"');
  });

  it('does not blame the upstream for a settlement that takes its time', async () => {
    const slow: ExecuteOnAccount = async (...asked) => {
      if (asked[1].type === 'SettleHold') await after(10 * IDLE_MS);
      return account.execute(...asked);
    };
    const { written } = await relay([sse(...said), broke], { execute: slow });
    expect(written).toContain('"code":"upstream_error"');
  });

  it('waits only a moment for the end of a connection after the last word, whatever else is said', async () => {
    const chatter = Array.from({ length: 100 }, () => [IDLE_MS / 2, ': bye\n\n']).flat();
    const { written, end, tookMs } = await relay(timed(complete, ...chatter));
    expect(tookMs).toBeLessThanOrEqual(2 * IDLE_MS);
    expect(written.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(end).toMatchObject({ delivery: { ended: 'completed' } });
  });
});

describe('an error of ours', () => {
  it('gives the hold back', async () => {
    const broken: ExecuteOnAccount = (...asked) =>
      asked[1].type === 'SettleHold' ? Promise.reject(new TypeError('a bug')) : account.execute(...asked);
    await expect(relay([complete], { execute: broken })).rejects.toThrow(TypeError);
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'gateway_failed' });
    expect(account.state.wallet).toMatchObject({ balance: CREDITS, held: 0n });
  });
});
