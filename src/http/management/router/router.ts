import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import { accountStream } from '../../../domain/account/account.ts';
import { StoreUnavailable } from '../../../eventstore/event-store.ts';
import { CommandIdTaken } from '../../../eventstore/commands.ts';
import { NotReadableByAll } from '../../../eventstore/event-versions.ts';
import { problem, sendProblem, type Problem, type ProblemCode } from '../../server/problems.ts';
import { createAuthorize } from '../../auth/authorize.ts';
import { accessOf, type Access, type AccessQuestion, type Principal } from '../../auth/principals.ts';
import type { Client } from '../../../people/people-options.ts';
import { commandIdOf } from './execute-command.ts';
import type { ManagementDeps } from './deps.ts';
import { serveDocs } from '../documentation/docs-page.ts';
import { idempotencyKeyOf } from '../../server/idempotency-key.ts';
import { createManagementDocument, type OpenApiDocument } from '../documentation/openapi.ts';
import { isProblem, takesIdempotencyKey, type Download, type Identity, type Route } from './route.ts';
import { routes as allRoutes } from '../routes.ts';
import { withTermsInForce } from '../documentation/terms-in-examples.ts';

export type { ManagementDeps } from './deps.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** Account ids become part of stream names. */
const idPattern = /^[\w-]{1,64}$/;
/** Of a document, such as 2026-12-20.2. */
const versionPattern = /^[\w.-]{1,64}$/;

/** The management API, to be mounted at /api. Each route declares its principals; the documentation is public. */
export const createManagementRouter = (deps: ManagementDeps, routes: readonly Route[] = allRoutes): Router => {
  const router = express.Router();
  const guard = createGuard(deps);

  router.use((_request, response, next) => {
    // The app sets the request id; without the app, as in tests, it is set here.
    if (!response.hasHeader('x-request-id')) response.setHeader('x-request-id', `req_${deps.newId()}`);
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
    next();
  });

  const document = createDocument(deps, routes);
  router.get('/openapi.json', (_request, response) => void response.json(document()));
  serveDocs(router);
  const json = express.json({ limit: MAX_BODY_BYTES, inflate: false, strict: false });
  for (const route of routes) {
    const path = expressPath(route.path);
    if (route.principals.includes('public')) router[route.method](path, json, handler(route, deps));
    else router[route.method](path, guard(route), json, handler(route, deps));
  }
  router.use(guard());
  for (const path of new Set(routes.map((route) => route.path))) {
    const allowed = routes.filter((route) => route.path === path).map(({ method }) => method.toUpperCase());
    router.all(expressPath(path), (_request, response) => {
      response.setHeader('allow', allowed.join(', '));
      send(response, problem('method_not_allowed'));
    });
  }
  router.use(({ method, originalUrl }, response) => {
    const message = `There is no ${method} ${originalUrl.replace(/\?.*/s, '')} here. GET /api/docs describes the management API.`;
    send(response, problem('not_found', { message }));
  });
  router.use(onError);
  return router;
};

/** What the guard of a route has found out about the caller. */
type Caller = Access & { readonly principal: Principal };
const callers = new WeakMap<Request, Caller>();

const clientOf = ({ ip, headers }: Request): Client => ({ address: ip, userAgent: headers['user-agent'] });

/**
 * Refuses callers who may not use a route, before the body is read. Without a route, any valid credential is enough: only
 * such callers learn which paths exist.
 */
