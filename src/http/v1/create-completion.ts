import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticate, Customer } from '../auth/authenticate.ts';
import { requestIdOf, arrivalOf } from '../server/request-id.ts';
import { idempotencyKeyOf } from '../server/idempotency-key.ts';
import { tellRateLimits, type RateLimits } from '../server/rate-limit-headers.ts';
import {
  isProblem,
  ofGeneration,
  problem,
  problemBodyFor,
  sendProblem,
  setGenerationHeaders,
  type Problem,
} from '../server/problems.ts';
import type { ReadBody, WholeBody } from '../server/read-body.ts';
import { completionProblem, type CompletionProblem } from './completion-problems.ts';

/** The paths of the formats, under /v1. */
export const endpoints = ['/chat/completions', '/completions', '/embeddings', '/responses', '/messages'] as const;
export type Endpoint = (typeof endpoints)[number];

export type Asked = Customer & {
  readonly uuid: string;
  readonly endpoint: Endpoint;
  readonly body: Buffer;
  readonly idempotencyKey: string | undefined;
  readonly gone: AbortSignal;
  readonly held: (generationId: string) => void;
  /** Counts memory that the request needs besides its body. False if there is no room. */
  readonly takeMemory: (bytes: number) => boolean;
};

/** An attempt before the one that answered. */
export type FailedAttempt = {
  readonly generationId: string;
  readonly provider: string;
  readonly model: string;
  readonly reason: string;
};

export type Answer =
  | { readonly kind: 'problem'; readonly problem: CompletionProblem }
  | {
      readonly kind: 'whole';
      readonly provider: string;
      readonly failed: readonly FailedAttempt[];
      readonly generationId: string;
      readonly body: string;
      readonly costUsd: string;
      readonly outputCap?: number;
    }
  | {
      readonly kind: 'stream';
      readonly provider: string;
      readonly failed: readonly FailedAttempt[];
      readonly generationId: string;
      readonly relay: (sink: Sink) => Promise<void>;
      readonly outputCap?: number;
    };

/** Receives a stream piece by piece. A returned promise resolves when the client has read enough to go on. */
export type Sink = {
  write(passing: Uint8Array | string): Promise<void> | undefined;
  /** Sends the error as the last event of a broken stream. */
  fail(why: CompletionProblem, write?: (problem: string) => string): Promise<void> | undefined;
};

/** Executes one completion. The relay of a stream must be called, because it also settles the hold. */
export type Complete = (asked: Asked) => Promise<Answer>;

export type CreateCompletionOptions = {
  readonly authenticate: Authenticate;
  readonly readBody: ReadBody;
  readonly maxBodyBytes: number;
  readonly complete: Complete;
  /** Where the Terms of Service can be read. */
  readonly termsUrl: () => string;
  /** The balance of an account in USD, as last known to this process. */
  readonly balanceUsd: (accountId: string) => string | undefined;
  readonly rateLimits: RateLimits;
  /** Called with each refusal of an authenticated request of which nothing is in the log. */
  readonly refused: (refused: RefusedRequest) => void;
} & Patience;

export type RefusedRequest = Customer & { readonly requestId: string; readonly problem: Problem };

type Patience = {
  /** Proxies and browsers close silent connections; comments keep them open. */
  readonly commentAfterMs: number;
  /** A client that reads nothing for this time is disconnected, so that it does not occupy memory and an upstream. */
  readonly slowReaderMs: number;
};

/** Rejects if the gateway fails. */
type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** POST /v1/chat/completions and the paths of the other formats. */
export const createCompletion = (endpoint: Endpoint, options: CreateCompletionOptions): Serve => {
  const { authenticate, readBody } = options;
  const answerTo = createAnswerTo(endpoint, options);
  return async (request, response) => {
    const refuse = (refused: Problem): void => refuseBody(request, response, refused, options.maxBodyBytes);
    const customer = authenticate(request);
    if (isProblem(customer)) return refuse(customer);
    const refuseCustomer = (refused: Problem): void => {
      const { accountId, keyId } = customer;
      const isLogged = ofGeneration(response, refused).generation !== undefined;
      if (!isLogged) options.refused({ accountId, keyId, requestId: requestIdOf(response), problem: refused });
      refuse(refused);
    };
    if (!isJson(request)) return refuseCustomer(problem('unsupported_media_type'));
    const idempotencyKey = idempotencyKeyOf(request);
    if (typeof idempotencyKey === 'object') return refuseCustomer(idempotencyKey);
    const body = await readBody(request);
    if (isProblem(body)) return refuseCustomer(body);
    try {
      const refused = await answerTo({ customer, idempotencyKey, body }, response);
      if (refused) refuseCustomer(refused);
    } finally {
      body.share.release();
    }
  };
};

/**
 * Sends a problem, perhaps before all of the body was read. Closing the connection during a request hides the error from
 * many clients, so the rest of the body is read, unless it is too large or of unknown length.
 */
