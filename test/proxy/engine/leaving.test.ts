import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openAccount, type TestAccount } from './account.ts';
import { chunk, lastChunk, never, sse, usage, type Piece } from '../examples.ts';
import { after, CREDITS, relayed, timed, type RelayOptions } from './streams/relayed.ts';

let account: TestAccount;
let customer: AbortController;
beforeEach(() => {
  account = openAccount(CREDITS);
  customer = new AbortController();
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

const hidden = { reasoning: 'hidden' } as const;
const open = { reasoning: 'none' } as const;
const said = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'one ' }), chunk({ content: 'two' })];
const thought = { ...usage(9, 502), completion_tokens_details: { reasoning_tokens: 500 } };
const report = chunk({}, { choices: [], usage: thought });

/** The customer leaves when so much was written. */
const leavesAfter = (text: string, pieces: Iterable<Piece>, options: RelayOptions = {}) =>
  relayed(pieces, account, customer, {
    ...options,
    call: { idleTimeoutMs: 60_000, ...options.call },
    wrote: (written) => {
      if (written.includes(text)) customer.abort();
    },
  });
const STOP = '"finish_reason":"stop"';

describe('a customer who leaves at the finish reason', () => {
  it.each([
    ['of a model that may hide its reasoning', hidden],
    ['of any other', open],
  ])('is charged by the usage that comes within a second (%s)', async (_, model) => {
    const { end, tookMs } = await leavesAfter(STOP, timed(sse(...said, lastChunk), 400, sse(report), 10_000), {
      model,
    });
    expect(end).toMatchObject({
      type: 'HoldSettled',
      usage: { input: 9, output: 2, reasoning: 500 },
      delivery: { ended: 'client_gone', usageSource: 'reported', anomalies: [] },
    });
    expect(tookMs, 'the upstream is left once it has reported').toBe(400);
  });

  it('is charged by the usage of an answer that was all reasoning', async () => {
    const { end } = await leavesAfter(STOP, timed(sse(lastChunk), 400, sse(report)), { model: hidden });
    expect(end).toMatchObject({ type: 'HoldSettled', usage: { reasoning: 500 }, delivery: { ended: 'client_gone' } });
  });

  it('is charged for the text alone if no usage comes in time', async () => {
    const pieces = () => timed(sse(...said, lastChunk), 3000, sse(report));
    const late = await leavesAfter(STOP, pieces(), { model: open });
    expect(late.end).toMatchObject({ usage: { output: 2, reasoning: 0 }, delivery: { usageSource: 'metered' } });
    expect(late.tookMs).toBe(1000);
    [account, customer] = [openAccount(CREDITS), new AbortController()];
    const none = await leavesAfter(STOP, [sse(lastChunk), never], { model: open });
    expect(none.end).toMatchObject({ type: 'HoldReleased', reason: 'client_gone' });
  });

  it('waits for nothing once the usage is there', async () => {
    const counted = chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: thought });
    const { end, tookMs } = await leavesAfter(STOP, [sse(...said, counted), never], { model: hidden });
    expect(tookMs).toBe(0);
    expect(end).toMatchObject({ usage: { reasoning: 500 }, delivery: { ended: 'client_gone' } });
  });

  it('waits for no usage of one choice while another goes on', async () => {
    const { tookMs } = await leavesAfter(STOP, [sse(...said, lastChunk), never], { model: open, fields: { n: 2 } });
    expect(tookMs).toBe(0);
  });
});

describe('a customer who leaves in the middle', () => {
  const rest = [chunk({ content: ' three' }), chunk({ content: ' four five' }), lastChunk];
  const whole = { ...usage(9, 505), completion_tokens_details: { reasoning_tokens: 500 } };
  const ended = chunk({}, { choices: [], usage: whole });

  it('is charged by the report of a model that may hide its reasoning, without the words that came later', async () => {
    const pieces = timed(sse(...said), 500, sse(...rest), 500, sse(ended), 60_000);
    const { end, written, tookMs } = await leavesAfter('two', pieces, { model: hidden });
    expect(end).toMatchObject({
      type: 'HoldSettled',
      usage: { input: 9, output: 2, reasoning: 500 },
      delivery: { ended: 'client_gone', usageSource: 'reported', anomalies: ['words_after_leaving'] },
    });
    expect(written).not.toContain('three');
    expect(tookMs).toBe(1000);
  });

  it('is charged for the words before if the report is of fewer tokens than we count', async () => {
    const few = chunk({}, { choices: [], usage: usage(9, 4) });
    const { end } = await leavesAfter('two', timed(sse(...said), 500, sse(...rest, few)), { model: hidden });
    expect(end).toMatchObject({ usage: { output: 2 }, delivery: { usageSource: 'reported' } });
  });

  it.each([
    ['by default', {}, 2000],
    ['by the setting', { usageAfterLeavingMs: 700 }, 700],
    ['not at all by the setting', { usageAfterLeavingMs: 0 }, 0],
  ])('is charged for what was metered if no report comes within two seconds (%s)', async (_, call, ms) => {
    const words = Array.from({ length: 90 }, () => [100, sse(chunk({ content: ' more' }))]).flat();
    const { end, tookMs } = await leavesAfter('two', timed(sse(...said), ...words, sse(ended)), {
      model: hidden,
      call,
    });
    expect(tookMs).toBe(ms);
    expect(end).toMatchObject({
      usage: { output: 2, reasoning: 0 },
      delivery: { ended: 'client_gone', usageSource: 'metered', anomalies: ['usage_missing'] },
    });
  });

  it('of a model that streams all it bills, or before the first word, leaves the upstream at once', async () => {
    for (const reasoning of ['none', 'streamed'] as const) {
      const { tookMs, end } = await leavesAfter('two', [sse(...said), never], { model: { reasoning } });
      expect(tookMs).toBe(0);
      expect(end).toMatchObject({ delivery: { ended: 'client_gone', usageSource: 'metered' } });
      [account, customer] = [openAccount(CREDITS), new AbortController()];
    }
    const { tookMs, end } = await leavesAfter('role', [sse(said[0] ?? ''), never], { model: hidden });
    expect(tookMs).toBe(0);
    expect(end).toMatchObject({ type: 'HoldReleased', reason: 'client_gone' });
  });

  it('is waited for no longer than the gateway drains', async () => {
    const done = relayed([sse(...said), never], account, customer, {
      model: hidden,
      call: { idleTimeoutMs: 60_000 },
      wrote: (written, call) => {
        if (!written.includes('two') || customer.signal.aborted) return;
        customer.abort();
        void after(300).then(() => call.cancel('drained'));
      },
    });
    const { end, tookMs } = await done;
    expect(tookMs).toBe(300);
    expect(end).toMatchObject({ usage: { output: 2 }, delivery: { ended: 'client_gone' } });
  });
});
