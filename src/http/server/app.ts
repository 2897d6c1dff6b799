import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express';
import { NotReadableByAll } from '../../eventstore/event-versions.ts';
import { clientAddress, type TrustsProxy } from './client-address.ts';
import { isProblem, problem, sendProblem, type Problem } from './problems.ts';
import { createAuthenticate, type Authenticate, type Customer } from '../auth/authenticate.ts';
import type { FindKeyOwner, HashKey, KeyUsed } from '../auth/authenticate.ts';
import type { PrincipalRule } from '../auth/principals.ts';
import { createBodyMemory } from './body-memory.ts';
import type { RateLimits } from './rate-limit-headers.ts';
import { noSuchMethod, noSuchPath } from './not-offered.ts';
import { createReadBody } from './read-body.ts';
import { wrongHeader } from './single-headers.ts';
import { arrive, requestIdOf, type ErrorShape } from './request-id.ts';
import type { Support } from './support.ts';
import { getOutbox } from '../get-outbox.ts';
import { confirmPage } from '../pages/confirm.ts';
import { contactPages } from '../pages/contact.ts';
import type { Contacts } from '../../people/contacting/contacts.ts';
import { topUpPages } from '../pages/top-up.ts';
import { creemWebhook, MAX_WEBHOOK_BYTES } from '../webhooks/creem-webhook.ts';
import type { Payments } from '../../payments/payments.ts';
import { getLive, getReady, type ReadReadiness } from '../get-health.ts';
import { countTokens, type CountTokens } from '../v1/count-tokens.ts';
import { createCompletion, endpoints, type Complete, type RefusedRequest } from '../v1/create-completion.ts';
import {
  getCredits,
  getGeneration,
  getKey,
  type FindAccount,
  type FindGenerations,
  type FindKeyUsage,
} from '../v1/get-receipts.ts';
import { documentPages } from '../documents/document-pages.ts';
import { getModel, listModels, type DelistedSince, type ListModels } from '../v1/list-models.ts';
import type { FindTermsText, ListTerms } from '../published-terms.ts';

export type AppOptions = {
  readonly newId: () => string;
  readonly now: () => Date;
  /** Shown by every error that asks the client to contact support. */
  readonly support: () => Support;
  readonly maxBodyBytes: number;
  /** The memory for the bodies of all requests. */
  readonly maxBodyMemoryBytes: number;
  readonly hashKey: HashKey;
  readonly keyUsed?: KeyUsed;
  readonly findKeyOwner: FindKeyOwner;
  readonly complete: Complete;
  readonly countTokens: CountTokens;
  readonly commentAfterMs: number;
  readonly slowReaderMs: number;
  readonly balanceUsd: (accountId: string) => string | undefined;
  readonly rateLimits: RateLimits;
  readonly refused: (refused: RefusedRequest) => void;
  /** Called with each authenticated completion, and the address of the client. */
  readonly usedFrom?: (customer: Customer, address: string) => void;
  readonly listModels: ListModels;
  readonly delistedSince: DelistedSince;
  readonly findGenerations: FindGenerations;
  readonly findKeyUsage: FindKeyUsage;
  readonly findAccount: FindAccount;
  readonly publishedTerms: ListTerms;
  readonly findTermsText: FindTermsText;
  readonly contacts: Pick<Contacts, 'writeAsStranger'>;
  /** Where the Terms of Service can be read. */
  readonly termsUrl: () => string;
  readonly payments: Pick<Payments, 'receiveWebhook' | 'check' | 'find'>;
  /** Whether payments by a partner of this name move no money. */
  readonly isSimulatedPartner: (name: string) => boolean;
  readonly management: Router;
  /** Addresses and networks of proxies whose X-Forwarded-For is trusted. */
  readonly trustedProxies: readonly string[];
  readonly metrics: RequestHandler;
  /** The page of mails that were not sent; only in development. */
  readonly devOutbox?: (() => string) | undefined;
  /** Called when a response ends; undefined if the client disconnected before it began. */
  readonly answered: (status: number | undefined) => void;
  readonly readiness: ReadReadiness;
  readonly isStoreUnavailable: (error: unknown) => boolean;
  /** Logs an unexpected error. The client receives only `server_error`. */
  readonly failed: (error: unknown, requestId: string) => void;
};

/** Shorter than client time-outs, and long enough to read a few large bodies. */
const WAIT_FOR_MEMORY_MS = 2000;

/**
 * All routes and error handling. Completions are served before Express, whose routing and changes of prototypes cost a few
 * per cent of one; every other method, path or spelling of a path goes through Express.
 */
export const createApp = (options: AppOptions): RequestListener & { readonly routes: readonly AppRoute[] } => {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', [...options.trustedProxies]);
  const admit = createAdmit(options);
  const fail = createFail(options);
  app.use((request, response, next) => {
    if (admit(request, response)) next();
  });

  const routes = createRoutes(options, app.get('trust proxy fn') as TrustsProxy);
  for (const { method, path, handler } of routes) {
    if (method === 'POST') app.route(path).post(handler).all(only('POST'));
    // Express answers HEAD with the GET handler.
    else app.route(path).get(handler).all(only('GET, HEAD'));
  }
  // The management API would require its token first.
  app.use('/api/v1', notFound);
  app.use('/api', options.management);

  app.use(notFound);
  app.use(((error, _request, response, _next) => fail(error, response)) satisfies ErrorRequestHandler);
  const completions = new Map(routes.flatMap(({ path, completion }) => (completion ? [[path, completion]] : [])));
  const listen: RequestListener = (request, response) => {
    const complete = request.method === 'POST' ? completions.get(request.url ?? '') : undefined;
    if (!complete) return void app(request, response);
    if (admit(request, response)) complete(request, response).catch((error: unknown) => fail(error, response));
  };
  return Object.assign(listen, { routes });
};

