import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import { NotReadableByAll } from '../../eventstore/event-versions.ts';
import { problem, sendProblem, type Problem } from './problems.ts';
import { createAuthenticate, type FindKeyOwner, type HashKey, type KeyUsed } from '../auth/authenticate.ts';
import { createBodyMemory } from './body-memory.ts';
import type { RateLimits } from './rate-limit-headers.ts';
import { noSuchMethod, noSuchPath } from './not-offered.ts';
import { createReadBody } from './read-body.ts';
import { singleHeaders } from './single-headers.ts';
import { arrive, requestIdOf } from './request-id.ts';
import { getLive, getReady, type ReadReadiness } from '../get-health.ts';
import { createCompletion, type Complete, type Endpoint } from '../v1/create-completion.ts';
import {
  getCredits,
  getGeneration,
  getKey,
  type FindAccount,
  type FindGenerations,
  type FindKeyUsage,
} from '../v1/get-receipts.ts';
import { getTerms, getTermsVersion, type FindTermsText } from '../get-terms.ts';
import { getModel, listModels, type DelistedSince, type ListModels } from '../v1/list-models.ts';
import type { ListTerms } from '../published-terms.ts';

export type AppOptions = {
  readonly newId: () => string;
  readonly now: () => Date;
  readonly maxBodyBytes: number;
  /** What the bodies of all requests may take in memory together. */
  readonly maxBodyMemoryBytes: number;
  readonly hashKey: HashKey;
  readonly keyUsed?: KeyUsed;
  readonly findKeyOwner: FindKeyOwner;
  readonly complete: Complete;
  readonly commentAfterMs: number;
  readonly slowReaderMs: number;
  readonly balanceUsd: (accountId: string) => string | undefined;
  readonly rateLimits: RateLimits;
  readonly listModels: ListModels;
  readonly delistedSince: DelistedSince;
  readonly findGenerations: FindGenerations;
  readonly findKeyUsage: FindKeyUsage;
  readonly findAccount: FindAccount;
  readonly publishedTerms: ListTerms;
  readonly findTermsText: FindTermsText;
  readonly management: Router;
  readonly metrics: RequestHandler;
  /** An answer has been sent, or its reader has left; of no status where nothing was sent. */
  readonly answered: (status: number | undefined) => void;
  readonly readiness: ReadReadiness;
  readonly isStoreUnavailable: (error: unknown) => boolean;
  /** An error that nobody expected; the customer reads only that it happened. */
  readonly failed: (error: unknown, requestId: string) => void;
};

/** Short enough that no client gives up, and long enough for a few large bodies to be read. */
const WAIT_FOR_MEMORY_MS = 2000;

const ENDPOINTS: readonly Endpoint[] = ['/chat/completions', '/completions', '/embeddings'];

/** The door: every route, and the shape of every error. */
export const createApp = (options: AppOptions): Express => {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(arrive(options.newId));
  app.use((_request, response, next) => {
    response.once('close', () => options.answered(response.headersSent ? response.statusCode : undefined));
    next();
  });

  app.use(singleHeaders);

  const authenticate = createAuthenticate(options.hashKey, options.findKeyOwner, options.now, options.keyUsed);
  const memory = createBodyMemory({ limitBytes: options.maxBodyMemoryBytes, waitMs: WAIT_FOR_MEMORY_MS });
  const readBody = createReadBody({ maxBytes: options.maxBodyBytes, memory });
  const posted = (path: string, handler: RequestHandler): void => void app.route(path).post(handler).all(only('POST'));
  // Express answers HEAD by what answers GET.
  const read = (path: string, handler: RequestHandler): void =>
    void app.route(path).get(handler).all(only('GET, HEAD'));
  for (const endpoint of ENDPOINTS) {
    posted(`/v1${endpoint}`, createCompletion(endpoint, { ...options, authenticate, readBody }));
  }
  read('/v1/models', listModels(authenticate, options.listModels));
  read('/v1/models/*id', getModel(authenticate, options.listModels, options.delistedSince));
  read('/v1/generation', getGeneration(authenticate, options.findGenerations));
  read('/v1/key', getKey(authenticate, options.findAccount, options.findKeyUsage, options.now));
  read('/v1/credits', getCredits(authenticate, options.findAccount));
  read('/terms', getTerms(options.publishedTerms, options.findTermsText));
  read('/terms/:version', getTermsVersion(options.publishedTerms, options.findTermsText));
  // Not of the management API, which would ask for its token first.
  app.use('/api/v1', notFound);
  app.use('/api', options.management);
  read('/metrics', options.metrics);
  read('/health/live', getLive);
  read('/health/ready', getReady(options.readiness));
  // The name of before.
  read('/health', getReady(options.readiness));

  app.use(notFound);
  app.use(onError(options));
  return app;
};

/** For every other method of a path. */
const only =
  (methods: string): RequestHandler =>
  ({ method, path }, response) => {
    response.setHeader('allow', methods);
    const message = noSuchMethod(method, path, methods);
    sendProblem(response, problem('method_not_allowed', { message }), requestIdOf(response));
  };

const notFound: RequestHandler = ({ method, originalUrl }, response) => {
  const message = noSuchPath(method, originalUrl.replace(/\?.*/s, ''));
  sendProblem(response, problem('not_found', { message }), requestIdOf(response));
};

const onError =
  ({ failed, isStoreUnavailable }: AppOptions): ErrorRequestHandler =>
  (error: unknown, _request, response, _next) => {
    const requestId = requestIdOf(response);
    const what =
      clientFault(error) ??
      (error instanceof NotReadableByAll ? problem('upgrade_in_progress') : undefined) ??
      (isStoreUnavailable(error) ? problem('store_unavailable') : undefined);
    if (!what) failed(error, requestId);
    if (response.headersSent) return void response.destroy();
    sendProblem(response, what ?? problem('server_error'), requestId);
  };

/** What the reader of bodies and the router blame the client for, by their `status`. */
const clientFault = (error: unknown): Problem | undefined => {
  const { status } = (error ?? {}) as { status?: unknown };
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined;
  return problem('invalid_request', { message: 'The request could not be read.' });
};
