import type { AccountEvent, Draw, PinnedPrice } from '../../domain/account/events.ts';
import {
  formatUsd,
  formatUsdPerMillion,
  min,
  picoUsd,
  tokenClasses,
  type Credits,
  type Rates,
  type Usage,
} from '../../domain/money.ts';
import type { PriceLine } from '../../domain/prices/lines.ts';
import { usd } from './plain-text.ts';
import { className } from './sentences.ts';

export type ChargeEvent = Extract<AccountEvent, { type: 'HoldSettled' | 'LateUsageCharged' }>;

/** A charge in the log and the state of the account before it. */
export type Charge = {
  readonly event: ChargeEvent;
  /** The price pinned by the hold; undefined without a hold. */
  readonly pinned: PinnedPrice | undefined;
  /** The lines of that version in the price book; undefined if the book lacks it. */
  readonly listed: readonly PriceLine[] | undefined;
  /** The hold at the charge, from its events; 0 if it was released. */
  readonly held: Credits;
  /** The available credits besides all holds, within the spending limits. */
  readonly available: Credits;
  readonly balanceBefore: Credits;
  readonly balanceAfter: Credits;
  /** The lots that pay for the charge, oldest first. */
  readonly draws: readonly Draw[];
  readonly writtenOff: Credits;
  /** Tokens beyond the bounds of the request: written off, and not part of the usage. */
  readonly beyond: Usage;
  /** What was given back of the charge afterwards. */
  readonly reversed: Credits;
  /** The row in the projection of requests; undefined if it is behind. */
  readonly projected:
    | {
        readonly cost: Credits;
        readonly charged: Credits;
        readonly written_off: Credits;
        readonly reversed: Credits;
      }
    | undefined;
};

export type Check = { readonly what: string; readonly recorded: string; readonly recomputed: string };

export const agrees = ({ recorded, recomputed }: Check): boolean => recorded === recomputed;

const PICO_PER_NANO = 1000n;

/** The sum in pico-USD and its rounding, computed independently of the code that charged. */
const recompute = (usage: Usage, rates: Rates) => {
  const classes = tokenClasses.map((tokenClass) => ({
    tokenClass,
    tokens: usage[tokenClass],
    rate: rates[tokenClass],
    pico: picoUsd(usage[tokenClass], rates[tokenClass]),
  }));
  const sum = classes.reduce((total, { pico }) => total + pico, 0n);
  const over = sum % PICO_PER_NANO;
  const cost = sum / PICO_PER_NANO + (over === 0n ? 0n : 1n);
  return { classes, sum, cost, roundedUpBy: cost * PICO_PER_NANO - sum };
};

/** The rates of a price in the book, computed from its lines independently of the code that placed the hold. */
const ratesOfLines = (lines: readonly PriceLine[]): Rates =>
  Object.fromEntries(
    tokenClasses.map((tokenClass) => {
      const [line, ...others] = lines.filter(({ match }) => match.class === tokenClass);
      if (!line || others.length > 0) return [tokenClass, -1n];
      return [tokenClass, (line.price * PICO_PER_NANO) / BigInt(line.per)];
    }),
  ) as Rates;

const costBeyond = ({ event, beyond }: Charge): Credits => recompute(beyond, event.price.rates).cost;
const tokensOf = (usage: Usage): number => tokenClasses.reduce((sum, tokenClass) => sum + usage[tokenClass], 0);

const showRates = (rates: Rates): string => tokenClasses.map((one) => formatUsdPerMillion(rates[one])).join(' / ');
const showDraws = (draws: readonly Draw[]): string =>
  draws
    .filter(({ amount }) => amount > 0n)
    .map(({ lotId, amount }) => `${formatUsd(amount)} from ${lotId}`)
    .join(', ') || 'nothing';