/** A route outside the management API, and who may call it. */
export type AppRoute = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly principals: readonly Extract<PrincipalRule, 'public' | 'key' | 'admin'>[];
  readonly handler: RequestHandler | RequestHandler[];
  /** The same handler, which is also called without Express. */
  readonly completion?: ReturnType<typeof createCompletion>;
};

const createRoutes = (options: AppOptions, trusts: TrustsProxy): readonly AppRoute[] => {
  const authenticate = createAuthenticate(options.hashKey, options.findKeyOwner, options.now, options.keyUsed);
  const authenticateUse: Authenticate = (request) => {
    const customer = authenticate(request);
    const address = isProblem(customer) ? undefined : clientAddress(request, trusts);
    if (!isProblem(customer) && address !== undefined) options.usedFrom?.(customer, address);
    return customer;
  };
  const memory = createBodyMemory({ limitBytes: options.maxBodyMemoryBytes, waitMs: WAIT_FOR_MEMORY_MS });
  const readBody = createReadBody({ maxBytes: options.maxBodyBytes, memory });
  const ofTopUps = topUpPages(options.payments, options.isSimulatedPartner, options.now, options.support);
  const webhook = creemWebhook(options.payments, createReadBody({ maxBytes: MAX_WEBHOOK_BYTES, memory }));
  const contact = contactPages(options);
  const ready = getReady(options.readiness);
  const read = (principal: AppRoute['principals'][number], path: string, handler: RequestHandler): AppRoute => ({
    ...{ method: 'GET', path, principals: [principal], handler },
  });
  const completions = endpoints.map((endpoint): AppRoute => {
    const completion = createCompletion(endpoint, { ...options, authenticate: authenticateUse, readBody });
    return { method: 'POST', path: `/v1${endpoint}`, principals: ['key'], handler: completion, completion };
  });
  const count = countTokens({ ...options, authenticate, readBody });
  return [
    ...completions,
    { method: 'POST', path: '/v1/messages/count_tokens', principals: ['key'], handler: count },
    read('key', '/v1/models', listModels(authenticate, options.listModels)),
    read('key', '/v1/models/*id', getModel(authenticate, options.listModels, options.delistedSince)),
    read('key', '/v1/generation', getGeneration(authenticate, options.findGenerations)),
    read('key', '/v1/key', getKey(authenticate, options.findAccount, options.findKeyUsage, options.now)),
    read('key', '/v1/credits', getCredits(authenticate, options.findAccount)),
    read('admin', '/metrics', options.metrics),
    { method: 'POST', path: '/webhooks/creem', principals: ['public'], handler: webhook },
    ...Object.entries({ ...confirmPage, ...ofTopUps, ...documentPages(options) }).map(([path, handler]) =>
      read('public', path, handler),
    ),
    read('public', '/contact', contact.form),
    read('public', '/contact/thanks', contact.thanks),
    read('public', '/contact.css', contact.style),
    { method: 'POST', path: '/contact/messages', principals: ['public'], handler: contact.send },
    ...(options.devOutbox ? [read('public', '/dev/outbox', getOutbox(options.devOutbox))] : []),
    read('public', '/health/live', getLive),
    read('public', '/health/ready', ready),
    // The former name of /health/ready.
    read('public', '/health', ready),
  ];
};

/** Anthropic's SDKs read errors in Anthropic's shape only. */
const errorShapeAt = (url = ''): ErrorShape => (/^\/v1\/messages(?![^/?])/.test(url) ? 'anthropic' : 'openai');

/** Assigns the request id and counts the response. False if the request was refused for its headers. */
const createAdmit =
  ({ newId, answered, support }: AppOptions) =>
  (request: IncomingMessage, response: ServerResponse): boolean => {
    arrive(response, newId(), support, errorShapeAt(request.url));
    response.once('close', () => answered(response.headersSent ? response.statusCode : undefined));
    const wrong = wrongHeader(request);
    if (!wrong) return true;
    response.setHeader('connection', 'close');
    sendProblem(response, wrong, requestIdOf(response));
    return false;
  };

/** Answers 405 to all other methods of a path. */
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

const createFail =
  ({ failed, isStoreUnavailable }: AppOptions) =>
  (error: unknown, response: ServerResponse): void => {
    const requestId = requestIdOf(response);
    const known =
      clientFault(error) ??
      (error instanceof NotReadableByAll ? problem('upgrade_in_progress') : undefined) ??
      (isStoreUnavailable(error) ? problem('store_unavailable') : undefined);
    if (!known) failed(error, requestId);
    if (response.headersSent) return void response.destroy();
    sendProblem(response, known ?? problem('server_error'), requestId);
  };

/** Client errors of the body reader and the router, by their `status`. */
const clientFault = (error: unknown): Problem | undefined => {
  const { status } = (error ?? {}) as { status?: unknown };
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined;
  return problem('invalid_request', { message: 'The request is malformed.' });
};
