import type { PriceVersion } from '../../domain/prices/price-book.ts';
import { StoreFull } from '../../eventstore/event-store.ts';
import { isBeyondContext } from '../metering/bounds.ts';
import { createCall, type Call, type CallOptions } from './call.ts';
import { createIdempotency, type RecordedBy } from './idempotency.ts';
import { MAX_VALUES, measureJson } from '../json/json-shape.ts';
import { eventsOfWhole } from './stream-closing.ts';
import { createLedger, generationIdOf, type ExecuteOnAccount, type Ledger } from './ledger.ts';
import { isThere } from '../json/untyped-json.ts';
import { isFailure } from '../metering/meter.ts';
import type { ModelFacts, SoldModel } from '../metering/model-facts.ts';
import { unsoldMedia } from '../media/media-parts.ts';
import { refusedWithin, upstreamProblem, type CompletionProblem } from './problem.ts';
import { relayStream, type Sink } from './relay.ts';
import { isBadRequest, readRequest, withFields, type CompletionRequest } from '../formats/request.ts';
import { reserveCredits, type Bounds, type NotReserved } from './hold.ts';
import { readStart } from './response-start.ts';
import type { TokenCounter } from '../metering/token-counter.ts';
import { unsoldCache } from '../formats/unsupported-features.ts';
import type { Endpoint, Upstream, UpstreamResponse } from '../providers/provider.ts';
import {
  answerGathered,
  answerWhole,
  readErrorText,
  releaseFailed,
  releaseRefused,
  type Whole,
} from './buffered-response.ts';

/** One completion that a customer asks for, with what the door knows about it. */
export type Asked = {
  /** A time-ordered UUID; the generation's id and the ids of its commands derive from it. */
  readonly uuid: string;
  readonly accountId: string;
  readonly keyId: string;
  readonly endpoint: Endpoint;
  readonly body: Buffer;
  /** Under the same one, no more than one request is charged. */
  readonly idempotencyKey?: string | undefined;
  /** Aborted when the customer's connection closes before the answer is complete. */
  readonly gone: AbortSignal;
  /** Told when credits are held for it: whatever becomes of it then, it is a generation, and has a receipt. */
  readonly held?: (generationId: string) => void;
  /** Counts memory that the request takes beside its body. False if there is none. */
  readonly takeMemory?: (bytes: number) => boolean;
};

export type Answer =
  | { readonly kind: 'problem'; readonly problem: CompletionProblem }
  | (Whole & { readonly outputCap?: number })
  /** `relay` must be called, whoever is there to hear it: the settlement is part of it. */
  | {
      readonly kind: 'stream';
      readonly generationId: string;
      readonly relay: (sink: Sink) => Promise<void>;
      readonly outputCap?: number;
    };

export type CompletionsOptions = Pick<CallOptions, 'maxStreamMs' | 'usageAfterLeavingMs'> & {
  readonly findPrice: (model: string, at: Date) => PriceVersion | undefined;
  /** Since when a model is off sale, if it was on sale before. */
  readonly findDelisting?: (model: string, at: Date) => { readonly effectiveFrom: Date } | undefined;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly execute: ExecuteOnAccount;
  readonly recordedBy: RecordedBy;
  /** Names what came under an idempotency key. */
  readonly idempotencySecret: string;
  /** For prompts, before they are sent on; a long one may take a second, and others wait behind it. */
  readonly promptTokens: TokenCounter;
  /** For what streams say, which cannot go on until it is counted. */
  readonly tokens: TokenCounter;
  readonly runId: () => string;
  /** Whether an operator must first look at what the ledger has lost: then nothing new is taken. */
  readonly isPaused: () => boolean;
  readonly now: () => Date;
  /** How long an upstream's stream may go without data; comments do not count as data. */
  readonly idleTimeoutMs: number;
  /** What is known of a model beside its price. */
  readonly factsOf?: (model: string) => ModelFacts | undefined;
  /** A provider answered with an error. `takesNoneOfUs`: it is about our account there, which the operator must mend. */
  readonly upstreamRefused: (refusal: UpstreamRefusal) => void;
};

