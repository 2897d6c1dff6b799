import type { AccountRefusal } from '../../domain/account/decide.ts';
import { affordableOutputTokens, costBound, min, type Credits } from '../../domain/money.ts';
import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { tokensPerCounted } from '../metering/bounds.ts';
import type { Ledger } from './ledger.ts';
import type { Job } from '../formats/format.ts';
import { countInput, type Reserved } from './hold.ts';
import { textsOf, type OutputText, type StreamOffset } from '../metering/output-text.ts';
import type { SoldModel } from '../metering/model-facts.ts';
import { STEP_TOKENS } from './hold-steps.ts';
import { BEYOND_LIMIT } from './shortage.ts';
import type { TokenCounter } from '../metering/token-counter.ts';

/**
 * The output that is held for while a stream runs. If its bytes alone do not show that an event is held for, its tokens are
 * counted in a worker; if these come near to the hold, another step is held. Once all that the request allows is held, the
 * stream may go one step further, as tokenizers differ, and ends there.
 */
export type Allowance = {
  /** Whether all output up to there is certainly held for, without counting. */
  covers(to: StreamOffset): boolean;
  /** Counts and extends the hold in time, so that the stream need not wait. */
  lookAhead(to: StreamOffset, output: readonly OutputText[]): void;
  /** Resolves once all output up to there is held for, or the call was aborted; else with the reason why it will not be. */
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
  /** Aborts when nobody needs the answer any more. */
  readonly signal: AbortSignal;
};

/** Credits that other requests hold may become free, as requests end all the time. A reader does not notice so short a wait. */
const TRY_AGAIN_MS = 300;
const TRIES = 4;
/** As for a settlement, which would wait for the store as well. */
const STORE_AGAIN_MS = 1000;

/** What is held for and counted so far. It changes in place. */
type State = {
  inputTokens: number;
  inputIsCounted: boolean;
  held: Credits;
  /** What the hold counts for, of input and output together. */
  heldTokens: number;
  /** The output tokens that are held for. */
  allowed: number;
  /** The most and the least tokens that came so far. */
  counted: { readonly tokens: number; readonly least: number } & StreamOffset;
  /** How far the output was counted a second time, in one piece. */
  recounted: { readonly least: number; readonly pieces: number };
  extensions: number;
  /** An extension whose answer was lost: it may be in the log. */
  unanswered: { readonly by: Credits; readonly tokens: number; readonly name: string } | undefined;
  /** Asking ahead was refused. The stream may end before that matters, so it is not asked again until it does. */
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
  // Output without a price is all held for from the start.
  state.allowed = Math.max(outputTokens, affordable(allowing, state.held));
  return {
    covers: (to) => left(allowing, to) >= 0,
    lookAhead: (to, output) => {
      if (state.underWay || state.isRefused || left(allowing, to) >= step / 4) return;
      state.underWay = askAhead(allowing, to, output)
        .catch(() => undefined) // Whatever it is, it occurs again when the stream cannot continue without.
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

/** How many tokens may come beyond an offset, at least. Each byte that was not counted may be a token. */
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

/** Counts in one piece all that came since the last such count: text that was counted in pieces has fewer tokens as a whole. */
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
  // An extension that may be in the log is repeated first, unchanged; else credits would be held without being used.
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

/** Counts the prompt: what its bytes were held for beyond its tokens pays for output as well. True if that helps. */
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
    // For a smaller step the end of other requests would be enough, so its refusal names their holds.
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

/** A store that fails does not matter to a stream that nobody reads any more. */
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
