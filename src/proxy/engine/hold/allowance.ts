import type { AccountRefusal } from '../../../domain/account/decide.ts';
import { affordableOutputTokens, costBound, min, type Credits } from '../../../domain/money.ts';
import { StoreUnavailable } from '../../../eventstore/event-store.ts';
import { tokensPerCounted } from '../../metering/bounds.ts';
import type { Ledger } from '../ledger.ts';
import type { Job } from '../../formats/format.ts';
import { countInput, type Reserved } from './hold.ts';
import { textsOf, type OutputText, type StreamOffset } from '../../metering/output-text.ts';
import type { SoldModel } from '../../metering/model-facts.ts';
import { STEP_TOKENS } from './hold-steps.ts';
import { BEYOND_LIMIT } from './shortage.ts';
import type { TokenCounter } from '../../metering/token-counter.ts';

/**
 * Extends the hold while a stream runs. If the byte count of an event does not prove that the hold covers it, a worker
 * counts its tokens. If the count is close to the hold, the hold grows by a step. Once the hold covers the limit of the
 * request, the stream may exceed that limit by one step, because tokenizers differ, and ends there.
 */
export type Allowance = {
  /** Whether the hold certainly covers all output up to this offset. Does not count tokens. */
  covers(to: StreamOffset): boolean;
  /** Counts tokens and extends the hold in advance, so that the stream does not wait. */
  lookAhead(to: StreamOffset, output: readonly OutputText[]): void;
  /**
   * Resolves with undefined once the hold covers all output up to this offset or the call aborts, else with the
   * refusal.
   */
  admit(
    to: StreamOffset,
    output: readonly OutputText[],
  ): Promise<AccountRefusal['code'] | typeof BEYOND_LIMIT | undefined>;
};

export type AllowanceOptions = {
  readonly job: Job;
  readonly price: SoldModel;
  readonly reservation: Reserved;
  readonly ledger: Pick<Ledger, 'extend'>;
  readonly promptTokens: TokenCounter;
  readonly tokens: TokenCounter;
  /** Aborts when the answer is no longer needed. */
  readonly signal: AbortSignal;
};

/** Other requests end all the time and free the credits that they hold. So short a wait is not noticeable. */
const TRY_AGAIN_MS = 300;
const TRIES = 4;
/** As in `ledger.ts`: a settlement waits for the store as well. */
const STORE_AGAIN_MS = 1000;

/** The hold and the token counts so far. It changes in place. */
type State = {
  inputTokens: number;
  inputIsCounted: boolean;
  held: Credits;
  /** The tokens of input and output that the hold counts as. */
  heldTokens: number;
  /** The output tokens that the hold covers. */
  allowed: number;
  /** Upper and lower bound of the tokens received so far. */
  counted: { readonly tokens: number; readonly least: number } & StreamOffset;
  /** How far `recount` has counted, and its lower bound. */
  recounted: { readonly least: number; readonly pieces: number };
  extensions: number;
  /** An extension whose outcome is unknown: it may be in the log. */
  unanswered: { readonly by: Credits; readonly tokens: number; readonly name: string } | undefined;
  /**
   * An extension in advance was refused. The stream may end before it needs one, so the next request waits until it
   * does.
   */
  isRefused: boolean;
  underWay: Promise<void> | undefined;
};

type Allowing = AllowanceOptions & {
  readonly state: State;
  readonly outputLimit: number;
  readonly step: number;
  readonly perCounted: number;
};

export const createAllowance = (options: AllowanceOptions): Allowance => {
  const { job, price, reservation, signal } = options;
  const { inputTokens, outputTokens, outputLimit } = reservation.bounds;
  const state: State = {
    ...{ inputTokens, inputIsCounted: false, held: reservation.held, heldTokens: inputTokens + outputTokens },
    ...{ allowed: 0, counted: { tokens: 0, least: 0, bytes: 0, pieces: 0 }, recounted: { least: 0, pieces: 0 } },
    ...{ extensions: 0, unanswered: undefined, isRefused: false, underWay: undefined },
  };
  const step = STEP_TOKENS * job.choices;
  const allowing: Allowing = { ...options, state, outputLimit, step, perCounted: tokensPerCounted(price) };
  // If output is free, the hold covers all of it from the start.
  state.allowed = Math.max(outputTokens, affordable(allowing, state.held));
  return {
    covers: (to) => left(allowing, to) >= 0,
    lookAhead: (to, output) => {
      if (state.underWay || state.isRefused || left(allowing, to) >= step / 4) return;
      state.underWay = askAhead(allowing, to, output)
        .catch(() => undefined) // If the error persists, `admit` meets it again.
        .finally(() => (state.underWay = undefined));
    },
    admit: async (to, output) => {
      await state.underWay;
      if (left(allowing, to) < 0) await count(allowing, to, output);
      while (left(allowing, to) < 0 && !isAllHeld(allowing) && !signal.aborted) {
        const refusal = await more(allowing).catch(unlessGone(signal));
        if (refusal) return refusal;
      }
      if (left(allowing, to) < 0 && !signal.aborted) await recount(allowing, to, output);
      return left(allowing, to) < 0 && !signal.aborted ? BEYOND_LIMIT : undefined;
    },
  };
};

