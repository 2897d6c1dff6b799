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
 * The output that is held for, while a stream runs. Bytes say for nothing that an event is surely held for; where they do
 * not, its tokens are counted, off the main thread; and where those come near to what is held, more is set aside. Where
 * all is held that the request allows, there is a step beyond it, for no two count alike, and then an end.
 */
export type Allowance = {
  /** Whether all up to there is surely held for, without counting. */
  covers(to: StreamOffset): boolean;
  /** Counts and asks for more in time, so that the stream need not wait. */
  lookAhead(to: StreamOffset, output: readonly OutputText[]): void;
  /** Waits until all up to there is held for, or nobody waits any more; tells why where it will not be. */
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

/** Credits that others hold may come free, for requests end all the time; but not for longer than a reader would notice. */
const TRY_AGAIN_MS = 300;
const TRIES = 4;
/** As a settlement does, which would have to wait for the store just the same. */
const STORE_AGAIN_MS = 1000;

export const createAllowance = (options: AllowanceOptions): Allowance => {
  const { job, price, reservation, ledger, promptTokens, tokens, signal } = options;
  const { rates } = price;
  const { outputLimit } = reservation.bounds;
  const step = STEP_TOKENS * job.choices;
  const perCounted = tokensPerCounted(price);
  let { inputTokens } = reservation.bounds;
  let { held } = reservation;
  /** What the hold counts for, of input and output together. */
  let heldTokens = inputTokens + reservation.bounds.outputTokens;
  /** The most that was said so far, and the least. */
  let counted = { tokens: 0, least: 0, bytes: 0, pieces: 0 };
  /** How far it was counted again. */
  let again = { least: 0, pieces: 0 };
  let inputCounted = false;
  let asked = 0;
  let unanswered: { readonly by: Credits; readonly tokens: number; readonly name: string } | undefined;
  let underWay: Promise<void> | undefined;
  /** Asking ahead was refused: the stream may well end before that matters, so it is not asked for again until it does. */
  let refused = false;

  const allow = (credits: Credits): number =>
    Math.min(outputLimit, affordableOutputTokens(credits, inputTokens, rates));
  // Output that costs nothing is all held for from the start.
  let allowed = Math.max(reservation.bounds.outputTokens, allow(held));
  const allHeld = (): boolean => allowed >= outputLimit;
  const left = ({ bytes }: StreamOffset): number =>
    (allHeld() ? outputLimit + step - counted.least : allowed - counted.tokens) - (bytes - counted.bytes);

  const count = async ({ bytes, pieces }: StreamOffset, output: readonly OutputText[]): Promise<void> => {
    if (bytes === counted.bytes) return;
    const more = await tokens.count(textsOf(output.slice(counted.pieces, pieces)), 'at_most');
    counted = {
      tokens: counted.tokens + Math.min(more * perCounted, bytes - counted.bytes),
      least: counted.least + more / perCounted,
      ...{ bytes, pieces },
    };
  };

  /** Counts in one go all that came since the last such count: text that was counted in pieces has fewer tokens as a whole. */
  const countAgain = async ({ bytes, pieces }: StreamOffset, output: readonly OutputText[]): Promise<void> => {
    const texts = textsOf(output.slice(again.pieces, pieces));
    again = { least: again.least + (await tokens.count(texts)) / perCounted, pieces };
    counted = { ...counted, least: again.least, bytes, pieces };
  };

  const nextStep = (): Credits => costBound(inputTokens, Math.min(outputLimit, allowed + step), rates) - held;

  const extend = async (by: Credits, insist = true): Promise<AccountRefusal | undefined> => {
    // What may be in the log already is asked for again first, as it was, or credits would be held that nobody knows of.
    let mayRepeat = unanswered !== undefined;
    const adds = Math.max(0, inputTokens + allow(held + by) - heldTokens);
    const asking = (unanswered ??= { by, tokens: adds, name: `extend-${++asked}` });
    for (; ; mayRepeat = true) {
      try {
        const refusal = await ledger.extend(asking.by, asking.tokens, asking.name, { mayRepeat });
        unanswered = undefined;
        if (refusal) return refusal;
        held += asking.by;
        heldTokens += asking.tokens;
        allowed = allow(held);
        refused = false;
        return undefined;
      } catch (error) {
        if (!insist || !(error instanceof StoreUnavailable) || signal.aborted) throw error;
        await pause(STORE_AGAIN_MS, signal);
      }
    }
  };

  /** What the bytes of the prompt were held for beyond its tokens pays for output as well. */
  const saveOnInput = async (): Promise<boolean> => {
    if (inputCounted) return false;
    inputCounted = true;
    const before = allowed;
    inputTokens = Math.min(inputTokens, await countInput(job, price, reservation.media, promptTokens));
    allowed = allow(held);
    return allowed > before;
  };

  const more = async (): Promise<AccountRefusal['code'] | undefined> => {
    for (let tries = 1; ; tries++) {
      const refusal = await extend(nextStep());
      if (!refusal?.funds) return refusal?.code;
      if (await saveOnInput()) return undefined;
      const { available, withoutHolds } = refusal.funds;
      if (helps(available) && !(await extend(available))) return undefined;
      if (!helps(withoutHolds)) return refusal.code;
      // For a smaller step the end of other requests would do, so its refusal names their holds.
      if (tries === TRIES || signal.aborted) return (await extend(min(withoutHolds, nextStep())))?.code;
      await pause(TRY_AGAIN_MS, signal);
    }
  };

  const helps = (credits: Credits): boolean => credits > 0n && allow(held + credits) > allowed;

  /** Nobody waits for the store any more. */
  const unlessGone = (error: unknown): undefined => {
    if (!(error instanceof StoreUnavailable) || !signal.aborted) throw error;
  };

  const askAhead = async (to: StreamOffset, output: readonly OutputText[]): Promise<void> => {
    await count(to, output);
    if (!allHeld() && left(to) < step / 2) refused = (await extend(nextStep(), false)) !== undefined;
  };

  return {
    covers: (to) => left(to) >= 0,
    lookAhead: (to, output) => {
      if (underWay || refused || left(to) >= step / 4) return;
      underWay = askAhead(to, output)
        .catch(() => undefined) // Whatever it is, it is met again where the stream cannot go on without.
        .finally(() => (underWay = undefined));
    },
    admit: async (to, output) => {
      await underWay;
      if (left(to) < 0) await count(to, output);
      while (left(to) < 0 && !allHeld() && !signal.aborted) {
        const refusal = await more().catch(unlessGone);
        if (refusal) return refusal;
      }
      if (left(to) < 0 && !signal.aborted) await countAgain(to, output);
      return left(to) < 0 && !signal.aborted ? BEYOND_LIMIT : undefined;
    },
  };
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
