import { contactId } from '../contacting/fields.ts';
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { problem, type ProblemCode } from '../../server/problems.ts';
import {
  accountId,
  disputeId,
  generationId,
  idempotencyKey,
  keyId,
  lotId,
  paymentId,
  refundId,
  requestId,
  transactionId,
} from '../router/fields.ts';
import { takesIdempotencyKey as takesKey, type Route } from '../router/route.ts';
import { announcementId } from '../notices/notice-views.ts';
import { documentField } from '../terms/terms-fields.ts';

export type OpenApiDocument = ReturnType<typeof createDocument>;

const DESCRIPTION = [
  'For customers, support and operators: registration and sign-in, accounts, credits, keys and the history of all of them.',
  'Every request that is not public needs a token in the header Authorization: Bearer TOKEN. Each route lists its callers: the administrator, whose token is KISSAPI_ADMIN_TOKEN or, if that is unset, generated at the first start and stored in the file admin-token of KISSAPI_DATA; persons who are signed in, with the token of their session: members of an account by their role in it, and staff by theirs; scripts of an account, with a management token; programs of the operator, with a service token.',
  'Amounts are strings of decimal USD with up to nine places. Times are UTC.',
  'Every POST accepts an Idempotency-Key. A request with the same key and the same content has no further effect and returns the same answer, with the header idempotent-replayed. A request with the same key and other content is refused. Refusals are not stored: a refused request may be sent again once its cause is gone.',
  'Every error has a message with the cause and the remedy. The header x-should-retry is true if the same request may be sent again unchanged.',
].join('\n\n');

const error = z
  .strictObject({
    error: z.strictObject({
      message: z.string().meta({ description: 'What is wrong and what to do about it' }),
      type: z.string(),
      param: z.string().nullable().meta({ description: 'The invalid field' }),
      code: z.string(),
      request_id: z.string().meta({ description: 'For support' }),
    }),
  })
  .meta({ id: 'Error' });

const pathFields = {
  ...{ account_id: accountId, key_id: keyId, request_id: requestId },
  other_id: accountId.meta({ description: 'The older account' }),
  registration_id: z.string().meta({ description: 'From the answer to the registration' }),
  sign_in_id: z.string().meta({ description: 'From the answer to the request for the code' }),
  mail_id: z.string().meta({ description: 'What the link of the mail names after `low-balance-`' }),
  change_id: z.string().meta({ description: 'From the answer to the request for the change' }),
  person_id: z.string().meta({ description: 'Person', example: 'per_5b0d27c41e8f4a96b3c7d810' }),
  invitation_id: z.string().meta({ description: 'Invitation', example: 'inv_4c19f0e27a8d4b63b5d2e091' }),
  approval_id: z.string().meta({ description: 'Approval', example: 'app_9f27c1d05e6b4a38a1c4d772' }),
  ...{ payment_id: paymentId, refund_id: refundId, dispute_id: disputeId, transaction_id: transactionId },
  ...{ generation_id: generationId, lot_id: lotId },
  announcement_id: announcementId,
  session_id: z.string().meta({ description: 'Session', example: 'ses_8d2b64f09c1e4a7fb35d6c81' }),
  passkey_id: z.string().meta({ description: 'Passkey', example: 'pky_4c1b7e92d05f4a38b6e1c947' }),
  document: documentField,
  version: z.string().meta({ description: 'Version of a document', example: '2026-12-20' }),
  token_id: z.string().meta({ description: 'Token', example: 'tok_9e3d0b61f7a24c58ad1e6b02' }),
  contact_id: contactId,
} as const;
const example = (code: ProblemCode) => {
  const { message, type, param = null, code: wireCode } = problem(code);
  return { error: { message, type, param, code: wireCode, request_id: 'req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d' } };
};

/** The OpenAPI document of the routes, made from their schemas. */
export const createManagementDocument = (routes: readonly Route[], publicUrl: string): OpenApiDocument => {
  const paths: ZodOpenApiPathsObject = {};
  const ids = operationIds(routes);
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route, ids.get(route) ?? '') };
  }
  return createDocument({
    openapi: '3.1.1',
    info: { title: 'KissAPI management API', version: '1', description: DESCRIPTION },
    // The page can only reach its own origin, which may differ from the public one.
    servers: [{ url: `${publicUrl}/api` }, { url: '/api', description: 'The server of this document' }],
    paths,
    components: {
      securitySchemes: {
        adminToken: { type: 'http', scheme: 'bearer', description: 'The administrator token' },
        session: { type: 'http', scheme: 'bearer', description: 'The token of a session, kiss_ses_…' },
        managementToken: { type: 'http', scheme: 'bearer', description: 'For scripts of an account, kiss_mgt_…' },
        serviceToken: { type: 'http', scheme: 'bearer', description: 'For programs of the operator, kiss_svc_…' },
      },
    },
  });
};

