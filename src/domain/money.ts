import { invariant } from './decider.ts';

/** Nano-USD (1e-9 USD). */
export type Credits = bigint;

/** The part of a charge that one lot pays. Promotional lots pay first, then by their end, then by age. */
export type Draw = { readonly lotId: string; readonly amount: Credits };

/** Pico-USD (1e-12 USD) per token: 1 USD per million tokens is 1,000,000. */
export type PicoUsdPerToken = bigint;

/**
 * The classes that tokens are priced by. They do not overlap: `input` excludes tokens read from or written to a cache,
 * `output` excludes reasoning.
 */
export const tokenClasses = ['input', 'cachedInput', 'cacheWrite', 'output', 'reasoning'] as const;
export type TokenClass = (typeof tokenClasses)[number];

/** Tokens by class: integers, not negative. */
export type Usage = Readonly<Record<TokenClass, number>>;
export type Rates = Readonly<Record<TokenClass, PicoUsdPerToken>>;

export const noUsage: Usage = { input: 0, cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0 };

const PICO_PER_NANO = 1000n;
const NANO_PER_USD = 1_000_000_000n;

/** The cost of one class in pico-USD. Only the sum over the classes is rounded. */
export const picoUsd = (tokens: number, rate: PicoUsdPerToken): bigint => BigInt(tokens) * rate;

/** Σ tokens × rate over the classes, rounded up once to nano-USD. Throws if tokens are negative or not integers. */
export const cost = (usage: Usage, rates: Rates): Credits => {
  let pico = 0n;
  for (const tokenClass of tokenClasses) {
    invariant(usage[tokenClass] >= 0, 'usage is never negative');
    pico += picoUsd(usage[tokenClass], rates[tokenClass]);
  }
  return (pico + PICO_PER_NANO - 1n) / PICO_PER_NANO;
};

/** The maximum cost of a request within these bounds of input and output, for any distribution over the classes. */
export const costBound = (inputTokens: number, outputTokens: number, rates: Rates): Credits =>
  cost(
    { ...noUsage, input: inputTokens, output: outputTokens },
    {
      ...rates,
      input: max(rates.input, rates.cachedInput, rates.cacheWrite),
      output: max(rates.output, rates.reasoning),
    },
  );

const MOST_TOKENS = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * How many output tokens `credits` can pay for in addition to `inputTokens`, at the most expensive class of each; -1 if they
 * cannot pay for the input.
 */
export const affordableOutputTokens = (credits: Credits, inputTokens: number, rates: Rates): number => {
  const left = credits * PICO_PER_NANO - picoUsd(inputTokens, max(rates.input, rates.cachedInput, rates.cacheWrite));
  if (left < 0n) return -1;
  const rate = max(rates.output, rates.reasoning);
  return Number(rate === 0n ? MOST_TOKENS : min(left / rate, MOST_TOKENS));
};

export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const max = (first: bigint, ...rest: bigint[]): bigint => rest.reduce((a, b) => (a > b ? a : b), first);

const usdPattern = /^(\d{1,9})(?:\.(\d{1,9}))?$/;

/** Parses `"5"`, `"5.00"`, `"0.000000001"` as credits; undefined for other texts, including signs and exponents. */
export const parseUsd = (text: string): Credits | undefined => {
  const match = usdPattern.exec(text);
  if (!match) return undefined;
  return BigInt(match[1] ?? '0') * NANO_PER_USD + BigInt((match[2] ?? '').padEnd(9, '0'));
};

/** Credits as decimal USD with two to nine decimal places, as needed: `"5.00"`, `"0.000000001"`. */
export const formatUsd = (credits: Credits): string => {
  const sign = credits < 0n ? '-' : '';
  const digits = (credits < 0n ? -credits : credits).toString().padStart(10, '0');
  const places = digits.slice(-9).replace(/0{1,7}$/, '');
  return `${sign}${digits.slice(0, -9)}.${places}`;
};

declare global {
  interface JSON {
    /** TC39 "JSON.parse source text access"; TypeScript has no type for it yet. */
    rawJSON(text: string): unknown;
  }
}

/** Credits as USD that `JSON.stringify` writes as a number with all decimals, beyond the precision of floats. */
export const jsonUsd = (credits: Credits): unknown => JSON.rawJSON(formatUsd(credits));

/** Parses USD per million tokens (`"0.15"`, up to six decimal places) as a rate; undefined for other texts. */
export const parseUsdPerMillion = (text: string): PicoUsdPerToken | undefined => {
  const nanoUsd = parseUsd(text);
  return nanoUsd === undefined || nanoUsd % PICO_PER_NANO !== 0n ? undefined : nanoUsd / PICO_PER_NANO;
};

/** A rate as USD per million tokens. */
export const formatUsdPerMillion = (rate: PicoUsdPerToken): string => formatUsd(rate * PICO_PER_NANO);

/** A rate as USD per token, as a decimal text: `"0.00000015"`. */
export const formatUsdPerToken = (rate: PicoUsdPerToken): string => {
  const digits = rate.toString().padStart(13, '0');
  const places = digits.slice(-12).replace(/0+$/, '');
  return places === '' ? digits.slice(0, -12) : `${digits.slice(0, -12)}.${places}`;
};
