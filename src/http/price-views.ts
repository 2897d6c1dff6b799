import { formatUsd, formatUsdPerMillion, type Rates, type TokenClass } from '../domain/money.ts';
import type { PriceLine } from '../domain/prices/lines.ts';
import type { PriceChange } from '../domain/prices/price-book.ts';

/** A provider as customers see it. */
export type FindProvider = (
  upstream: string,
) => { readonly name: string; readonly usagePolicyUrl: string | null } | undefined;

/** USD per million tokens. */
export const viewRates = (rates: Rates) => ({
  input: formatUsdPerMillion(rates.input),
  cached_input: formatUsdPerMillion(rates.cachedInput),
  cache_write: formatUsdPerMillion(rates.cacheWrite),
  output: formatUsdPerMillion(rates.output),
  reasoning: formatUsdPerMillion(rates.reasoning),
});

const classNames = {
  input: 'input',
  cachedInput: 'cached_input',
  cacheWrite: 'cache_write',
  output: 'output',
  reasoning: 'reasoning',
} as const satisfies Record<TokenClass, string>;

export const viewLine = ({ unit, per, match, price }: PriceLine) => ({
  ...{ unit, per, match: { class: classNames[match.class] }, usd: formatUsd(price) },
});

export const viewChange = ({ price, isIncrease }: PriceChange) => ({
  price_version: price.version,
  effective_from: price.effectiveFrom.toISOString(),
  is_increase: isIncrease,
  usd_per_million_tokens: viewRates(price.rates),
});
