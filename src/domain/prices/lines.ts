import { invariant } from '../decider.ts';
import { tokenClasses, type Credits, type Rates, type TokenClass } from '../money.ts';

/** One line of a price: `price` nano-USD per `per` tokens of a class. */
export type PriceLine = {
  readonly unit: 'token';
  readonly per: number;
  readonly match: { readonly class: TokenClass };
  readonly price: Credits;
};

/** The unit that providers publish prices in. */
export const PER_MILLION = 1_000_000;
const PICO_PER_NANO = 1000n;

/** Rates as lines per million tokens. */
export const linesOf = (rates: Rates): readonly PriceLine[] =>
  tokenClasses.map((tokenClass) => ({
    unit: 'token',
    per: PER_MILLION,
    match: { class: tokenClass },
    price: (rates[tokenClass] * BigInt(PER_MILLION)) / PICO_PER_NANO,
  }));

/** The rates of lines that the price book accepts. */
export const ratesOf = (lines: readonly PriceLine[]): Rates =>
  Object.fromEntries(tokenClasses.map((tokenClass) => [tokenClass, rateOf(lines, tokenClass)])) as Rates;

const rateOf = (lines: readonly PriceLine[], tokenClass: TokenClass): bigint => {
  const line = lines.find(({ match }) => match.class === tokenClass);
  invariant(line !== undefined, 'lines match every class of tokens');
  return (line.price * PICO_PER_NANO) / BigInt(line.per);
};

export type LineFault = 'invalid_price' | 'price_lines_overlap' | 'price_lines_incomplete';

/** Why the price book refuses lines; undefined if each class of tokens has exactly one line and a whole rate in pico-USD. */
export const lineFault = (lines: readonly PriceLine[]): LineFault | undefined => {
  if (!lines.every(isValid)) return 'invalid_price';
  const matched = new Set(lines.map(({ match }) => match.class));
  if (matched.size < lines.length) return 'price_lines_overlap';
  return matched.size < tokenClasses.length ? 'price_lines_incomplete' : undefined;
};

/** A hold pins rates in whole pico-USD per token, so any other price could not be charged exactly. */
const isValid = ({ per, price }: PriceLine): boolean =>
  Number.isSafeInteger(per) && per > 0 && price >= 0n && (price * PICO_PER_NANO) % BigInt(per) === 0n;

export const sameRates = (a: Rates, b: Rates): boolean =>
  tokenClasses.every((tokenClass) => a[tokenClass] === b[tokenClass]);

/**
 * Whether any usage costs more at the new rates. That is the case if and only if the rate of a class is higher: a
 * cost is rounded up once, but 1,000 tokens of a class cost exactly its rate in nano-USD.
 */
export const canCostMore = (old: Rates, updated: Rates): boolean =>
  tokenClasses.some((tokenClass) => updated[tokenClass] > old[tokenClass]);
