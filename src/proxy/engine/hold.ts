import type { ReserveCredits, AccountRefusal } from '../../domain/account/decide.ts';
import type { PinnedPrice } from '../../domain/account/events.ts';
import { affordableOutputTokens, costBound, type Credits } from '../../domain/money.ts';
import type { PriceVersion } from '../../domain/prices/price-book.ts';
import type { SoldModel } from '../metering/model-facts.ts';
import { countedTokensBound, inputTokensBound } from '../metering/bounds.ts';
import type { Duplicate } from './idempotency.ts';
import { mediaOf, type Media } from '../media/media-parts.ts';
import type { Job } from '../formats/format.ts';
import { comesInSteps, STEP_TOKENS } from './hold-steps.ts';
import type { TokenCounter } from '../metering/token-counter.ts';

/** What is held for, before the upstream is asked. */
export type Bounds = {
  readonly inputTokens: number;
  /** Of all choices together. */
  readonly outputTokens: number;
  /** The most that they can come to, in the end; more than what is held for where it is held in steps. */
  readonly outputLimit: number;
  /** Where credits decided it: the limit for each choice that the upstream must be told. */
  readonly outputCap?: number;
  /** What kept more from being held then. */
  readonly cappedBy?: AccountRefusal['code'];
};

export type Reserved = {
  readonly reserved: true;
  readonly bounds: Bounds;
  readonly price: PinnedPrice;
  readonly held: Credits;
  readonly media: Media;
};
export type NotReserved = {
  readonly reserved: false;
  readonly refusal: AccountRefusal | Duplicate;
  /** The limit on the output of each choice with which the request, otherwise the same, would have been let in. */
  readonly affordableTokens?: number;
};

export type Hold = Pick<ReserveCredits, 'amount' | 'price' | 'request'>;

/** Tells the refusal, or undefined once the hold is durable. Each try at it is a step with a name of its own. */
export type Reserve = (hold: Hold, step: string) => Promise<AccountRefusal | Duplicate | undefined>;

/** Fault: no holds are placed until an operator has acknowledged what the log has lost. Nothing was written. */
export class HoldsPaused extends Error {
  override readonly name = 'HoldsPaused';
  readonly code = 'service_paused';
}

export type ReservationOptions = {
  readonly job: Job;
  readonly price: SoldModel;
  readonly reserve: Reserve;
  readonly tokens: TokenCounter;
};

/** An answer cut shorter than this by want of credit helps nobody: better to say that credits are short. */
const MIN_CAPPED_OUTPUT = 16;

/**
 * Sets credits aside for the most that a request can cost, or, where it can be metered as it comes, for a step of its
 * output. First by bytes, which costs nothing; only where that does not fit the balance or a limit is the prompt counted. Where that
 * does not fit either, a limit that the customer gave is not cut; where none was given, the output begins with as much as
 * is affordable. The upstream is told so, unless more may be set aside as it goes.
 */
export const reserveCredits = async (options: ReservationOptions): Promise<Reserved | NotReserved> => {
  const { job, price, tokens } = options;
  const isLimited = price.limitLeavesReasoningOut !== true && job.maxOutputTokens !== undefined;
  const limit = isLimited ? Math.min(job.maxOutputTokens, price.maxOutputTokens) : price.maxOutputTokens;
  const stepwise = comesInSteps(job, price);
  // Once for all: pictures are decoded for it, on this thread.
  const media = mediaOf(job, price);
  const cheap: Bounds = {
    inputTokens: inputTokensBound(job, price, media),
    outputTokens: (stepwise ? Math.min(limit, STEP_TOKENS) : limit) * job.choices,
    outputLimit: limit * job.choices,
  };
  const refusal = await ask(options, cheap, 'reserve');
  if (!refusal) return reserved(price, cheap, media);
  if (!mayFitCounted(refusal, cheap)) return { reserved: false, refusal };

  const inputTokens = Math.min(cheap.inputTokens, await countInput(job, price, media, tokens));
  const exact: Bounds = { ...cheap, inputTokens };
  const again = inputTokens < cheap.inputTokens ? await ask(options, exact, 'reserve-counted') : refusal;
  if (!again) return reserved(price, exact, media);
  if (!isShortOfFunds(again)) return { reserved: false, refusal: again };

  const canCap = job.maxOutputTokens === undefined && price.limitLeavesReasoningOut !== true;
  if (canCap && isFinal(again.code)) return reserveCapped(options, exact, again, media);
  const { available } = again.funds;
  const most = affordable(available, inputTokens, job, price);
  const affordableTokens = affordable(available, inputTokens + job.bytesOfLimit(most), job, price);
  return { reserved: false, refusal: again, affordableTokens };
};