const createGuard = (deps: ManagementDeps) => {
  const { adminToken, sessions, tokens, attemptLimits, networkOf, commands, readStaff } = deps;
  const staffRoleOf = async (personId: string) => (await readStaff()).get(personId) ?? null;
  const authorize = createAuthorize({ adminToken, sessions, tokens, staffRoleOf });
  const roleIn: AccessQuestion['roleIn'] = async (accountId, personId) =>
    (await commands.read(accountStream(accountId))).state.members.get(personId);

  const isWrong = async (request: Request, isForAdmin: boolean): Promise<Problem> => {
    const network = networkOf(request.ip);
    const allowance = await attemptLimits.allow({ action: 'authenticate', keys: { network } });
    if (allowance.kind === 'wait') return problem('too_many_attempts', { retryAfterMs: allowance.retryAfterMs });
    return problem(isForAdmin ? 'invalid_admin_token' : 'not_signed_in');
  };

  const access = async (request: Request, route: Route | undefined): Promise<Caller | Problem> => {
    const principal = await authorize(request);
    if (!principal) return isWrong(request, route?.principals.includes('admin') ?? true);
    if (!route) return { actor: '', principal };
    const { account_id: accountId } = request.params as Readonly<Record<string, string>>;
    // Ids become part of stream names.
    if (accountId !== undefined && !idPattern.test(accountId)) return problem('account_not_found');
    const granted = await accessOf({ rules: route.principals, principal, accountId, roleIn });
    if (isProblem(granted)) return granted;
    return (await hasChangedTooMuch(request, principal)) ?? { ...granted, principal };
  };

  const hasChangedTooMuch = async ({ method }: Request, principal: Principal): Promise<Problem | undefined> => {
    if (principal.kind !== 'session' || method === 'GET' || method === 'HEAD') return undefined;
    const keys = { account: principal.session.personId };
    const allowance = await attemptLimits.allow({ action: 'change', keys });
    if (allowance.kind === 'allowed') return undefined;
    return problem('too_many_attempts', { retryAfterMs: allowance.retryAfterMs });
  };

  return (route?: Route): RequestHandler =>
    async (request, response, next) => {
      const caller = await access(request, route);
      if (!isProblem(caller)) {
        callers.set(request, caller);
        return next();
      }
      if (caller.status === 401) response.setHeader('www-authenticate', 'Bearer');
      // The rest of an unread body would be taken for the next request.
      if (!request.complete) response.setHeader('connection', 'close');
      send(response, caller);
    };
};

/** The OpenAPI document, made once for each version of the terms, which its examples contain. */
const createDocument = (
  { termsInForce, publicUrl }: ManagementDeps,
  routes: readonly Route[],
): (() => OpenApiDocument) => {
  let made: { readonly version: string; readonly document: OpenApiDocument } | undefined;
  return () => {
    const version = termsInForce();
    if (made?.version !== version) {
      made = { version, document: withTermsInForce(createManagementDocument(routes, publicUrl()), version) };
    }
    return made.document;
  };
};

const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

const requestIdOf = (response: Response): string => String(response.getHeader('x-request-id'));

const send = (response: Response, sent: Problem): void => sendProblem(response, sent, requestIdOf(response));

const handler = (route: Route, deps: ManagementDeps) => async (request: Request, response: Response) => {
  const params = request.params as Readonly<Record<string, string>>;
  const unknown = Object.entries(params).find(([name, id]) => !patternOf(name).test(id))?.[0];
  if (unknown !== undefined) {
    return send(response, problem(unknownIds[unknown] ?? 'not_found'));
  }
  if (route.body && request.body === undefined) {
    const code = hasBody(request) ? 'unsupported_media_type' : 'invalid_request';
    const message = 'Send the body as JSON, with content-type: application/json.';
    return send(response, problem(code, { message }));
  }
  const identity = identify(route, request, params['account_id'], deps.newId, requestIdOf(response));
  if (isProblem(identity)) return send(response, identity);

  if (identity.principal?.kind === 'admin' && route.method !== 'get' && deps.recordsAdminToken) {
    await deps.people.roles.adminToken.record(route.method.toUpperCase(), route.path, identity.requestId);
  }
  const result = await route.run({ ...identity, params, body: request.body, query: request.query }, deps);
  if (isProblem(result)) return send(response, result);
  if ('parts' in result) return sendDownload(response, result, route.success.contentType);
  if (result.repeated) response.setHeader('idempotent-replayed', 'true');
  if ('deferred' in result) response.status(202).json(result.deferred);
  else response.status(route.success.status).json(result.answer);
};

