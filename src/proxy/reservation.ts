import type { ReserveCredits, AccountRefusal } from '../domain/account/decide.ts';
import type { PinnedPrice } from '../domain/account/events.ts';
import { affordableOutputTokens, costBound, type Credits } from '../domain/money.ts';
import type { PriceVersion } from '../domain/prices/price-book.ts';
import { countedTokensBound, inputTokensBound, promptTexts } from './bounds.ts';
import type { Duplicate } from './idempotency.ts';
import type { CompletionRequest } from './request.ts';
import type { TokenCounter } from './token-counter.ts';

/** What a request may use, and so cost, at most. */
export type Bounds = {
  readonly inputTokens: number;
  /** Of all choices together. */
  readonly outputTokens: number;
  /** Where credits decided it: the limit for each choice that the upstream must be told. */
  readonly outputCap?: number;
};

export type Reserved = { readonly reserved: true; readonly bounds: Bounds; readonly price: PinnedPrice };
export type NotReserved = {
  readonly reserved: false;
  readonly refusal: AccountRefusal | Duplicate;
  readonly affordableTokens?: number;
};

export type Hold = Pick<ReserveCredits, 'amount' | 'price' | 'request'>;

/** Tells the refusal, or undefined once the hold is durable. Each try at it is a step with a name of its own. */
export type Reserve = (hold: Hold, step: string) => Promise<AccountRefusal | Duplicate | undefined>;

export type ReservationOptions = {
  readonly request: CompletionRequest;
  readonly price: PriceVersion;
  readonly reserve: Reserve;
  readonly tokens: TokenCounter;
};

/** An answer cut shorter than this by want of credit helps nobody: better to say that credits are short. */
const MIN_CAPPED_OUTPUT = 16;

/**
 * Sets credits aside for the most that a request can cost. First by bytes, which costs nothing; only where that does not
 * fit the balance is the prompt counted. A limit that the customer gave is kept or refused, never cut; where none was
 * given, the output is capped at what is affordable, and the upstream told so.
 */
export const reserveCredits = async (options: ReservationOptions): Promise<Reserved | NotReserved> => {
  const { request, price, tokens } = options;
  const limit = Math.min(request.maxOutputTokens ?? price.maxOutputTokens, price.maxOutputTokens);
  const cheap: Bounds = {
    inputTokens: inputTokensBound(request, price.contextTokens),
    outputTokens: limit * request.choices,
  };
  const refusal = await ask(options, cheap, 'reserve');
  if (!refusal) return reserved(price, cheap);
  if (!refusal.funds) return { reserved: false, refusal };

  const texts = promptTexts(request);
  const counted = await tokens.count(texts);
  const inputTokens = Math.min(cheap.inputTokens, countedTokensBound(request, texts, counted));
  const exact: Bounds = { ...cheap, inputTokens };
  const again = inputTokens < cheap.inputTokens ? await ask(options, exact, 'reserve-counted') : refusal;
  if (!again) return reserved(price, exact);
  if (!again.funds) return { reserved: false, refusal: again };

  const affordableTokens = affordable(again.funds.available, inputTokens, request, price);
  // Credits that others hold come free again: who waits for them gets a whole answer.
  const capped = request.maxOutputTokens === undefined && again.code === 'insufficient_credits';
  if (!capped || affordableTokens < MIN_CAPPED_OUTPUT) return { reserved: false, refusal: again, affordableTokens };
  const bounds: Bounds = { inputTokens, outputTokens: affordableTokens * request.choices, outputCap: affordableTokens };
  const last = await ask(options, bounds, 'reserve-capped');
  return last ? { reserved: false, refusal: last, affordableTokens } : reserved(price, bounds);
};

const ask = (options: ReservationOptions, bounds: Bounds, step: string): ReturnType<Reserve> => {
  const { request, price, reserve } = options;
  return reserve(
    {
      amount: costBound(bounds.inputTokens, bounds.outputTokens, price.rates),
      price: pinned(price),
      request: {
        endpoint: request.endpoint,
        upstream: price.upstream,
        streamed: request.streamed,
        inputTokensBound: bounds.inputTokens,
        outputTokensBound: bounds.outputTokens,
      },
    },
    step,
  );
};

const reserved = (price: PriceVersion, bounds: Bounds): Reserved => ({ reserved: true, bounds, price: pinned(price) });

const pinned = ({ model, version, rates }: PriceVersion): PinnedPrice => ({ model, version, rates });

const affordable = (available: Credits, inputTokens: number, request: CompletionRequest, price: PriceVersion): number =>
  Math.floor(affordableOutputTokens(available, inputTokens, price.rates) / request.choices);