export type UpstreamRefusal = { readonly upstream: string; readonly status: number; readonly takesNoneOfUs: boolean };

export type Completions = {
  complete(asked: Asked): Promise<Answer>;
  /** How many completions are under way. */
  readonly active: number;
  /** The generations under way, those included whose credits are not held yet. */
  readonly generations: ReadonlySet<string>;
  /** Takes no more, and after the grace ends those under way: each is settled for what it delivered. */
  drain(graceMs: number): Promise<void>;
};

/** An empty object with its place in a list; few values are larger than that and their text. */
const BYTES_OF_VALUE = 64;

/** Reserve, forward, meter, settle. */
export const createCompletions = (options: CompletionsOptions): Completions => {
  const {
    findPrice,
    upstreams,
    execute,
    recordedBy,
    idempotencySecret: secret,
    promptTokens,
    tokens,
    runId,
    now,
    idleTimeoutMs,
    maxStreamMs,
    usageAfterLeavingMs,
    factsOf,
  } = options;
  const calls = new Set<Call>();
  /** Those that are not calls yet as well, for they may be writing to the log. */
  const generations = new Set<string>();
  let draining = false;
  let idle = (): void => undefined;

  const over = (generationId: string): void => {
    generations.delete(generationId);
    if (generations.size === 0) idle();
  };
  const finished = (call: Call): void => {
    calls.delete(call);
    call.close();
  };

  const notOnSale = (model: string, at: Date): CompletionProblem => {
    const delisting = options.findDelisting?.(model, at);
    return delisting
      ? { kind: 'model_delisted', model, since: delisting.effectiveFrom }
      : { kind: 'model_not_found', model };
  };

  const complete = async (asked: Asked): Promise<Answer> => {
    if (draining) return problem({ kind: 'draining' });
    if (options.isPaused()) return problem({ kind: 'paused' });
    const generationId = generationIdOf(asked.uuid);
    generations.add(generationId);
    let streaming = false;
    try {
      const answer = await answerTo(asked);
      streaming = answer.kind === 'stream';
      return answer;
    } finally {
      if (!streaming) over(generationId);
    }
  };

  const answerTo = async (asked: Asked): Promise<Answer> => {
    const shape = await measureJson(asked.body);
    if (shape.values > MAX_VALUES) return problem(tooManyValues);
    if (draining) return problem({ kind: 'draining' });
    if (asked.takeMemory?.(shape.values * BYTES_OF_VALUE) === false) {
      return problem({ kind: 'upstream_failed', code: 'server_is_overloaded' });
    }
    const request = readRequest(asked.endpoint, asked.body, shape);
    if (isBadRequest(request)) return problem({ kind: 'bad_request', ...request });
    const askedAt = now();
    const listed = findPrice(request.model, askedAt);
    const price: SoldModel | undefined = listed && { ...listed, ...factsOf?.(listed.model) };
    const upstream = price && upstreams.get(price.upstream);
    if (!upstream || !serves(price, asked.endpoint)) return problem(notOnSale(request.model, askedAt));
    const unsold = unsoldMedia(request, price) ?? unsoldCache(request, upstream);
    if (unsold) return problem({ kind: 'bad_request', ...unsold });

    const { idempotencyKey } = asked;
    const once =
      idempotencyKey === undefined
        ? undefined
        : createIdempotency({ asked: { ...asked, idempotencyKey }, recordedBy, secret });
    const ledger = createLedger({ execute, asked, runId, now, stopping: () => draining, once });
    const reservation = await reserveCredits({ request, price, tokens: promptTokens, reserve: ledger.reserve }).catch(
      forgo(ledger),
    );
    if (!reservation.reserved) return problem(whyNotReserved(reservation));
    asked.held?.(ledger.requestId);
    const call = createCall({
      askedAt,
      gone: asked.gone,
      request,
      price,
      reservation,
      ledger,
      promptTokens,
      tokens,
      idleTimeoutMs,
      maxStreamMs,
      usageAfterLeavingMs,
    });
    calls.add(call);
    if (draining) call.cancel('drained');
    let streaming = false;
    try {
      const received = await receive(call, upstream, options);
      if (received.kind === 'whole') return passedOn(call, received, () => over(call.generationId));
      if (received.kind !== 'streams') return problem(received);
      streaming = true;
      const relay = (sink: Sink): Promise<void> =>
        relayStream(call, received.response, sink).finally(() => {
          finished(call);
          over(call.generationId);
        });
      return { kind: 'stream', generationId: call.generationId, relay, ...capOf(call.bounds) };
    } finally {
      if (!streaming) finished(call);
    }
  };

  return {
    complete,
    get active() {
      return generations.size;
    },
    generations,
    drain: async (graceMs) => {
      draining = true;
      if (generations.size === 0) return;
      const ended = new Promise<void>((resolve) => (idle = resolve));
      const grace = setTimeout(() => {
        for (const call of calls) call.cancel('drained');
      }, graceMs);
      await ended;
      clearTimeout(grace);
    },
  };
};

