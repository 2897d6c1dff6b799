import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { members, scopes, staff, type PrincipalRule } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { defineRoute, personOf } from '../router/route.ts';
import {
  accountTokenExample,
  accountTokenView,
  DEFAULT_REASON,
  endsAt,
  newAccountTokenView,
  revocationQuery,
  revokedExample,
  revokedView,
  scope,
  tokenName,
  tokenProblem,
  viewAccountToken,
} from './token-fields.ts';

const READERS: readonly PrincipalRule[] = ['admin', ...members('owner', 'developer'), ...staff('support', 'operator')];

export const createAccountToken = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/tokens',
  principals: members('owner', 'developer'),
  summary: 'Create a management token',
  description:
    'For scripts that manage the account; it is no API key and calls no model. It is shown only in this response, and is valid ' +
    'as long as you are an owner or a developer of the account.',
  body: {
    schema: z.strictObject({
      name: tokenName,
      scopes: z
        .array(scope)
        .min(1)
        .max(scopes.length)
        // In one order, so that a repetition can be compared.
        .transform((asked) => scopes.filter((one) => asked.includes(one)))
        .meta({
          description: '`read`: everything about the account; `keys`: API keys; `limits`: limits of API keys',
          example: ['read', 'keys'],
        }),
      ends_at: endsAt,
    }),
    example: { name: 'Deploy', scopes: ['read', 'keys'] },
  },
  success: {
    status: 201,
    description: 'The token. A repetition with the same Idempotency-Key returns it without its secret',
    schema: newAccountTokenView,
    example: { ...accountTokenExample, secret: 'kiss_mgt_…x7Qd' },
  },
  problems: ['account_not_found', 'account_closed', 'too_many_tokens', 'token_not_found', 'upgrade_in_progress'],
  handle: async ({ params: { account_id }, body: { name, scopes, ends_at: endsAt }, ...identity }, { people }) => {
    const request = { ...identity, personId: personOf(identity).personId };
    const created = await people.tokens.createOfAccount(account_id, { name, scopes, endsAt }, request);
    if (created.kind === 'refused') return tokenProblem(created);
    const { token, secret } = created;
    return { answer: { ...viewAccountToken(token), secret }, repeated: secret === null };
  },
});

export const listAccountTokens = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/tokens',
  principals: READERS,
  summary: 'List the management tokens of an account',
  description: 'Those that are valid, the newest first.',
  success: {
    status: 200,
    description: 'The tokens',
    schema: z.strictObject({ data: z.array(accountTokenView) }),
    example: { data: [accountTokenExample] },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id } }, { commands, people }) => {
    const { state } = await commands.read(accountStream(account_id));
    if (state.standing.status === 'unregistered') return problem('account_not_found');
    const tokens = await people.tokens.listOfAccount(account_id);
    return { answer: { data: tokens.map(viewAccountToken) } };
  },
});

export const revokeAccountToken = defineRoute({
  method: 'delete',
  path: '/accounts/{account_id}/tokens/{token_id}',
  principals: READERS,
  summary: 'Revoke a management token',
  description: 'All gateways refuse it once this request is answered.',
  query: revocationQuery,
  success: { status: 200, description: 'The token is revoked', schema: revokedView, example: revokedExample },
  problems: ['account_not_found', 'token_not_found', 'upgrade_in_progress'],
  handle: async ({ params: { account_id, token_id }, query, ...identity }, { people }) => {
    const request = { ...identity, personId: null };
    const reason = query.reason ?? DEFAULT_REASON;
    const wasThere = await people.tokens.revokeOfAccount(account_id, token_id, reason, request);
    return wasThere ? { answer: { token_id, revoked: true } } : problem('token_not_found');
  },
});
