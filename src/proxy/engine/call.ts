import type { Delivery } from '../../domain/account/events.ts';
import type { Job, Settlement, StreamWriter } from '../formats/format.ts';
import { chargedUsage } from '../metering/charged-usage.ts';
import type { SoldModel } from '../metering/model-facts.ts';
import type { TokenCounter } from '../metering/token-counter.ts';
import { ProviderFailed, type Metered, type Watch } from '../providers/provider.ts';
import { createAllowance, type Allowance } from './hold/allowance.ts';
import type { Bounds, Reserved } from './hold/hold.ts';
import type { Ledger } from './ledger.ts';
import type { AccessEnd, BEYOND_LIMIT, Shortage } from './hold/shortage.ts';

/** The stream exceeded the maximum duration. */
export const TOO_LONG = 'too_long';

/** Why a call ended before its provider did; `finished` if the answer was complete. */
export type Cancelled =
  'client_gone' | 'drained' | 'timeout' | 'finished' | typeof TOO_LONG | typeof BEYOND_LIMIT | Shortage | AccessEnd;

/** One completion in progress: the job, its hold, and the means to end it. */
export type Call = Watch & {
  readonly generationId: string;
  readonly askedAt: Date;
  readonly job: Job;
  readonly price: SoldModel;
  readonly bounds: Bounds;
  readonly ledger: Ledger;
  readonly allowance: Allowance;
  /** Writes the stream in the customer's format; undefined if the format has no streams. */
  readonly writer: StreamWriter | undefined;
  readonly usageAfterLeavingMs: number;
  /** Aborts when the call is cancelled, for any reason. */
  readonly signal: AbortSignal;
  readonly cancelled: Cancelled | undefined;
  cancel(why: Cancelled): void;
  /** Whether the customer has disconnected. The provider's stream may still be read for its usage report. */
  readonly left: boolean;
  /** Sets for how many ms the provider's stream is read after the customer disconnects. The default is 0. */
  onLeave(readOnForMs: () => number): void;
  /** Cancels the call, as finished by default, unless the provider ends within so many ms, whatever it still sends. */
  expectEnd(withinMs: number, otherwise?: Cancelled): void;
  settle(metered: Metered, ended: Delivery['ended']): Promise<Settlement>;
  /** Ends timers and listeners; the hold must have ended. */
  close(): void;
};

export type CallOptions = {
  readonly askedAt: Date;
  readonly gone: AbortSignal;
  readonly job: Job;
  readonly price: SoldModel;
  readonly reservation: Reserved;
  readonly ledger: Ledger;
  readonly promptTokens: TokenCounter;
  readonly tokens: TokenCounter;
  readonly idleTimeoutMs: number;
  /** Maximum duration of a call; unlimited by default. */
  readonly maxStreamMs?: number | undefined;
  /** How long to wait for the usage of a model that may hide its reasoning, after the customer has disconnected. */
  readonly usageAfterLeavingMs?: number | undefined;
  /** Called with the speed of an answer that came as a stream. */
  readonly measured?: (tokensPerSecond: number) => void;
};

/** Enough for most answers to end. */
export const USAGE_AFTER_LEAVING_MS = 2000;

export const createCall = (options: CallOptions): Call => new CallInProgress(options);

/**
 * A class, because V8 makes a hidden class for each object literal that has accessors. It is an old object from the start,
 * and keeps the whole call in memory until old objects are collected.
 */
class CallInProgress implements Call {
  readonly generationId: string;
  readonly askedAt: Date;
  readonly job: Job;
  readonly price: SoldModel;
  readonly bounds: Bounds;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  readonly usageAfterLeavingMs: number;
  readonly cancel: Call['cancel'];
  readonly onLeave: Call['onLeave'];
  readonly heard: Call['heard'];
  readonly pause: Call['pause'];
  readonly expectEnd: Call['expectEnd'];
  readonly close: Call['close'];
  readonly #options: CallOptions;
  readonly #life: Life;
  #allowance: Allowance | undefined;
  #writer: StreamWriter | undefined;

  constructor(options: CallOptions) {
    const life = createLife(options);
    this.#options = options;
    this.#life = life;
    this.generationId = options.ledger.requestId;
    this.askedAt = options.askedAt;
    this.job = options.job;
    this.price = options.price;
    this.bounds = options.reservation.bounds;
    this.ledger = options.ledger;
    this.signal = life.signal;
    this.usageAfterLeavingMs = options.usageAfterLeavingMs ?? USAGE_AFTER_LEAVING_MS;
    this.cancel = life.cancel;
    this.onLeave = life.onLeave;
    this.heard = life.heard;
    this.pause = life.pause;
    this.expectEnd = life.expectEnd;
    this.close = life.close;
  }

