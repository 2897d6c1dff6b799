import type { Rates } from '../../../src/domain/money.ts';
import { MIN_AHEAD_MS, NOTICE_MS } from '../../../src/domain/notice.ts';
import { priceDecider, type DelistModel } from '../../../src/domain/prices/decide.ts';
import type { PriceEntry, PriceEvent } from '../../../src/domain/prices/events.ts';
import { linesOf } from '../../../src/domain/prices/lines.ts';
import { specify } from '../../given.ts';

export const january = new Date('2026-01-01T00:00:00Z');
export const february = new Date('2026-02-01T00:00:00Z');
export const march = new Date('2026-03-01T00:00:00Z');
export const ahead = (date: Date, ms: number): Date => new Date(date.getTime() - ms);
export const justBefore = (date: Date): Date => ahead(date, 1);

export const rates: Rates = {
  ...{ input: 150_000n, cachedInput: 75_000n, cacheWrite: 150_000n, output: 600_000n, reasoning: 600_000n },
};

export const entry: PriceEntry = {
  model: 'simulated-small',
  kind: 'chat',
  ownedBy: 'kissapi',
  upstream: 'simulated',
  upstreamModel: 'simulated-small',
  contextTokens: 128_000,
  maxOutputTokens: 4096,
  lines: linesOf(rates),
  cost: linesOf({ ...rates, output: 500_000n }),
  source: 'https://example.com/pricing',
  asOf: '2025-12-31',
};
export const at = (changed: Partial<Rates>): PriceEntry => ({ ...entry, lines: linesOf({ ...rates, ...changed }) });
export const dearer = at({ output: 700_000n });
export const cheaper = at({ output: 500_000n });
export const other: PriceEntry = { ...entry, model: 'simulated-large' };

export const given = specify(priceDecider);
/** Announced with notice, unless another time is given. */
export const list = (one: PriceEntry, effectiveFrom: Date, aheadMs = NOTICE_MS) =>
  ({ type: 'ListPrice', entry: one, effectiveFrom, at: ahead(effectiveFrom, aheadMs) }) as const;
export const listed = (one: PriceEntry, version: number, effectiveFrom: Date): PriceEvent => ({
  type: 'PriceListed',
  version,
  effectiveFrom,
  entry: one,
});
export const model = entry.model;
export const delist = (
  model: string,
  effectiveFrom: Date,
  aheadMs = NOTICE_MS,
  endedByProvider = false,
): DelistModel => ({
  ...{ type: 'DelistModel', model, effectiveFrom, reason: 'its end', endedByProvider },
  at: ahead(effectiveFrom, aheadMs),
});
export const delisted = (model: string, effectiveFrom: Date, endedByProvider = false): PriceEvent => ({
  ...{ type: 'ModelDelisted', model, effectiveFrom, reason: 'its end', endedByProvider },
});
/** Takes effect a minute later. */
export const relist = (model: string, from: Date) =>
  ({ type: 'RelistModel', model, at: ahead(from, MIN_AHEAD_MS) }) as const;
export const withdraw = (version: number, at: Date) =>
  ({ type: 'WithdrawPrice', model, version, reason: 'a typo', at }) as const;
export const withdrawn = (version: number): PriceEvent => ({
  type: 'PriceWithdrawn',
  model,
  version,
  reason: 'a typo',
});
export const bookOf = (...events: PriceEvent[]) => events.reduce(priceDecider.evolve, priceDecider.initial());
