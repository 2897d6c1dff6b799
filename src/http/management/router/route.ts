import { inputMessages } from '@kissapi/zod-messages';
import type { z } from 'zod';
import { problem, type Problem, type ProblemCode } from '../../server/problems.ts';
import type { ManagementDeps } from './deps.ts';

export { isProblem, type Problem } from '../../server/problems.ts';

/** The parameters in a path, such as `{account_id}`. */
type Params<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [N in Name]: string } & Params<Rest>
  : unknown;

/** The id of the command, and whether the request may be a repetition. */
export type Identity = { readonly commandId: string; readonly mayRepeat: boolean; readonly requestId: string };

export type Asked<Path extends string, Body, Query> = Identity & {
  readonly params: Params<Path>;
  readonly body: Body;
  readonly query: Query;
};

export type Reply<Answer> = {
  readonly answer: Answer;
  /** The answer to an earlier request with the same Idempotency-Key. */
  readonly repeated?: boolean;
};

/** A route: input, answer, problems and handler. The documentation is made from the same definition. */
export type RouteDefinition<Path extends string, Body, Query, Answer> = {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: Path;
  /** Requires no token. */
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
  /** Problems besides those of every route. */
  readonly problems: readonly ProblemCode[];
  readonly handle: (asked: Asked<Path, Body, Query>, deps: ManagementDeps) => Promise<Reply<Answer> | Problem>;
};

/** A request of which only the path has been checked. */
export type Unread = Identity & {
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly query: unknown;
};

export type Route = Omit<RouteDefinition<string, unknown, unknown, unknown>, 'handle'> & {
  readonly run: (unread: Unread, deps: ManagementDeps) => Promise<Reply<unknown> | Problem>;
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