/** Every figure of the charge with its recomputed value. */
export const check = (charge: Charge): readonly Check[] => {
  const { event, pinned, listed, held, available, balanceBefore, balanceAfter, draws, projected } = charge;
  const { cost } = recompute(event.usage, event.price.rates);
  const charged = min(cost, held + available);
  const beyond = costBeyond(charge);
  const writtenOff = cost - charged + beyond;
  const money = (what: string, recorded: Credits, recomputed: Credits): Check => ({
    ...{ what, recorded: formatUsd(recorded), recomputed: formatUsd(recomputed) },
  });
  const name = (price: PinnedPrice | undefined): string => (price ? `${price.model} v${price.version}` : 'none');
  const rates = (known: Rates | undefined): string => (known ? showRates(known) : 'none');
  return [
    { what: 'price as pinned by the hold', recorded: name(event.price), recomputed: name(pinned) },
    {
      what: 'rates as pinned by the hold',
      recorded: showRates(event.price.rates),
      recomputed: rates(pinned?.rates),
    },
    {
      what: 'rates as in the price book',
      recorded: showRates(event.price.rates),
      recomputed: rates(listed && ratesOfLines(listed)),
    },
    money('cost', event.cost, cost),
    money('charged: the cost, up to what was held and free', event.charged, charged),
    money(
      `written off: the rest of the cost${beyond > 0n ? ', and what was beyond the bounds' : ''}`,
      charge.writtenOff,
      writtenOff,
    ),
    { what: 'lots drawn, the oldest first', recorded: showDraws(event.drawn), recomputed: showDraws(draws) },
    ...(event.type === 'HoldSettled'
      ? [
          money('held', event.held, held),
          money('released: what the hold kept beyond the charge', event.released, held - min(charged, held)),
        ]
      : []),
    money('balance after', balanceAfter, balanceBefore - charged),
    ...(projected
      ? [
          money('cost in the projection of requests', projected.cost, cost),
          money('charged in the projection of requests', projected.charged, charged),
          money('written off in the projection of requests', projected.written_off, writtenOff),
          money('reversed in the projection of requests', projected.reversed, charge.reversed),
        ]
      : []),
  ];
};

const grouped = (value: bigint | number): string => value.toLocaleString('en-US');

/** Lines with aligned columns: the first to the left, the others to the right. */
const columns = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join('  '),
  );
};

/** The computation from tokens to money, one step per line. */
export const arithmetic = (charge: Charge): string => {
  const { event, balanceBefore, balanceAfter, writtenOff, beyond, reversed } = charge;
  const { classes, sum, cost, roundedUpBy } = recompute(event.usage, event.price.rates);
  const table = columns([
    ['class', 'tokens', 'x USD per million', '= pico-USD'],
    ...classes.map(({ tokenClass, tokens, rate, pico }) => [
      ...[className[tokenClass], grouped(tokens), formatUsdPerMillion(rate), grouped(pico)],
    ]),
    ['sum', '', '', grouped(sum)],
  ]);
  const rounding = roundedUpBy === 0n ? 'nothing to round' : `rounded up once, by ${grouped(roundedUpBy)} pico-USD`;
  return [
    ...table,
    '',
    `${grouped(sum)} pico-USD = ${grouped(cost)} nano-USD (${rounding}) = ${usd(cost)}`,
    '',
    ...columns([
      ['cost', usd(event.cost)],
      ['charged', usd(event.charged)],
      ['written off', usd(writtenOff)],
      ...(tokensOf(beyond) > 0
        ? [[`of that ${grouped(tokensOf(beyond))} tokens beyond the bounds of the request`, usd(costBeyond(charge))]]
        : []),
      ['balance before', usd(balanceBefore)],
      ['balance after', usd(balanceAfter)],
      ...(reversed > 0n
        ? [
            ['reversed later', usd(reversed)],
            ['charged in the end', usd(event.charged - reversed)],
          ]
        : []),
    ]),
    `drawn: ${showDraws(event.drawn)}`,
  ].join('\n');
};

/** One check per line, with both figures if they differ. */
export const verdict = (checks: readonly Check[]): string => {
  const lines = checks.map((one) =>
    agrees(one)
      ? `  ok     ${one.what}`
      : `  WRONG  ${one.what}: recorded ${one.recorded}, recomputed ${one.recomputed}`,
  );
  const wrong = checks.filter((one) => !agrees(one)).length;
  const conclusion =
    wrong === 0
      ? 'The recomputation agrees with the log.'
      : `The recomputation does NOT agree with the log: ${wrong} of ${checks.length} figures differ.`;
  return [...lines, conclusion].join('\n');
};
