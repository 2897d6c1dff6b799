import { z } from 'zod';
import { members } from '../../auth/principals.ts';
import { keyId, keyName } from '../router/fields.ts';
import { keyLimitsBody, keyLimitsExample, readKeyLimits } from '../accounts/limits.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { issue, newKeyExample, newKeyView } from './new-key.ts';

export const issueKey = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/keys',
  principals: ['admin', ...members('owner', 'developer'), 'token:keys'],
  summary: 'Issue an API key',
  description:
    'The secret is shown only in this response. The key works on this node at once, and on all nodes within a second.',
  body: {
    schema: z.strictObject({
      name: keyName,
      limits: keyLimitsBody.optional(),
      replaces: keyId.optional().meta({
        description:
          'A key of this account to replace. The new key has the same limits unless others are given, the usage of the old ' +
          'key counts against them, and the old key is revoked in the same step',
      }),
    }),
    example: { name: 'production', limits: keyLimitsExample },
  },
  success: {
    status: 201,
    description: 'The key. A repetition with the same Idempotency-Key returns it without its secret',
    schema: newKeyView,
    example: newKeyExample,
  },
  problems: [
    'account_not_found',
    'account_closed',
    'account_suspended',
    'terms_not_accepted',
    'too_many_keys',
    'key_not_found',
    'key_already_replaced',
  ],
  handle: async ({ params: { account_id }, body: { name, limits: asked, replaces }, ...identity }, deps) => {
    const limits = asked === undefined ? undefined : readKeyLimits(asked);
    const issued = await issue(deps, identity, { accountId: account_id, name, limits, replaces });
    return isProblem(issued) && issued.code === 'key_not_found' ? { ...issued, param: 'replaces' } : issued;
  },
});
