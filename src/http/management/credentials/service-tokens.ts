import { z } from 'zod';
import { staffOnly, type PrincipalRule } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { defineRoute } from '../router/route.ts';
import {
  DEFAULT_REASON,
  endsAt,
  newServiceTokenView,
  revocationQuery,
  revokedExample,
  revokedView,
  role,
  serviceTokenExample,
  serviceTokenView,
  tokenName,
  tokenProblem,
  viewServiceToken,
} from './token-fields.ts';

const OWNERS: readonly PrincipalRule[] = ['admin', ...staffOnly('owner')];

export const createServiceToken = defineRoute({
  method: 'post',
  path: '/service-tokens',
  principals: OWNERS,
  summary: 'Create a service token',
  description:
    "For programs of the operator. It is shown only in this response. An owner's token is valid as long as the person is an owner.",
  body: {
    schema: z.strictObject({ name: tokenName, role, ends_at: endsAt }),
    example: { name: 'Books', role: 'finance' },
  },
  success: {
    status: 201,
    description: 'The token. A repetition with the same Idempotency-Key returns it without its secret',
    schema: newServiceTokenView,
    example: { ...serviceTokenExample, secret: 'kiss_svc_…x7Qd' },
  },
  problems: ['too_many_tokens', 'token_not_found', 'upgrade_in_progress'],
  handle: async ({ body: { name, role, ends_at: endsAt }, ...identity }, { people }) => {
    const { principal } = identity;
    const request = { ...identity, personId: principal?.kind === 'session' ? principal.session.personId : null };
    const created = await people.tokens.createOfService({ name, role, endsAt }, request);
    if (created.kind === 'refused') return tokenProblem(created);
    const { token, secret } = created;
    return { answer: { ...viewServiceToken(token), secret }, repeated: secret === null };
  },
});

export const listServiceTokens = defineRoute({
  method: 'get',
  path: '/service-tokens',
  principals: OWNERS,
  summary: 'List the service tokens',
  description: 'Those that are valid, the newest first.',
  success: {
    status: 200,
    description: 'The tokens',
    schema: z.strictObject({ data: z.array(serviceTokenView) }),
    example: { data: [serviceTokenExample] },
  },
  problems: [],
  handle: async (_asked, { people }) => {
    const tokens = await people.tokens.listOfServices();
    return { answer: { data: tokens.map(viewServiceToken) } };
  },
});

export const revokeServiceToken = defineRoute({
  method: 'delete',
  path: '/service-tokens/{token_id}',
  principals: OWNERS,
  summary: 'Revoke a service token',
  description: 'All gateways refuse it once this request is answered.',
  query: revocationQuery,
  success: { status: 200, description: 'The token is revoked', schema: revokedView, example: revokedExample },
  problems: ['token_not_found', 'upgrade_in_progress'],
  handle: async ({ params: { token_id }, query, ...identity }, { people }) => {
    const request = { ...identity, personId: null };
    const wasThere = await people.tokens.revokeOfService(token_id, query.reason ?? DEFAULT_REASON, request);
    return wasThere ? { answer: { token_id, revoked: true } } : problem('token_not_found');
  },
});
