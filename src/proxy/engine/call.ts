import type { Delivery } from '../../domain/account/events.ts';
import type { Credits } from '../../domain/money.ts';
import { BEYOND_LIMIT, createAllowance, type AccessEnd, type Allowance, type Shortage } from './allowance.ts';
import { createUsageReader } from '../metering/charged-usage.ts';
import type { Ledger } from './ledger.ts';
import type { Metered } from '../metering/meter.ts';
import type { SoldModel } from '../metering/model-facts.ts';
import type { CompletionRequest } from '../formats/request.ts';
import type { Bounds, Reserved } from './hold.ts';
import type { TokenCounter } from '../metering/token-counter.ts';
import { UpstreamFailed } from '../providers/provider.ts';
import { asWire, withoutCosts } from '../metering/usage.ts';

/** The stream took longer than any may. */
export const TOO_LONG = 'too_long';

/** Why a call ended before its upstream did; `finished` if that had nothing more to say. */
export type Cancelled =
  'client_gone' | 'drained' | 'timeout' | 'finished' | typeof TOO_LONG | typeof BEYOND_LIMIT | Shortage | AccessEnd;

export type Settlement = {
  /** What the customer pays. */
  readonly charged: Credits;
  /** The usage as the upstream reported it, but for what it costs us, or the like made of what was metered. */
  readonly usage: Readonly<Record<string, unknown>>;
};

/** One completion under way: what was asked and set aside, and the means to end it. */
export type Call = {
  readonly generationId: string;
  readonly askedAt: Date;
  readonly request: CompletionRequest;
  readonly price: SoldModel;
  readonly bounds: Bounds;
  readonly ledger: Ledger;
  readonly allowance: Allowance;
  readonly usageAfterLeavingMs: number;
  /** Aborts when the call is cancelled, for whatever reason. */
  readonly signal: AbortSignal;
  readonly cancelled: Cancelled | undefined;
  cancel(why: Cancelled): void;
  /** Whether the customer has left; the upstream may still be read for its report. */
  readonly left: boolean;
  /** Called when the customer leaves: for how many ms the upstream is read on. By default it is left at once. */
  onLeave(readOnForMs: () => number): void;
  /** Data came from the upstream: the time of the first is taken, and the watchdog waits anew. */
  heard(): void;
  /** The watchdog sleeps until the upstream is heard again. */
  pause(): void;
  /** The upstream must end within so many ms, whatever it still sends: else the call is cancelled for this reason. */
  expectEnd(withinMs: number, otherwise: Cancelled): void;
  settle(metered: Metered, ended: Delivery['ended']): Promise<Settlement>;
  /** Ends timers and listeners; the hold must have ended. */
  close(): void;
};

export type CallOptions = {
  readonly askedAt: Date;
  readonly gone: AbortSignal;
  readonly request: CompletionRequest;
  readonly price: SoldModel;
  readonly reservation: Reserved;
  readonly ledger: Ledger;
  readonly promptTokens: TokenCounter;
  readonly tokens: TokenCounter;
  readonly idleTimeoutMs: number;
  /** How long a call may take in all; by default for ever. */
  readonly maxStreamMs?: number | undefined;
  /** How long the usage of a model that may hide its reasoning is awaited after the customer left. */
  readonly usageAfterLeavingMs?: number | undefined;
};

/** Enough for most answers to end; long enough to wait for nobody. */
export const USAGE_AFTER_LEAVING_MS = 2000;

export const createCall = (options: CallOptions): Call => {
  const { askedAt, gone, request, price, reservation, ledger, promptTokens, tokens, idleTimeoutMs, maxStreamMs } =
    options;
  const controller = new AbortController();
  const startedAt = performance.now();
  let firstByteAt: number | undefined;
  let cancelled: Cancelled | undefined;
  let watchdog: NodeJS.Timeout | undefined;
  let left = false;
  let readOnForMs = (): number => 0;
  let readingOn: NodeJS.Timeout | undefined;

  const cancel = (why: Cancelled): void => {
    cancelled ??= left ? 'client_gone' : why;
    const code = why === 'timeout' || why === TOO_LONG ? 'timeout' : 'reset';
    controller.abort(new UpstreamFailed(code, `cancelled: ${why}`));
  };
  const leave = (): void => {
    if (cancelled !== undefined) return;
    const ms = readOnForMs();
    left = true;
    if (ms === 0) return cancel('client_gone');
    clearTimeout(watchdog);
    readingOn = setTimeout(() => cancel('client_gone'), ms);
  };
  const tooLong = maxStreamMs === undefined ? undefined : setTimeout(() => cancel(TOO_LONG), maxStreamMs);
  gone.addEventListener('abort', leave);
  if (gone.aborted) leave();

  const read = createUsageReader({ request, model: price, reservation, promptTokens, tokens });

  return {
    generationId: ledger.requestId,
    askedAt,
    request,
    price,
    bounds: reservation.bounds,
    ledger,
    allowance: createAllowance({
      request,
      price,
      reservation,
      ledger,
      promptTokens,
      tokens,
      signal: controller.signal,
    }),
    usageAfterLeavingMs: options.usageAfterLeavingMs ?? USAGE_AFTER_LEAVING_MS,
    signal: controller.signal,
    get cancelled() {
      return cancelled;
    },
    cancel,
    get left() {
      return left;
    },
    onLeave: (decide) => {
      readOnForMs = decide;
    },
    heard: () => {
      firstByteAt ??= performance.now();
      if (watchdog) watchdog.refresh();
      else watchdog = setTimeout(() => cancel('timeout'), idleTimeoutMs);
    },
    pause: () => {
      clearTimeout(watchdog);
      watchdog = undefined;
    },
    expectEnd: (withinMs, otherwise) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => cancel(otherwise), withinMs);
    },
    settle: async (metered, ended) => {
      const { usage, usageSource, anomalies, beyond, asReported } = await read(metered, ended);
      const delivery: Delivery = {
        usageSource,
        ended,
        finishReason: metered.finishReason,
        upstreamId: metered.upstreamId,
        firstByteMs: firstByteAt === undefined ? null : Math.round(firstByteAt - startedAt),
        totalMs: Math.round(performance.now() - startedAt),
        anomalies: [
          ...anomalies,
          ...(cancelled === TOO_LONG ? ['stream_too_long'] : []),
          ...(metered.otherTier === true ? ['other_service_tier'] : []),
        ],
      };
      const charged = await ledger.settle(usage, reservation.price, delivery, beyond);
      const reported = metered.usage as Settlement['usage'];
      return { charged, usage: asReported ? withoutCosts(reported) : asWire(usage) };
    },
    close: () => {
      for (const timer of [watchdog, readingOn, tooLong]) clearTimeout(timer);
      gone.removeEventListener('abort', leave);
    },
  };
};