type ShortOfFunds = AccountRefusal & { readonly funds: NonNullable<AccountRefusal['funds']> };

/**
 * Caps the output at what is affordable. The first try is what would be affordable without the holds of other requests: its
 * refusal names those holds, and their end makes the same request succeed. Further tries follow only if the funds changed
 * between two of them.
 */
const reserveCapped = async (
  options: ReservationOptions,
  exact: Bounds,
  whole: ShortOfFunds,
  media: Media,
): Promise<Reserved | NotReserved> => {
  const { job, price } = options;
  const { inputTokens } = exact;
  const stepwise = comesInSteps(job, price);
  const affordableFor = (credits: Credits): number =>
    Math.min(affordable(credits, inputTokens, job, price), exact.outputTokens / job.choices);
  let refusal = whole;
  for (let tries = 1; ; tries++) {
    const { available, withoutHolds } = refusal.funds;
    const cap = affordableFor(isFinal(refusal.code) ? withoutHolds : available);
    if (cap < MIN_CAPPED_OUTPUT) {
      const most = affordableFor(available);
      const affordableTokens = affordable(available, inputTokens + job.bytesOfLimit(most), job, price);
      return { reserved: false, refusal, affordableTokens };
    }
    const outputTokens = cap * job.choices;
    const bounds: Bounds = stepwise
      ? { ...exact, outputTokens }
      : { inputTokens, outputTokens, outputLimit: outputTokens, outputCap: cap, cappedBy: refusal.code };
    const next = await ask(options, bounds, `reserve-capped-${tries}`);
    if (!next) return reserved(price, bounds, media);
    if (!isShortOfFunds(next)) return { reserved: false, refusal: next };
    refusal = next;
  }
};

const isShortOfFunds = (refusal: AccountRefusal | Duplicate): refusal is ShortOfFunds => refusal.funds !== undefined;

/**
 * Counting a long prompt takes a while. It is of no use without any credits, with a refusal that already names the holds of
 * other requests, or with a limit by the minute that the output alone breaks.
 */
const mayFitCounted = ({ code, funds, limit }: AccountRefusal | Duplicate, { outputTokens }: Bounds): boolean => {
  if (limit?.of === 'tokens') return limit.used + outputTokens < limit.limit;
  return funds !== undefined && (isFinal(code) ? funds.withoutHolds : funds.available) > 0n;
};

/** The end of other requests does not make room for this amount. */
const isFinal = (code: string): boolean =>
  code === 'insufficient_credits' || code === 'key_limit_exceeded' || code === 'account_limit_exceeded';

/** The most input tokens that a request can have, once its texts were counted. */
export const countInput = async (job: Job, price: SoldModel, media: Media, tokens: TokenCounter): Promise<number> => {
  const texts = job.texts();
  // More tokens than the bytes bound, or the model reads, tell nothing new, and others wait for their count.
  const enough = inputTokensBound(job, price, media);
  return countedTokensBound(job, price, media, { texts, tokens: await tokens.count(texts, 'at_most', enough) });
};

const ask = (options: ReservationOptions, bounds: Bounds, step: string): ReturnType<Reserve> => {
  const { job, price, reserve } = options;
  return reserve(
    {
      amount: amountOf(bounds, price),
      price: pinned(price),
      request: {
        endpoint: job.format.endpoint,
        upstream: price.upstream,
        streamed: job.streamed,
        inputTokensBound: bounds.inputTokens,
        outputTokensBound: bounds.outputTokens,
      },
    },
    step,
  );
};

const amountOf = ({ inputTokens, outputTokens }: Bounds, { rates }: PriceVersion): Credits =>
  costBound(inputTokens, outputTokens, rates);

const reserved = (price: PriceVersion, bounds: Bounds, media: Media): Reserved => ({
  reserved: true,
  bounds,
  price: pinned(price),
  held: amountOf(bounds, price),
  media,
});

const pinned = ({ model, version, rates }: PriceVersion): PinnedPrice => ({ model, version, rates });

const affordable = (available: Credits, inputTokens: number, job: Job, price: PriceVersion): number =>
  Math.floor(affordableOutputTokens(available, inputTokens, price.rates) / job.choices);