const tooManyValues: CompletionProblem = {
  kind: 'bad_request',
  code: 'invalid_request',
  message: `The body has more than ${MAX_VALUES} values.`,
  param: null,
};

const beyondContext = ({ contextTokens }: PriceVersion): CompletionProblem => ({
  kind: 'bad_request',
  code: 'context_length_exceeded',
  message: `This model's maximum context length is ${contextTokens} tokens here, and the messages alone have more. Send less.`,
  param: 'messages',
});

const problem = (what: CompletionProblem): Answer => ({ kind: 'problem', problem: what });

const whyNotReserved = ({ refusal, affordableTokens }: NotReserved): CompletionProblem =>
  'generationId' in refusal
    ? { kind: 'duplicate', duplicate: refusal }
    : { kind: 'refused', refusal, ...(affordableTokens === undefined ? {} : { affordableTokens }) };

const serves = ({ kind }: PriceVersion, endpoint: Endpoint): boolean =>
  ({ '/chat/completions': 'chat', '/completions': 'completion', '/embeddings': 'embedding' })[endpoint] === kind;

const capOf = ({ outputCap }: Bounds): { outputCap?: number } => (outputCap === undefined ? {} : { outputCap });

/** A reservation that failed may be in the log all the same. The customer need not wait until that is made good. */
const forgo =
  (ledger: Ledger) =>
  (error: unknown): never => {
    if (error instanceof StoreFull) throw error; // It is not in the log.
    ledger.release('gateway_failed', 'the hold was not acknowledged').catch(() => undefined);
    throw error;
  };

/** An answer that came whole, as it is or as the stream that was asked for; then `over` is called once it was written. */
const passedOn = (call: Call, answer: Whole, over: () => void): Answer => {
  const { request, generationId, bounds } = call;
  if (!request.streamed || request.endpoint === '/embeddings') return { ...answer, ...capOf(bounds) };
  const events = eventsOfWhole(call, answer.body);
  const relay = async (sink: Sink): Promise<void> => {
    try {
      await sink.write(events);
    } finally {
      over();
    }
  };
  return { kind: 'stream', generationId, relay, ...capOf(bounds) };
};

type Streams = { readonly kind: 'streams'; readonly response: UpstreamResponse };

/**
 * What the upstream answers: a stream, if one was asked for, or an answer as a whole, whatever it came as. An error that
 * the request has caused is a refusal, also if it comes as the first event of a stream.
 */
