import { inputMessages } from '@kissapi/zod-messages';
import type { z } from 'zod';
import { invariant } from '../../../domain/decider.ts';
import type { Session } from '../../../identity/sessions.ts';
import { problem, type Problem, type ProblemCode } from '../../server/problems.ts';
import type { Client } from '../../../people/people-options.ts';
import type { Principal, PrincipalRule } from '../../auth/principals.ts';
import type { ManagementDeps } from './deps.ts';

export { isProblem, type Problem } from '../../server/problems.ts';

/** The parameters in a path, such as `{account_id}`. */
type Params<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [N in Name]: string } & Params<Rest>
  : unknown;

/** The id of the command, whether the request may be a repetition, and the caller. */
export type Identity = {
  readonly commandId: string;
  readonly mayRepeat: boolean;
  readonly requestId: string;
  /** As the log records it, such as `admin` or `person:per_…`. */
  readonly actor: string;
  /** Undefined on public routes. */
  readonly principal: Principal | undefined;
  readonly client: Client;
};

export type Asked<Path extends string, Body, Query> = Identity & {
  readonly params: Params<Path>;
  readonly body: Body;
  readonly query: Query;
};

/** The request is recorded, and its effect needs something more, such as a second person. Answered with 202. */
export type Deferred = { readonly deferred: unknown; readonly repeated?: boolean };

export type Reply<Answer> = {
  readonly answer: Answer;
  /** The answer to an earlier request with the same Idempotency-Key. */
  readonly repeated?: boolean;
};

/** An answer that may be long, as a file. `parts` are read as fast as the client reads. */
export type Download = {
  readonly kind: 'download';
  readonly fileName: string;
  readonly parts: AsyncIterable<string> | readonly Uint8Array[];
};

/** A route: input, answer, problems and handler. The documentation is made from the same definition. */
export type RouteDefinition<Path extends string, Body, Query, Answer> = {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: Path;
  /** The principals that may call it. */
  readonly principals: readonly PrincipalRule[];
  readonly summary: string;
  readonly description?: string;
  readonly body?: { readonly schema: z.ZodType<Body>; readonly example: unknown };
  readonly query?: z.ZodType<Query, Record<string, unknown>>;
  readonly success: {
    readonly status: 200 | 201 | 202;
    readonly description: string;
    readonly schema: z.ZodType<Answer>;
    readonly example: Answer;
    /** Of an answer that is a file; by default JSON. */
    readonly contentType?: 'application/pdf';
  };
  /** The answer of status 202, for a route that may defer its effect. */
  readonly deferred?: { readonly description: string; readonly schema: z.ZodType; readonly example: unknown };
  /** Problems besides those of every route. */
  readonly problems: readonly ProblemCode[];
  readonly handle: (
    asked: Asked<Path, Body, Query>,
    deps: ManagementDeps,
  ) => Promise<Reply<Answer> | Deferred | Download | Problem>;
};

/** Public routes have none: two strangers may send the same key. */
export const takesIdempotencyKey = ({ method, principals }: Pick<Route, 'method' | 'principals'>): boolean =>
  method === 'post' && !principals.includes('public');

/** The person who is signed in. Only for routes that only persons may call. */
export const personOf = ({ principal }: Identity): Session => {
  invariant(principal?.kind === 'session', 'the route is for persons who are signed in');
  return principal.session;
};

/** A request of which only the path has been checked. */
export type Unread = Identity & {
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly query: unknown;
};

export type Route = Omit<RouteDefinition<string, unknown, unknown, unknown>, 'handle'> & {
  readonly run: (unread: Unread, deps: ManagementDeps) => Promise<Reply<unknown> | Deferred | Download | Problem>;
};

/** Validates query and body with the schemas of the route before its handler runs. */
export const defineRoute = <const Path extends string, Body = undefined, Query = undefined, Answer = unknown>({
  handle,
  ...route
}: RouteDefinition<Path, Body, Query, Answer>): Route => ({
  ...route,
  run: async ({ params, body, query, ...identity }, deps) => {
    const readQuery = route.query?.safeParse(query, { error: inputMessages });
    if (readQuery?.success === false) return invalidRequest(readQuery.error);
    const readBody = route.body?.schema.safeParse(body, { error: inputMessages });
    if (readBody?.success === false) return invalidRequest(readBody.error);
    const asked = { ...identity, params, body: readBody?.data, query: readQuery?.data };
    return handle(asked as Asked<Path, Body, Query>, deps);
  },
});

/** A problem that names the first invalid field. */
const invalidRequest = ({ issues }: z.ZodError): Problem => {
  const [issue] = issues;
  if (issue?.code === 'unrecognized_keys') {
    const [field = ''] = issue.keys;
    const param = [...issue.path, field].join('.');
    return problem('invalid_request', { message: `${param}: unknown field. Omit it.`, param });
  }
  const param = issue && issue.path.length > 0 ? issue.path.join('.') : null;
  const wrong = issue?.message ?? 'is invalid';
  return problem('invalid_request', { message: `${param ?? 'The body'}: ${wrong}.`, param });
};
