import type { PinnedPrice } from '../../src/domain/account/events.ts';
import type { Usage } from '../../src/domain/money.ts';

/** Rates are in pico-USD per token. 1,000 pico-USD are a nano-USD, and fractions are rounded up. */
export const costOf = (usage: Usage, { rates }: PinnedPrice): bigint => {
  let pico = 0n;
  for (const kind of ['input', 'cachedInput', 'cacheWrite', 'output', 'reasoning'] as const) {
    pico += BigInt(usage[kind]) * rates[kind];
  }
  return pico / 1000n + (pico % 1000n > 0n ? 1n : 0n);
};

/** Tokens of all classes. */
export const tokensOf = (usage: Usage): number =>
  usage.input + usage.cachedInput + usage.cacheWrite + usage.output + usage.reasoning;