const affordable = ({ state, outputLimit, price }: Allowing, credits: Credits): number =>
  Math.min(outputLimit, affordableOutputTokens(credits, state.inputTokens, price.rates));

const isAllHeld = ({ state, outputLimit }: Allowing): boolean => state.allowed >= outputLimit;

/** How many tokens the hold still covers after an offset, at least. Each byte that was not counted may be a token. */
const left = (allowing: Allowing, { bytes }: StreamOffset): number => {
  const { counted, allowed } = allowing.state;
  const room = isAllHeld(allowing) ? allowing.outputLimit + allowing.step - counted.least : allowed - counted.tokens;
  return room - (bytes - counted.bytes);
};

const count = async (
  { state, tokens, perCounted }: Allowing,
  { bytes, pieces }: StreamOffset,
  output: readonly OutputText[],
): Promise<void> => {
  const { counted } = state;
  if (bytes === counted.bytes) return;
  const added = await tokens.count(textsOf(output.slice(counted.pieces, pieces)), 'at_most');
  state.counted = {
    tokens: counted.tokens + Math.min(added * perCounted, bytes - counted.bytes),
    least: counted.least + added / perCounted,
    ...{ bytes, pieces },
  };
};

/** Counts all output since the last recount in one piece, because separate pieces have more tokens than the whole. */
const recount = async (
  { state, tokens, perCounted }: Allowing,
  { bytes, pieces }: StreamOffset,
  output: readonly OutputText[],
): Promise<void> => {
  const texts = textsOf(output.slice(state.recounted.pieces, pieces));
  const least = state.recounted.least + (await tokens.count(texts)) / perCounted;
  state.recounted = { least, pieces };
  state.counted = { ...state.counted, least, bytes, pieces };
};

const nextStep = ({ state, outputLimit, step, price }: Allowing): Credits =>
  costBound(state.inputTokens, Math.min(outputLimit, state.allowed + step), price.rates) - state.held;

const extend = async (allowing: Allowing, by: Credits, insist = true): Promise<AccountRefusal | undefined> => {
  const { state, ledger, signal } = allowing;
  // An extension that may be in the log is repeated unchanged first; otherwise its credits would stay held but unused.
  let mayRepeat = state.unanswered !== undefined;
  const adds = Math.max(0, state.inputTokens + affordable(allowing, state.held + by) - state.heldTokens);
  const asking = (state.unanswered ??= { by, tokens: adds, name: `extend-${++state.extensions}` });
  for (; ; mayRepeat = true) {
    try {
      const refusal = await ledger.extend(asking.by, asking.tokens, asking.name, { mayRepeat });
      state.unanswered = undefined;
      if (refusal) return refusal;
      state.held += asking.by;
      state.heldTokens += asking.tokens;
      state.allowed = affordable(allowing, state.held);
      state.isRefused = false;
      return undefined;
    } catch (error) {
      if (!insist || !(error instanceof StoreUnavailable) || signal.aborted) throw error;
      await pause(STORE_AGAIN_MS, signal);
    }
  }
};

/**
 * Counts the prompt. The hold covers its bytes, so the credits beyond its tokens can pay for output. True if that
 * helps.
 */
const saveOnInput = async (allowing: Allowing): Promise<boolean> => {
  const { state, job, price, reservation, promptTokens } = allowing;
  if (state.inputIsCounted) return false;
  state.inputIsCounted = true;
  const before = state.allowed;
  state.inputTokens = Math.min(state.inputTokens, await countInput(job, price, reservation.media, promptTokens));
  state.allowed = affordable(allowing, state.held);
  return state.allowed > before;
};

const helps = (allowing: Allowing, credits: Credits): boolean =>
  credits > 0n && affordable(allowing, allowing.state.held + credits) > allowing.state.allowed;

/** Holds a further step, or as much of it as the credits cover. Returns the refusal if not even that helps. */
const more = async (allowing: Allowing): Promise<AccountRefusal['code'] | undefined> => {
  const { signal } = allowing;
  for (let tries = 1; ; tries++) {
    const refusal = await extend(allowing, nextStep(allowing));
    if (!refusal?.funds) return refusal?.code;
    if (await saveOnInput(allowing)) return undefined;
    const { available, withoutHolds } = refusal.funds;
    if (helps(allowing, available) && !(await extend(allowing, available))) return undefined;
    if (!helps(allowing, withoutHolds)) return refusal.code;
    // The end of other requests would make room for a smaller step, so the refusal of that step names their holds.
    if (tries === TRIES || signal.aborted) {
      return (await extend(allowing, min(withoutHolds, nextStep(allowing))))?.code;
    }
    await pause(TRY_AGAIN_MS, signal);
  }
};

const askAhead = async (allowing: Allowing, to: StreamOffset, output: readonly OutputText[]): Promise<void> => {
  await count(allowing, to, output);
  if (isAllHeld(allowing) || left(allowing, to) >= allowing.step / 2) return;
  allowing.state.isRefused = (await extend(allowing, nextStep(allowing), false)) !== undefined;
};

/** Ignores an unavailable store if the call was aborted. */
const unlessGone =
  (signal: AbortSignal) =>
  (error: unknown): undefined => {
    if (!(error instanceof StoreUnavailable) || !signal.aborted) throw error;
  };

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    signal.addEventListener('abort', go);
    if (signal.aborted) go();
  });