  // Most answers in one piece need none.
  get allowance(): Allowance {
    return (this.#allowance ??= createAllowance({ ...this.#options, signal: this.signal }));
  }

  get writer(): StreamWriter | undefined {
    return (this.#writer ??= this.job.format.stream?.open(this.job));
  }

  get isWanted(): boolean {
    return this.cancelled !== 'client_gone' && this.cancelled !== 'drained';
  }

  get cancelled(): Cancelled | undefined {
    return this.#life.state.cancelled;
  }

  get left(): boolean {
    return this.#life.state.left;
  }

  async settle(metered: Metered, ended: Delivery['ended']): Promise<Settlement> {
    const { job, price, reservation, ledger, promptTokens, tokens } = this.#options;
    const request = { job, model: price, reservation, promptTokens, tokens };
    const { usage, usageSource, anomalies, beyond, asReported } = await chargedUsage(request, metered, ended);
    const { finishReason, upstreamId, otherTier } = metered;
    const more = [
      ...(this.cancelled === TOO_LONG ? ['stream_too_long'] : []),
      ...(otherTier === true ? ['other_service_tier'] : []),
    ];
    const times = this.#life.times();
    const delivery: Delivery = {
      usageSource,
      ended,
      finishReason,
      upstreamId,
      firstByteMs: times.firstByteMs,
      totalMs: times.totalMs,
      anomalies: more.length === 0 ? anomalies : [...anomalies, ...more],
    };
    const streamMs = times.totalMs - (times.firstByteMs ?? times.totalMs);
    if (job.streamed && streamMs > 0) this.#options.measured?.((1000 * (usage.output + usage.reasoning)) / streamMs);
    const charged = await ledger.settle(usage, reservation.price, delivery, beyond);
    const reported = metered.usage as Settlement['reported'];
    return { charged, usage, ...(asReported && reported ? { reported } : {}) };
  }
}

type Life = ReturnType<typeof createLife>;

/** The timers of a call, and why it ended. */
const createLife = ({ gone, idleTimeoutMs, maxStreamMs }: CallOptions) => {
  const controller = new AbortController();
  const startedAt = performance.now();
  const state: { cancelled: Cancelled | undefined; left: boolean } = { cancelled: undefined, left: false };
  let firstByteAt: number | undefined;
  let readOnForMs = (): number => 0;
  let watchdog: NodeJS.Timeout | undefined;
  let readingOn: NodeJS.Timeout | undefined;

  const cancel = (why: Cancelled): void => {
    state.cancelled ??= state.left ? 'client_gone' : why;
    const code = why === 'timeout' || why === TOO_LONG ? 'timeout' : 'reset';
    controller.abort(new ProviderFailed(code, `cancelled: ${why}`));
  };
  const leave = (): void => {
    if (state.cancelled !== undefined) return;
    const ms = readOnForMs();
    state.left = true;
    if (ms === 0) return cancel('client_gone');
    clearTimeout(watchdog);
    readingOn = setTimeout(() => cancel('client_gone'), ms);
  };
  const tooLong = maxStreamMs === undefined ? undefined : setTimeout(() => cancel(TOO_LONG), maxStreamMs);
  gone.addEventListener('abort', leave);
  if (gone.aborted) leave();

  return {
    signal: controller.signal,
    state,
    cancel,
    onLeave: (decide: () => number): void => {
      readOnForMs = decide;
    },
    heard: (): void => {
      firstByteAt ??= performance.now();
      if (watchdog) watchdog.refresh();
      else watchdog = setTimeout(() => cancel('timeout'), idleTimeoutMs);
    },
    pause: (): void => {
      clearTimeout(watchdog);
      watchdog = undefined;
    },
    expectEnd: (withinMs: number, otherwise: Cancelled = 'finished'): void => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => cancel(otherwise), withinMs);
    },
    times: (): Pick<Delivery, 'firstByteMs' | 'totalMs'> => ({
      firstByteMs: firstByteAt === undefined ? null : Math.round(firstByteAt - startedAt),
      totalMs: Math.round(performance.now() - startedAt),
    }),
    close: (): void => {
      for (const timer of [watchdog, readingOn, tooLong]) clearTimeout(timer);
      gone.removeEventListener('abort', leave);
    },
  };
};
