import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openAccount, type TestAccount } from '../account.ts';
import { chunk, lastChunk, never, sse, usageChunk, type Piece } from '../../examples.ts';
import { CREDITS, relayed, timed, type RelayOptions } from './relayed.ts';

let account: TestAccount;
beforeEach(() => {
  account = openAccount(CREDITS);
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

const IDLE_MS = 60_000;
const relay = (pieces: Iterable<Piece>, options: RelayOptions = {}) =>
  relayed(pieces, account, new AbortController(), { ...options, call: { idleTimeoutMs: IDLE_MS, ...options.call } });

const said = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'one ' }), chunk({ content: 'two' })];
const empty = sse(chunk({}));
const DONE = 'data: [DONE]\n\n';
const repeated = (text: string, everyMs: number) => Array.from({ length: 100 }, () => [everyMs, text]).flat();

describe('a stream that has finished, and whose connection stays open', () => {
  it.each([
    ['is silent', []],
    ['sends comments', repeated(': still here\n\n', 100)],
    ['sends empty events', repeated(empty, 100)],
  ])('is complete soon after finish reason and usage (%s)', async (_, more) => {
    const pieces = timed(sse(...said, lastChunk, usageChunk(9, 2)), ...more, never);
    const { written, end, tookMs } = await relay(pieces);
    expect(written.endsWith(DONE)).toBe(true);
    expect(tookMs).toBe(500);
    expect(end).toMatchObject({
      type: 'HoldSettled',
      usage: { input: 9, output: 2 },
      delivery: { ended: 'completed', finishReason: 'stop', usageSource: 'reported', anomalies: [] },
    });
  });

  it('is complete a second after the finish reason without a usage, and metered', async () => {
    for (const more of [[], repeated(': still here\n\n', 100), repeated(empty, 100)]) {
      account = openAccount(CREDITS);
      const { written, end, tookMs } = await relay(timed(sse(...said, lastChunk), ...more, never));
      expect(written.endsWith(DONE)).toBe(true);
      expect(tookMs).toBe(1000);
      const delivery = { ended: 'completed', usageSource: 'metered', anomalies: ['usage_missing'] };
      expect(end).toMatchObject({ usage: { input: 3, output: 2 }, delivery });
    }
  });

  it('may report its usage late, or before its finish reason', async () => {
    const late = await relay(timed(sse(...said, lastChunk), 900, sse(usageChunk(9, 2)), never));
    expect(late.tookMs).toBe(1400);
    expect(late.end).toMatchObject({ delivery: { ended: 'completed', usageSource: 'reported' } });
    account = openAccount(CREDITS);
    const early = await relay(timed(sse(...said, usageChunk(9, 2)), 100, sse(lastChunk), never));
    expect(early.tookMs).toBe(600);
    expect(early.end).toMatchObject({ delivery: { ended: 'completed', usageSource: 'reported' } });
  });

  it('has not finished while one of its choices goes on', async () => {
    const { end } = await relay(timed(sse(...said, lastChunk), 30_000, sse(chunk({ content: ' three' })), never), {
      fields: { n: 2 },
    });
    expect(end).toMatchObject({ delivery: { ended: 'upstream_broke' }, usage: { output: 3 } });
  });

  it('has not finished while it goes on in spite of a finish reason in every chunk', async () => {
    const choices = [{ index: 0, delta: { content: ' w' }, finish_reason: 'stop' }];
    const word = sse(chunk({}, { choices }));
    const slow = Array.from({ length: 5 }, () => [5000, word]).flat();
    const { end } = await relay(timed(word, 100, word, ...slow, sse(usageChunk(9, 7), '[DONE]')));
    expect(end).toMatchObject({ usage: { output: 7 }, delivery: { ended: 'completed', usageSource: 'reported' } });
  });

  it('is complete though the gateway stops', async () => {
    const { written, end } = await relay([sse(...said, lastChunk, usageChunk(9, 2)), never], {
      wrote: (text, call) => {
        if (!text.includes('[DONE]')) call.cancel('drained');
      },
    });
    expect(written.endsWith(DONE)).toBe(true);
    expect(end).toMatchObject({ delivery: { ended: 'completed', usageSource: 'reported' } });
  });

  it('waits for a slow reader before it waits for the usage', async () => {
    const pieces = [sse(...said, lastChunk), sse(usageChunk(9, 2)), sse('[DONE]')];
    const { end } = await relay(pieces, { readerMs: 10_000 });
    expect(end).toMatchObject({ delivery: { ended: 'completed', usageSource: 'reported' } });
  });
});

describe('a stream that takes longer than any may', () => {
  const call = { maxStreamMs: 10_000 };

  it('costs nothing if it sends nothing but empty deltas', async () => {
    const { end, tookMs, written } = await relay(timed(...repeated(empty, 1000)), { call });
    expect(tookMs).toBe(10_000);
    expect(written).toContain('"error"');
    expect(end).toMatchObject({ type: 'HoldReleased', reason: 'upstream_failed' });
  });

  it('ends in good order, and is charged for what it delivered', async () => {
    const { end, tookMs, written } = await relay(timed(sse(...said), ...repeated(empty, 1000)), { call });
    expect(tookMs).toBe(10_000);
    expect(written).toContain('"finish_reason":"length"');
    expect(written).toContain('"code":"stream_too_long"');
    expect(written.endsWith(DONE)).toBe(true);
    expect(end).toMatchObject({
      type: 'HoldSettled',
      usage: { input: 3, output: 2 },
      delivery: { ended: 'completed', finishReason: 'length', anomalies: ['usage_missing', 'stream_too_long'] },
    });
  });
});
