import type { Delivery } from '../domain/account/events.ts';
import type { Credits, Usage } from '../domain/money.ts';
import type { PriceVersion } from '../domain/prices/price-book.ts';
import { BEYOND_LIMIT, createAllowance, type AccessEnd, type Allowance, type Shortage } from './allowance.ts';
import { bytesBound, promptTexts, promptTokenIds, tokensPerCounted } from './bounds.ts';
import type { Ledger } from './ledger.ts';
import type { Metered } from './meter.ts';
import type { CompletionRequest } from './request.ts';
import type { Bounds, Reserved } from './reservation.ts';
import { withoutEcho } from './spoken.ts';
import type { TokenCounter } from './token-counter.ts';
import { withUnreported } from './unreported.ts';
import { UpstreamFailed } from './upstream.ts';
import { meteredUsage, readUsage, withoutCosts } from './usage.ts';

export type Cancelled = 'client_gone' | 'drained' | 'timeout' | typeof BEYOND_LIMIT | Shortage | AccessEnd;

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
  readonly price: PriceVersion;
  readonly bounds: Bounds;
  readonly ledger: Ledger;
  readonly allowance: Allowance;
  /** Aborts when the call is cancelled, for whatever reason. */
  readonly signal: AbortSignal;
  readonly cancelled: Cancelled | undefined;
  cancel(why: Cancelled): void;
  /** Data came from the upstream: the time of the first is taken, and the watchdog waits anew. */
  heard(): void;
  /** The watchdog sleeps until the upstream is heard again. */
  pause(): void;
  /** The upstream said its last word: its connection may end by itself, and so be used again, but soon. */
  expectEnd(): void;
  settle(metered: Metered, ended: Delivery['ended']): Promise<Settlement>;
  /** Ends timers and listeners; the hold must have ended. */
  close(): void;
};

export type CallOptions = {
  readonly askedAt: Date;
  readonly gone: AbortSignal;
  readonly request: CompletionRequest;
  readonly price: PriceVersion;
  readonly reservation: Reserved;
  readonly ledger: Ledger;
  readonly promptTokens: TokenCounter;
  readonly tokens: TokenCounter;
  readonly idleTimeoutMs: number;
};

type Read = Pick<Delivery, 'usageSource' | 'anomalies'> & {
  readonly usage: Usage;
  /** Output tokens beside the usage that the request did not allow: no customer pays for them. */
  readonly beyondLimit: number;
};

const END_WITHIN_MS = 1000;

export const createCall = (options: CallOptions): Call => {
  const { askedAt, gone, request, price, reservation, ledger, promptTokens, tokens, idleTimeoutMs } = options;
  const { bounds } = reservation;
  const controller = new AbortController();
  const startedAt = performance.now();
  let firstByteAt: number | undefined;
  let cancelled: Cancelled | undefined;
  let watchdog: NodeJS.Timeout | undefined;

  const cancel = (why: Cancelled): void => {
    cancelled ??= why;
    controller.abort(new UpstreamFailed(why === 'timeout' ? 'timeout' : 'reset', `cancelled: ${why}`));
  };
  const leave = (): void => cancel('client_gone');
  gone.addEventListener('abort', leave);
  if (gone.aborted) leave();

  const read = async (metered: Metered, ended: Delivery['ended']): Promise<Read> => {
    const said = withoutEcho(request, metered.texts);
    const report = readUsage(metered.usage, {
      // A model may read more than is sold of its window, in fields whose texts nobody here knows to count.
      inputTokens: Math.max(price.contextTokens, bytesBound(request, reservation.media)),
      outputTokens: price.contextTokens * request.choices,
      spoke: said.some((text) => text !== ''),
    });
    // Who came to the end has had the last word on what that was.
    const unreported = ended === 'completed' ? [] : withoutEcho(request, metered.unreported ?? []);
    const { usage, anomalies } = await withUnreported(report, said, unreported, tokens);
    if (usage) return { usage, usageSource: 'reported', anomalies, beyondLimit: 0 };
    const input = promptTokenIds(request) + (await promptTokens.count(promptTexts(request))) + reservation.media.least;
    const output = await tokens.count(said);
    const counted = meteredUsage(Math.min(input, bounds.inputTokens), Math.min(output, bounds.outputLimit));
    // Of a model that may count fewer than we do, only what surely is more than was asked for.
    const beyondLimit = Math.max(0, Math.floor(output / tokensPerCounted(price)) - bounds.outputLimit);
    return {
      ...{ usage: counted, usageSource: 'metered', beyondLimit },
      anomalies: beyondLimit > 0 ? [...anomalies, 'output_beyond_limit'] : anomalies,
    };
  };

  return {
    generationId: ledger.requestId,
    askedAt,
    request,
    price,
    bounds,
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
    signal: controller.signal,
    get cancelled() {
      return cancelled;
    },
    cancel,
    heard: () => {
      firstByteAt ??= performance.now();
      if (watchdog) watchdog.refresh();
      else watchdog = setTimeout(() => cancel('timeout'), idleTimeoutMs);
    },
    pause: () => {
      clearTimeout(watchdog);
      watchdog = undefined;
    },
    expectEnd: () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => cancel('timeout'), END_WITHIN_MS);
    },
    settle: async (metered, ended) => {
      const { usage, usageSource, anomalies, beyondLimit } = await read(metered, ended);
      const delivery: Delivery = {
        usageSource,
        ended,
        finishReason: metered.finishReason,
        upstreamId: metered.upstreamId,
        firstByteMs: firstByteAt === undefined ? null : Math.round(firstByteAt - startedAt),
        totalMs: Math.round(performance.now() - startedAt),
        anomalies: metered.otherTier === true ? [...anomalies, 'other_service_tier'] : anomalies,
      };
      const charged = await ledger.settle(usage, reservation.price, delivery, beyondLimit);
      const reported = metered.usage as Settlement['usage'];
      return { charged, usage: usageSource === 'reported' ? withoutCosts(reported) : asWire(usage) };
    },
    close: () => {
      clearTimeout(watchdog);
      gone.removeEventListener('abort', leave);
    },
  };
};

const asWire = ({ input, output }: Usage): Settlement['usage'] => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
});