/** A file in parts. A failure breaks the connection, so that the file is not taken for a whole one. */
const sendDownload = async (
  response: Response,
  { fileName, parts }: Download,
  contentType = 'application/json; charset=utf-8',
): Promise<void> => {
  response.setHeader('content-type', contentType);
  response.setHeader('content-disposition', `attachment; filename="${fileName}"`);
  try {
    await pipeline(Readable.from(parts), response);
  } catch (error) {
    const clientLeft = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!clientLeft) throw error;
  }
};

const patternOf = (name: string): RegExp => (name === 'version' ? versionPattern : idPattern);

const unknownIds: Readonly<Record<string, ProblemCode>> = {
  account_id: 'account_not_found',
  other_id: 'duplicate_not_found',
  key_id: 'key_not_found',
  registration_id: 'code_expired',
  sign_in_id: 'code_expired',
  session_id: 'session_not_found',
  passkey_id: 'passkey_not_found',
  token_id: 'token_not_found',
  change_id: 'code_expired',
  mail_id: 'code_expired',
  person_id: 'person_not_found',
  invitation_id: 'invitation_not_found',
  announcement_id: 'announcement_not_found',
  approval_id: 'approval_not_found',
  payment_id: 'payment_not_found',
  refund_id: 'refund_not_found',
  dispute_id: 'dispute_not_found',
  transaction_id: 'quarantine_not_found',
  generation_id: 'generation_not_found',
  lot_id: 'debt_not_found',
  contact_id: 'contact_not_found',
  document: 'terms_version_not_found',
  version: 'terms_version_not_found',
};

const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Keys are scoped by the account, so that one key names one command of it; without an account, by route and caller. */
const identify = (
  route: Route,
  request: Request,
  accountId: string | undefined,
  newId: () => string,
  requestId: string,
): Identity | Problem => {
  const { actor, principal } = callers.get(request) ?? { actor: 'public', principal: undefined };
  const caller = { requestId, actor, principal, client: clientOf(request) };
  const key = takesIdempotencyKey(route) ? idempotencyKeyOf(request) : undefined;
  if (key === undefined) return { commandId: newId(), mayRepeat: false, ...caller };
  if (typeof key === 'object') return key;
  const params = request.params as Readonly<Record<string, string>>;
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '');
  const scope = accountId ?? (actor === 'admin' ? path : `${actor} ${path}`);
  return { commandId: commandIdOf(scope, key), mayRepeat: true, ...caller };
};

const onError: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (response.headersSent) return next(error);
  const known = faultOf(error, request) ?? clientFault(error);
  return known ? send(response, known) : next(error);
};

const faultOf = (error: unknown, request: Request): Problem | undefined => {
  // Of another stream, such as the same key for an invitation and for an API key of one account.
  if (error instanceof CommandIdTaken) return problem('idempotency_key_reused');
  if (error instanceof NotReadableByAll) return problem('upgrade_in_progress');
  return error instanceof StoreUnavailable ? storeUnavailable(request) : undefined;
};

/** The store may have accepted the append before it failed, so a retry is allowed only if it is idempotent. */
const storeUnavailable = ({ method, headers }: Request): Problem =>
  method !== 'POST' || headers['idempotency-key'] !== undefined
    ? problem('store_unavailable')
    : problem('store_unavailable', {
        message:
          'The ledger is unavailable, and it is unknown whether this request took effect. Read the account before ' +
          'sending it again, and send an Idempotency-Key, which makes retries safe.',
        shouldRetry: false,
      });

/** Client errors of express and body-parser, by their `status` and `type`. */
const clientFault = (error: unknown): Problem | undefined => {
  const { status, type } = (error ?? {}) as { readonly status?: unknown; readonly type?: unknown };
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined;
  if (type === 'entity.too.large') {
    return problem('request_too_large', {
      message: `The body is larger than ${MAX_BODY_BYTES} bytes. Send a smaller one.`,
    });
  }
  if (type === 'entity.parse.failed') return problem('invalid_json');
  if (status === 415) return problem('unsupported_media_type');
  return problem('invalid_request', { message: 'The request is malformed. Check the path and the body.' });
};