export const refuseBody = (
  request: IncomingMessage,
  response: ServerResponse,
  refused: Problem,
  maxBodyBytes: number,
): void => {
  const rest = request.complete ? 0 : Number(request.headers['content-length'] ?? Infinity);
  if (rest > maxBodyBytes) response.setHeader('connection', 'close');
  sendProblem(response, refused, requestIdOf(response));
};

type Read = {
  readonly customer: Customer;
  readonly idempotencyKey: string | undefined;
  readonly body: WholeBody;
};

/** Answers a request whose body was read, or returns the problem. */
const createAnswerTo = (endpoint: Endpoint, options: CreateCompletionOptions) => {
  const { complete, balanceUsd, rateLimits } = options;
  return async ({ customer, idempotencyKey, body }: Read, response: ServerResponse): Promise<Problem | undefined> => {
    const left = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) left.abort();
    });
    const { uuid, startedAt } = arrivalOf(response);
    const { accountId, keyId } = customer;
    const answer = await complete({
      ...{ uuid, accountId, keyId, endpoint, idempotencyKey },
      ...{ body: body.bytes, takeMemory: body.share.addMemory, gone: left.signal },
      // From here on the generation has a receipt, whatever the response.
      held: (generationId) => setGenerationHeaders(response, generationId),
    });
    response.setHeader('openai-processing-ms', Math.round(performance.now() - startedAt));
    tellRateLimits(response, rateLimits(accountId, keyId));
    if (answer.kind === 'problem') return completionProblem(answer.problem, options.termsUrl());

    setGenerationHeaders(response, answer.generationId, answer.kind === 'whole' ? answer.costUsd : undefined);
    tellProvider(response, answer);
    if (answer.outputCap !== undefined) response.setHeader('x-kissapi-output-capped', answer.outputCap);
    if (answer.kind === 'stream') {
      body.share.streaming();
      await sendStream(response, answer.relay, left.signal, options);
      return undefined;
    }
    const balance = balanceUsd(accountId);
    if (balance !== undefined) response.setHeader('x-kissapi-balance-usd', balance);
    response.setHeader('content-type', 'application/json');
    response.end(withAttempts(answer.body, answer.failed));
    return undefined;
  };
};

/** Which provider answered, and which attempts failed before it. */
const tellProvider = (
  response: ServerResponse,
  { provider, failed }: Exclude<Answer, { readonly kind: 'problem' }>,
): void => {
  response.setHeader('x-kissapi-provider', provider);
  if (failed.length > 0) {
    const attempts = failed.map((one) => `${one.provider}=${one.reason}`);
    response.setHeader('x-kissapi-failed-attempts', attempts.join(', '));
  }
};

/** Adds the attempts that failed to the JSON of an answer, beside our other members. */
const withAttempts = (body: string, failed: readonly FailedAttempt[]): string => {
  if (failed.length === 0) return body;
  const attempts = failed.map(({ generationId, ...rest }) => ({ generation_id: generationId, ...rest }));
  const own = JSON.stringify({ failed_attempts: attempts }).slice(1, -1);
  const at = body.lastIndexOf(OWN);
  return at < 0
    ? `${body.slice(0, body.lastIndexOf('}'))},"kissapi":{${own}}}`
    : `${body.slice(0, at + OWN.length)}${own},${body.slice(at + OWN.length)}`;
};

/** How our own member of an answer begins, which is its last one. */
const OWN = ',"kissapi":{';

export const isJson = ({ headers }: IncomingMessage): boolean =>
  /^application\/json *(;|$)/i.test(headers['content-type'] ?? '');

const sendStream = async (
  response: ServerResponse,
  relay: (sink: Sink) => Promise<void>,
  left: AbortSignal,
  { commentAfterMs, slowReaderMs, termsUrl }: Patience & Pick<CreateCompletionOptions, 'termsUrl'>,
): Promise<void> => {
  response.setHeader('content-type', 'text/event-stream; charset=utf-8');
  response.setHeader('cache-control', 'no-cache');
  response.setHeader('x-accel-buffering', 'no');
  const comments = setInterval(() => {
    if (response.writableLength === 0) response.write(': still working\n\n');
  }, commentAfterMs);
  const write = (passing: Uint8Array | string): Promise<void> | undefined => {
    comments.refresh();
    return left.aborted || response.write(passing) ? undefined : drained(response, left, slowReaderMs);
  };
  const fail: Sink['fail'] = (why, asEvent = asData) => {
    const broken = ofGeneration(response, completionProblem(why, termsUrl()));
    return write(asEvent(problemBodyFor(response, broken, requestIdOf(response))));
  };
  try {
    await relay({ write, fail });
  } finally {
    clearInterval(comments);
  }
  response.end();
};

const asData = (json: string): string => `data: ${json}\n\n`;

const drained = (response: ServerResponse, left: AbortSignal, slowReaderMs: number): Promise<void> =>
  new Promise((resolve) => {
    if (left.aborted) return resolve();
    const tooSlow = setTimeout(() => response.destroy(), slowReaderMs);
    const go = (): void => {
      clearTimeout(tooSlow);
      response.off('drain', go);
      left.removeEventListener('abort', go);
      resolve();
    };
    response.on('drain', go);
    left.addEventListener('abort', go);
  });
