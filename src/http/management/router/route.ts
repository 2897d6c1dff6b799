import type { z } from 'zod';
import { problem, type Problem, type ProblemCode } from '../../server/problems.ts';
import { wording } from '../../server/wording.ts';
import type { ManagementDeps } from './deps.ts';

/** The names in a path: `{account_id}` and the like. */
type Params<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [N in Name]: string } & Params<Rest>
  : unknown;

/** Under what id a command is carried out, and whether it may have been before. */
export type Identity = { readonly commandId: string; readonly mayRepeat: boolean; readonly requestId: string };

export type Asked<Path extends string, Body, Query> = Identity & {
  readonly params: Params<Path>;
  readonly body: Body;
  readonly query: Query;
};

export type Reply<Answer> = {
  readonly answer: Answer;
  /** The same had been asked before, and this is what was answered then. */
  readonly repeated?: boolean;
};

/** A route as its own file tells it: what it takes, what it answers, and how. The documentation is made of the same. */
export type RouteDefinition<Path extends string, Body, Query, Answer> = {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: Path;
  /** Needs no token. */
  readonly public?: true;
  readonly summary: string;
  readonly description?: string;
  readonly body?: { readonly schema: z.ZodType<Body>; readonly example: unknown };
  readonly query?: z.ZodType<Query, Record<string, unknown>>;
  readonly success: {
    readonly status: 200 | 201;
    readonly description: string;
    readonly schema: z.ZodType<Answer>;
    readonly example: Answer;
  };
  /** What it may refuse with, beside what every route may. */
  readonly problems: readonly ProblemCode[];
  readonly handle: (asked: Asked<Path, Body, Query>, deps: ManagementDeps) => Promise<Reply<Answer> | Problem>;
};

/** As it came from the wire; only the path has been looked at. */
export type Unread = Identity & {
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly query: unknown;
};

export type Route = Omit<RouteDefinition<string, unknown, unknown, unknown>, 'handle'> & {
  readonly run: (unread: Unread, deps: ManagementDeps) => Promise<Reply<unknown> | Problem>;
};

export const isProblem = (value: object): value is Problem => 'shouldRetry' in value;

/** Puts the schemas of a route before its handler. */
export const defineRoute = <const Path extends string, Body = undefined, Query = undefined, Answer = unknown>({
  handle,
  ...route
}: RouteDefinition<Path, Body, Query, Answer>): Route => ({
  ...route,
  run: async ({ params, body, query, ...identity }, deps) => {
    const readQuery = route.query?.safeParse(query, { error: wording });
    if (readQuery?.success === false) return invalidRequest(readQuery.error);
    const readBody = route.body?.schema.safeParse(body, { error: wording });
    if (readBody?.success === false) return invalidRequest(readBody.error);
    const asked = { ...identity, params, body: readBody?.data, query: readQuery?.data };
    return handle(asked as Asked<Path, Body, Query>, deps);
  },
});

/** Names the first field that is wrong, and what is wrong with it. */
const invalidRequest = ({ issues }: z.ZodError): Problem => {
  const [issue] = issues;
  if (issue?.code === 'unrecognized_keys') {
    const [field = ''] = issue.keys;
    const param = [...issue.path, field].join('.');
    return problem('invalid_request', { message: `${param}: there is no such field here. Leave it out.`, param });
  }
  const param = issue && issue.path.length > 0 ? issue.path.join('.') : null;
  const wrong = issue?.message ?? 'is not valid';
  return problem('invalid_request', { message: `${param ?? 'The body'}: ${wrong}.`, param });
};
