import { describe, expect, it } from 'vitest';
import { createAllowance } from '../../../src/proxy/engine/hold/allowance.ts';
import type { OutputText } from '../../../src/proxy/metering/output-text.ts';
import { BEYOND_LIMIT } from '../../../src/proxy/engine/hold/shortage.ts';
import { STEP_TOKENS } from '../../../src/proxy/engine/hold/hold-steps.ts';
import type { TokenCounter } from '../../../src/proxy/metering/token-counter.ts';
import { countWords, price as listed, request, like } from '../examples.ts';

const LIMIT = 4096;
const price = { ...listed, ...like('simulated-chat') };
const bounds = { inputTokens: 10, outputTokens: LIMIT, outputLimit: LIMIT };
const pinned = { model: 'm', version: 1, rates: price.rates };
const media = { bytes: 0, tokens: 0, least: 0 };
const reservation = { reserved: true, bounds, price: pinned, held: 10n ** 12n, media } as const;
const notAsked = () => Promise.reject(new Error('all is held'));

describe('an allowance', () => {
  it('counts what never ends about twice, though its words are fewer tokens together, and ends it a step beyond its limit', async () => {
    // As tokenizers do of what says the same for ever.
    const BYTES_PER_TOKEN = 64;
    let countedBytes = 0;
    const tokens: TokenCounter = {
      count: (texts) => {
        countedBytes += texts.join('').length;
        return Promise.resolve(texts.reduce((sum, text) => sum + Math.ceil(text.length / BYTES_PER_TOKEN), 0));
      },
      close: () => Promise.resolve(),
    };
    const allowance = createAllowance({
      ...{ job: request({ stream: true, max_tokens: LIMIT }), price, reservation },
      ...{ ledger: { extend: notAsked }, promptTokens: countWords, tokens, signal: new AbortController().signal },
    });
    const output: OutputText[] = [];
    let ended: unknown;
    while (ended === undefined) {
      output.push({ choice: 0, text: '=' });
      const to = { bytes: output.length, pieces: output.length };
      if (!allowance.covers(to)) ended = await allowance.admit(to, output);
      allowance.lookAhead(to, output);
      await Promise.resolve();
    }
    expect(ended).toBe(BEYOND_LIMIT);
    const said = output.length / BYTES_PER_TOKEN;
    expect(said).toBeLessThanOrEqual(LIMIT + STEP_TOKENS + 1);
    expect(said).toBeGreaterThan(LIMIT + STEP_TOKENS * 0.9);
    expect(countedBytes / output.length).toBeLessThan(3);
  });
});
