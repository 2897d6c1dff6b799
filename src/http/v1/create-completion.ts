import type { Request, RequestHandler, Response } from 'express';
import type { Authenticate, Customer } from '../auth/authenticate.ts';
import { requestIdOf, arrivalOf } from '../server/request-id.ts';
import { idempotencyKeyOf } from '../server/idempotency-key.ts';
import { tellRateLimits, type RateLimits } from '../server/rate-limit-headers.ts';
import {
  ofGeneration,
  problem,
  problemBody,
  sendProblem,
  setGenerationHeaders,
  type Problem,
} from '../server/problems.ts';
import type { ReadBody, WholeBody } from '../server/read-body.ts';
import { completionProblem, type CompletionProblem } from './completion-problems.ts';

export type Endpoint = '/chat/completions' | '/completions' | '/embeddings';

export type Asked = Customer & {
  readonly uuid: string;
  readonly endpoint: Endpoint;
  readonly body: Buffer;
  readonly idempotencyKey: string | undefined;
  readonly gone: AbortSignal;
  readonly held: (generationId: string) => void;
  /** Counts memory that the request takes beside its body. False if there is none. */
  readonly takeMemory: (bytes: number) => boolean;
};

export type Answer =
  | { readonly kind: 'problem'; readonly problem: CompletionProblem }
  | {
      readonly kind: 'whole';
      readonly generationId: string;
      readonly body: string;
      readonly costUsd: string;
      readonly outputCap?: number;
    }
  | {
      readonly kind: 'stream';
      readonly generationId: string;
      readonly relay: (sink: Sink) => Promise<void>;
      readonly outputCap?: number;
    };

/** Takes a stream piece by piece; a promise means: wait, the reader is slow. */
export type Sink = {
  write(passing: Uint8Array | string): Promise<void> | undefined;
  /** The stream breaks off, and this is its last event. */
  fail(why: CompletionProblem): Promise<void> | undefined;
};

/** Asks for one completion; the relay of a stream must be called, for the settlement is part of it. */
export type Complete = (asked: Asked) => Promise<Answer>;

export type CreateCompletionOptions = {
  readonly authenticate: Authenticate;
  readonly readBody: ReadBody;
  readonly maxBodyBytes: number;
  readonly complete: Complete;
  /** What is left of an account, in USD, as this process last knew it. */
  readonly balanceUsd: (accountId: string) => string | undefined;
  readonly rateLimits: RateLimits;
} & Patience;

type Patience = {
  /** Proxies and browsers give a silent connection up; comments keep it alive. */
  readonly commentAfterMs: number;
  /** A reader that takes nothing for so long is treated as gone, or it would hold memory and an upstream for ever. */
  readonly slowReaderMs: number;
};

/** POST /v1/chat/completions, /v1/completions and /v1/embeddings. */
export const createCompletion = (endpoint: Endpoint, options: CreateCompletionOptions): RequestHandler => {
  const { authenticate, readBody } = options;
  const answerTo = createAnswerTo(endpoint, options);
  return async (request, response) => {
    const refuse = (what: Problem): void => {
      // A sender that is cut short hears of that, and not why: what is left of a body is read on, but of none that is too large
      // or does not say how long it is.
      const rest = request.complete ? 0 : Number(request.headers['content-length'] ?? Infinity);
      if (rest > options.maxBodyBytes) response.setHeader('connection', 'close');
      sendProblem(response, what, requestIdOf(response));
    };
    const customer = authenticate(request);
    if ('status' in customer) return refuse(customer);
    if (!isJson(request)) return refuse(problem('unsupported_media_type'));
    const idempotencyKey = idempotencyKeyOf(request);
    if (typeof idempotencyKey === 'object') return refuse(idempotencyKey);
    const body = await readBody(request);
    if ('status' in body) return refuse(body);
    try {
      const refused = await answerTo({ customer, idempotencyKey, body }, response);
      if (refused) refuse(refused);
    } finally {
      body.share.release();
    }
  };
};

type Read = {
  readonly customer: Customer;
  readonly idempotencyKey: string | undefined;
  readonly body: WholeBody;
};

/** Answers a request whose body was read, or returns why there is no completion. */
const createAnswerTo = (endpoint: Endpoint, options: CreateCompletionOptions) => {
  const { complete, balanceUsd, rateLimits } = options;
  return async ({ customer, idempotencyKey, body }: Read, response: Response): Promise<Problem | undefined> => {
    const left = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) left.abort();
    });
    const { uuid, startedAt } = arrivalOf(response);
    const { accountId, keyId } = customer;
    const answer = await complete({
      ...{ uuid, accountId, keyId, endpoint, idempotencyKey },
      ...{ body: body.bytes, takeMemory: body.share.addMemory, gone: left.signal },
      // From then on there is a receipt, however this is answered.
      held: (generationId) => setGenerationHeaders(response, generationId),
    });
    response.setHeader('openai-processing-ms', Math.round(performance.now() - startedAt));
    tellRateLimits(response, rateLimits(accountId, keyId));
    if (answer.kind === 'problem') return completionProblem(answer.problem);

    setGenerationHeaders(response, answer.generationId, answer.kind === 'whole' ? answer.costUsd : undefined);
    if (answer.outputCap !== undefined) response.setHeader('x-kissapi-output-capped', answer.outputCap);
    if (answer.kind === 'stream') {
      body.share.streaming();
      await sendStream(response, answer.relay, left.signal, options);
      return undefined;
    }
    const balance = balanceUsd(accountId);
    if (balance !== undefined) response.setHeader('x-kissapi-balance-usd', balance);
    response.setHeader('content-type', 'application/json');
    response.end(answer.body);
    return undefined;
  };
};

const isJson = ({ headers }: Request): boolean => /^application\/json *(;|$)/i.test(headers['content-type'] ?? '');

const sendStream = async (
  response: Response,
  relay: (sink: Sink) => Promise<void>,
  left: AbortSignal,
  { commentAfterMs, slowReaderMs }: Patience,
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
  // An event of nothing but the error: clients that find choices beside it take the stream for complete.
  const fail = (why: CompletionProblem): Promise<void> | undefined =>
    write(`data: ${problemBody(ofGeneration(response, completionProblem(why)), requestIdOf(response))}\n\n`);
  try {
    await relay({ write, fail });
  } finally {
    clearInterval(comments);
  }
  response.end();
};

const drained = (response: Response, left: AbortSignal, slowReaderMs: number): Promise<void> =>
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
