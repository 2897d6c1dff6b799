import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { storedId, storedReason } from '../../../src/proxy/metering/meter.ts';
import { storable } from '../../../src/proxy/json/stored-text.ts';
import { openAccount, type TestAccount } from '../engine/account.ts';
import { chunk, sse, usageChunk } from '../examples.ts';
import { CREDITS, relayed } from '../engine/streams/relayed.ts';

/** What PostgreSQL refuses as text, what a terminal obeys, and far more than any provider sends. */
const odd = {
  'a text of megabytes': 'x'.repeat(2_000_000),
  NUL: 'st\u0000op',
  'half of a surrogate pair': 'stop\ud83d',
  'control characters': '\u001b[2Jstop\n',
  'pairs that are cut in half': '😀'.repeat(1000),
};

const isStorable = (text: unknown, maxChars: number): boolean =>
  typeof text === 'string' &&
  text.length <= maxChars &&
  text.isWellFormed() &&
  // eslint-disable-next-line no-control-regex -- none of these may be stored
  !/[\u0000-\u001f\u007f-\u009f]/.test(text);

describe('what an upstream reports of its answer', () => {
  let account: TestAccount;
  beforeEach(() => {
    account = openAccount(CREDITS);
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());

  it.each(Object.entries(odd))('is stored within bounds, as text: %s', async (_, text) => {
    const choices = [{ index: 0, delta: { content: 'one' }, finish_reason: text }];
    const stream = [sse(chunk({}, { id: text, choices }), usageChunk(9, 1), '[DONE]')];
    const { end } = await relayed(stream, account, new AbortController());
    if (end?.type !== 'HoldSettled') throw new Error('it is settled');
    expect(end.delivery.finishReason).toSatisfy((reason) => isStorable(reason, 64));
    expect(end.delivery.upstreamId).toSatisfy((id) => isStorable(id, 256));

    expect(storedReason(text)).toBe(end.delivery.finishReason);
    expect(storedId(text)).toBe(end.delivery.upstreamId);
  });

  it('is stored as it came otherwise', () => {
    for (const text of ['stop', 'model_context_window_exceeded', 'gen-1759-Ünïcode😀']) {
      expect(storable(text, 64)).toBe(text);
    }
  });
});
