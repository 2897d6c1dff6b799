/** Nano-USD: a billionth of a dollar, as all money here. On purpose not the gateway's own arithmetic, which this checks. */
export type Nano = bigint;

const decimal = /^(\d+)(?:\.(\d+))?$/;

/** A decimal as a whole number of 10^-places, exactly; throws where it has more places than that, or is no decimal. */
const scaled = (text: string, places: number): bigint => {
  const [, whole, fraction = ''] = decimal.exec(text) ?? [];
  if (whole === undefined || fraction.length > places) throw new Error(`${text} is not told to ${places} places`);
  return BigInt(whole + fraction.padEnd(places, '0'));
};

export const nanoUsd = (usd: string): Nano => scaled(usd, 9);

export const usdOf = (nano: Nano): string =>
  `${nano / 1_000_000_000n}.${String(nano % 1_000_000_000n).padStart(9, '0')}`;

export const sum = (amounts: Iterable<Nano>): Nano => [...amounts].reduce((a, b) => a + b, 0n);

export const tokenClasses = ['input', 'cached_input', 'cache_write', 'output', 'reasoning'] as const;
export type Tokens = Partial<Record<(typeof tokenClasses)[number], number>>;
/** As published: decimal USD per million tokens. */
export type Prices = Readonly<Record<(typeof tokenClasses)[number], string>>;

/** Σ tokens × price, rounded up once to a whole nano-USD. USD per million tokens is pico-USD per token, but for six zeros. */
export const costOf = (tokens: Tokens, prices: Prices): Nano => {
  const pico = sum(tokenClasses.map((name) => BigInt(tokens[name] ?? 0) * scaled(prices[name], 6)));
  return (pico + 999n) / 1000n;
};