const receive = async (
  call: Call,
  upstream: Upstream,
  options: CompletionsOptions,
): Promise<Whole | Streams | CompletionProblem> => {
  const dispatched = await dispatch(call, upstream, options);
  if (!('body' in dispatched)) return dispatched;
  const { response, streams, event } = await readStart(dispatched);
  const refused = event && isFailure(event) ? refusedWithin(event.data) : undefined;
  if (!refused && streams && call.request.streamed) return { kind: 'streams', response };
  const answer = refused
    ? await releaseRefused(call, refused, response)
    : await (streams ? answerGathered : answerWhole)(call, response);
  if (answer.kind === 'upstream_refused') {
    options.upstreamRefused({ upstream: upstream.name, status: answer.status, takesNoneOfUs: false });
  }
  return answer;
};

/** Asks the upstream. Whatever goes wrong before there is an answer releases the hold and costs nothing. */
const dispatch = async (
  call: Call,
  upstream: Upstream,
  { promptTokens, upstreamRefused }: Pick<CompletionsOptions, 'promptTokens' | 'upstreamRefused'>,
): Promise<UpstreamResponse | CompletionProblem> => {
  const { request, price, bounds, ledger, signal } = call;
  try {
    // Long prompts take a while to count: it is done for who has credit for them, and while nobody else can spend that.
    if (await isBeyondContext(request, price, promptTokens)) {
      await ledger.release('upstream_refused', 'beyond the context that is sold');
      return beyondContext(price);
    }
    signal.throwIfAborted();
    const body = forwarded(request, price, bounds, upstream);
    const response = await upstream.send({ endpoint: request.endpoint, body, signal });
    if (response.status >= 200 && response.status < 300) return response;
    const text = await readErrorText(call, response);
    const { status } = response;
    const refused = upstreamProblem(status, text, response.retryAfterMs);
    const takesNoneOfUs = refused.kind === 'upstream_failed' && refused.code === 'no_provider';
    upstreamRefused({ upstream: upstream.name, status, takesNoneOfUs });
    await ledger.release('upstream_refused', `status ${status}`);
    return refused;
  } catch (error) {
    return releaseFailed(call, error);
  }
};

/** The request as the upstream must see it: its own names for the model and for a limit, usage always on, and as it is priced. */
const forwarded = (
  request: CompletionRequest,
  price: PriceVersion,
  { outputCap }: Bounds,
  { outputLimitField, chatFields }: Upstream,
): Buffer => {
  const { fields } = request;
  const asPriced = Object.entries(AS_PRICED).filter(([name]) => isThere(fields[name]));
  // DeepSeek takes no notice of the newer name, so that nothing would bound what is said; Mistral refuses it.
  const renames = outputLimitField === 'max_tokens' && typeof fields[NEWER_LIMIT] === 'number';
  const limit = request.maxOutputTokens;
  return withFields(
    request,
    {
      ...Object.fromEntries(asPriced),
      ...(request.endpoint === '/chat/completions' ? chatFields : {}),
      ...(price.upstreamModel === request.model ? {} : { model: price.upstreamModel }),
      ...(request.streamed && !request.includeUsage
        ? { stream_options: { ...(fields['stream_options'] ?? {}), include_usage: true } }
        : {}),
      ...(outputCap === undefined ? {} : { [outputLimitField]: outputCap }),
      // What is held for is what the format says where nothing is said; what a provider takes it to say may be more.
      ...(request.endpoint === '/completions' && !isThere(fields['max_tokens']) ? { max_tokens: limit } : {}),
      // Under one name there is one limit: the one that is held for.
      ...(renames ? { [NEWER_LIMIT]: limit } : {}),
      ...(renames && Object.hasOwn(fields, outputLimitField) ? { [outputLimitField]: limit } : {}),
    },
    renames ? { [NEWER_LIMIT]: outputLimitField } : {},
  );
};

/** What is sent for a field that a customer set: the tier that is priced; and nothing is stored, because content is the customer's. */
const AS_PRICED = { service_tier: 'default', store: false };

const NEWER_LIMIT = 'max_completion_tokens';