const operation = (route: Route, operationId: string): ZodOpenApiOperationObject => {
  const { path, summary, description, body, query, success } = route;
  const fields = Object.entries(pathFields).filter(([name]) => path.includes(`{${name}}`));
  return {
    operationId,
    summary,
    description: [description, callersOf(route)].filter((text) => text !== undefined).join('\n\n'),
    security: securityOf(route),
    requestParams: {
      ...(fields.length === 0 ? {} : { path: z.object(Object.fromEntries(fields)) }),
      ...(query ? { query } : {}),
      ...(takesKey(route) ? { header: z.object({ 'Idempotency-Key': idempotencyKey.optional() }) } : {}),
    },
    ...(body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: body.schema, example: body.example } },
          },
        }
      : {}),
    responses: {
      [`${success.status}`]: {
        description: success.description,
        headers: headersOf(route),
        content:
          success.contentType === undefined
            ? { 'application/json': { schema: success.schema, example: success.example } }
            : { [success.contentType]: { schema: { type: 'string', format: 'binary' } } },
      },
      ...(route.deferred ? { '202': deferred(route.deferred) } : {}),
      ...refusals(route),
    } as ZodOpenApiResponsesObject,
  };
};

/** Which kinds of token are of use, in the order of the schemes. */
const securityOf = ({ principals }: Route) => {
  const has = (start: string): boolean => principals.some((rule) => rule.startsWith(start));
  return [
    ...(has('admin') ? [{ adminToken: [] }] : []),
    ...(['person', 'member:', 'staff:'].some(has) ? [{ session: [] }] : []),
    ...(has('token:') ? [{ managementToken: [] }] : []),
    ...(has('service:') ? [{ serviceToken: [] }] : []),
  ];
};

const CALLERS = [
  ['member:', 'members of the account with the role'],
  ['token:', 'management tokens of the account with the scope'],
  ['staff:', 'staff with the role'],
  ['service:', 'service tokens with the role'],
] as const;

/** In words, such as "Callers: the administrator; staff with the role finance or owner." */
const callersOf = ({ principals }: Route): string => {
  if (principals.includes('public')) return 'Callers: everybody, without a token.';
  const named = CALLERS.flatMap(([start, words]) => {
    const roles = principals.filter((rule) => rule.startsWith(start)).map((rule) => rule.slice(start.length));
    return roles.length === 0 ? [] : [`${words} ${roles.join(' or ')}`];
  });
  const callers = [
    ...(principals.includes('admin') ? ['the administrator'] : []),
    ...(principals.includes('person') ? ['every person who is signed in'] : []),
    ...named,
  ];
  return `Callers: ${callers.join('; ')}.`;
};

const deferred = ({ description, schema, example }: NonNullable<Route['deferred']>) => ({
  description,
  content: { 'application/json': { schema, example } },
});

/** `get_approvals` is the list, `get_approvals_one` one of it. */
const operationIds = (routes: readonly Route[]): ReadonlyMap<Route, string> => {
  const taken = new Set<string>();
  const lists = routes.toSorted((one, other) => one.path.length - other.path.length);
  return new Map(
    lists.map((route) => {
      const id = nameOf(route);
      const free = taken.has(id) ? `${id}_one` : id;
      taken.add(free);
      return [route, free];
    }),
  );
};

/** For example `post_accounts_keys`. */
const nameOf = ({ method, path }: Route): string =>
  [method, ...path.replace('.', '_').split('/')].filter((part) => part !== '' && !part.startsWith('{')).join('_');

const headersOf = (route: Route) => ({
  'x-request-id': { description: 'For support', schema: { type: 'string' as const } },
  ...(takesKey(route)
    ? {
        'idempotent-replayed': {
          description: 'true if the same request was answered before; nothing was written',
          schema: { type: 'string' as const },
        },
      }
    : {}),
});

const isPublic = ({ principals }: Route): boolean => principals.includes('public');
const isForAdmin = ({ principals }: Route): boolean => principals.includes('admin');

const problemsOf = (route: Route): readonly ProblemCode[] => [
  ...(isPublic(route)
    ? []
    : ([isForAdmin(route) ? 'invalid_admin_token' : 'not_signed_in', 'not_allowed', 'too_many_attempts'] as const)),
  ...(route.body ? (['invalid_json', 'request_too_large', 'unsupported_media_type'] as const) : []),
  ...(route.body || route.query ? (['invalid_request'] as const) : []),
  ...route.problems,
  ...(takesKey(route) ? (['idempotency_key_reused'] as const) : []),
  'server_error',
  'store_unavailable',
];

/** The problems by status, each as an example. */
const refusals = (route: Route) => {
  const byStatus = Map.groupBy(problemsOf(route), (code) => problem(code).status);
  const statuses = [...byStatus.keys()].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = byStatus.get(status) ?? [];
      const examples = Object.fromEntries(codes.map((code) => [code, { value: example(code) }]));
      const content = { 'application/json': { schema: error, examples } };
      return [`${status}`, { description: codes.join(', '), content }];
    }),
  );
};
