import type { ReserveCredits, AccountRefusal } from '../../../domain/account/decide.ts';
import type { PinnedPrice } from '../../../domain/account/events.ts';
import { affordableOutputTokens, costBound, type Credits } from '../../../domain/money.ts';
import type { PriceVersion } from '../../../domain/prices/price-book.ts';
import type { SoldModel } from '../../metering/model-facts.ts';
import { countedTokensBound, inputTokensBound } from '../../metering/bounds.ts';
import type { Duplicate } from '../idempotency.ts';
import { mediaOf, type Media } from '../../media/media-parts.ts';
import type { Job } from '../../formats/format.ts';
import { comesInSteps, STEP_TOKENS } from './hold-steps.ts';
import type { TokenCounter } from '../../metering/token-counter.ts';

/** What the hold covers before the request is forwarded. */
export type Bounds = {
  readonly inputTokens: number;
  /** Of all choices together. */
  readonly outputTokens: number;
  /** The most output tokens that the request can cost. It exceeds `outputTokens` if the hold grows in steps. */
  readonly outputLimit: number;
  /** The limit for each choice to send upstream, if credits set it. */
  readonly outputCap?: number;
  /** The refusal that caused `outputCap`. */
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
  /** The output limit for each choice with which the same request would have been accepted. */
  readonly affordableTokens?: number;
};

export type Hold = Pick<ReserveCredits, 'amount' | 'spare' | 'price' | 'request'>;

/** Returns the refusal, or undefined once the hold is durable. Each attempt is a step with its own name. */
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

/** A shorter answer is useless, so the request is refused for insufficient credits instead. */
const MIN_CAPPED_OUTPUT = 16;

/**
 * Holds credits for the most that a request can cost; or, if its output can be metered as it arrives, for one step of
 * output. The first attempt bounds the input by bytes, which is cheap. The prompt is counted only if that hold does not
 * fit the balance or a limit. If the counted hold does not fit either, a limit that the customer set is not reduced,
 * and the request is refused. Without such a limit, the output is capped at what is affordable. The cap is sent
 * upstream, unless the hold can grow during the stream.
 */
export const reserveCredits = async (options: ReservationOptions): Promise<Reserved | NotReserved> => {
  const { job, price, tokens } = options;
  const isLimited = price.limitLeavesReasoningOut !== true && job.maxOutputTokens !== undefined;
  const limit = isLimited ? Math.min(job.maxOutputTokens, price.maxOutputTokens) : price.maxOutputTokens;
  const stepwise = comesInSteps(job, price);
  // Computed once, because it decodes pictures on this thread.
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

/** The credits must cover this many further holds of the same size. Then the hold of a whole answer is in no one's way. */
const AMPLE = 31n;

/**
 * Holds credits for the most that an answer without a limit can cost, if that is a small part of what is available; undefined
 * otherwise, and nothing is held. Such an answer need not be requested as a stream, which costs more to read.
 */
export const reserveAmply = async (options: ReservationOptions): Promise<Reserved | undefined> => {
  const { job, price } = options;
  const media = mediaOf(job, price);
  const outputTokens = price.maxOutputTokens * job.choices;
  const bounds: Bounds = { inputTokens: inputTokensBound(job, price, media), outputTokens, outputLimit: outputTokens };
  const refusal = await ask(options, bounds, 'reserve-amply', AMPLE * amountOf(bounds, price));
  return refusal ? undefined : reserved(price, bounds, media);
};

type ShortOfFunds = AccountRefusal & { readonly funds: NonNullable<AccountRefusal['funds']> };

/**
 * Caps the output at what is affordable. The first attempt asks for what would be affordable without the holds of other
 * requests: its refusal names those holds, and the same request succeeds once they end. Further attempts follow only if
 * the funds changed between two attempts.
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
 * Whether a hold for the counted prompt may fit. Counting a long prompt is slow, so it is skipped if there are no
 * credits for it, or if the output alone exceeds a limit per minute.
 */
const mayFitCounted = ({ code, funds, limit }: AccountRefusal | Duplicate, { outputTokens }: Bounds): boolean => {
  if (limit?.of === 'tokens') return limit.used + outputTokens < limit.limit;
  return funds !== undefined && (isFinal(code) ? funds.withoutHolds : funds.available) > 0n;
};

/** Whether the refusal stands even after all other requests have ended. */
const isFinal = (code: string): boolean =>
  code === 'insufficient_credits' || code === 'key_limit_exceeded' || code === 'account_limit_exceeded';

/** The most input tokens that a request can have, after counting its texts. */
export const countInput = async (job: Job, price: SoldModel, media: Media, tokens: TokenCounter): Promise<number> => {
  const texts = job.texts();
  // Counting stops at the bound by bytes or by context: a higher count changes nothing, and other requests wait for
  // theirs.
  const enough = inputTokensBound(job, price, media);
  return countedTokensBound(job, price, media, { texts, tokens: await tokens.count(texts, 'at_most', enough) });
};

const ask = (options: ReservationOptions, bounds: Bounds, step: string, spare?: Credits): ReturnType<Reserve> => {
  const { job, price, reserve } = options;
  return reserve(
    {
      amount: amountOf(bounds, price),
      ...(spare === undefined ? {} : { spare }),
      price: pinned(price),
      request: {
        endpoint: job.format.endpoint,
        upstream: price.upstream,
        streamed: job.streamed && job.gathered !== true,
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
