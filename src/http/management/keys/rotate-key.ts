import { z } from 'zod';
import { members } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { accountNow } from '../accounts/account-at.ts';
import { defineRoute } from '../router/route.ts';
import { issue, newKeyExample, newKeyView } from './new-key.ts';

const MAX_OVERLAP_MINUTES = 30 * 24 * 60;
const MINUTE_MS = 60_000;

export const rotateKey = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/keys/{key_id}/rotate',
  principals: ['admin', ...members('owner', 'developer'), 'token:keys'],
  summary: 'Rotate an API key',
  description:
    'Issues a key with the same name and limits. Until the overlap ends both keys work, within one set of limits: usage of both keys counts against the limits of the new key. ' +
    'Without an overlap the old key is revoked in the same step. A revoked key can be rotated, too: the new key then only inherits its limits.',
  body: {
    schema: z.strictObject({
      overlap_minutes: z
        .int()
        .min(0, 'must be 0 or more')
        .max(MAX_OVERLAP_MINUTES)
        .default(0)
        .meta({ description: 'How long the old key still works, at most 30 days', example: 60 }),
    }),
    example: { overlap_minutes: 60 },
  },
  success: {
    status: 201,
    description: 'The new key. A repetition with the same Idempotency-Key returns it without its secret',
    schema: newKeyView,
    example: { ...newKeyExample, replaces: 'key_1c7e02b94d5f4f6a8e3b9d70' },
  },
  problems: [
    ...(['account_not_found', 'account_closed', 'account_suspended', 'terms_not_accepted', 'too_many_keys'] as const),
    ...(['key_not_found', 'key_already_replaced'] as const),
  ],
  handle: async ({ params: { account_id, key_id }, body: { overlap_minutes }, ...identity }, deps) => {
    const at = await accountNow(deps, account_id);
    if (!at) return problem('account_not_found');
    const rotated = at.account.keys.get(key_id);
    if (!rotated) return problem('key_not_found');
    return issue(deps, identity, {
      accountId: account_id,
      name: rotated.name,
      limits: undefined,
      replaces: key_id,
      overlapMs: overlap_minutes * MINUTE_MS,
    });
  },
});
