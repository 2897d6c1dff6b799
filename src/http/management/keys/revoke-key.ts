import { z } from 'zod';
import { members, staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, changed, keyId, revision, text, time } from '../router/fields.ts';
import { published } from '../router/published.ts';
import { defineRoute, isProblem } from '../router/route.ts';

export const revokeKey = defineRoute({
  method: 'delete',
  path: '/accounts/{account_id}/keys/{key_id}',
  principals: ['admin', ...members('owner', 'developer'), 'token:keys', ...staff('support', 'operator')],
  summary: 'Revoke an API key',
  description: 'This node refuses the key once this request is answered, all nodes within a second. Idempotent.',
  query: z.strictObject({
    reason: text(500).optional().meta({ description: 'Reason; stored permanently in the log', example: 'Leaked' }),
  }),
  success: {
    status: 200,
    description: 'The key is revoked',
    schema: z.strictObject({
      account_id: accountId,
      key_id: keyId,
      revoked: z.literal(true),
      changed,
      revision,
      time: time.nullable().meta({ description: 'When it was recorded; null if nothing changed' }),
    }),
    example: {
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      key_id: 'key_8d2b64f09c1e4a7fb35d6c81',
      revoked: true,
      changed: true,
      revision: 9,
      time: '2026-01-31T12:00:00.000Z',
    },
  },
  problems: ['account_not_found', 'key_not_found'],
  handle: async ({ params: { account_id, key_id }, query, ...identity }, deps) => {
    const reason = query.reason ?? 'revoked through the management API';
    const command = { type: 'RevokeKey', keyId: key_id, reason } as const;
    const done = await carryOut(deps, identity, account_id, command, () => true);
    if (isProblem(done)) return done;
    const { recorded, revision } = done;
    // If another node revoked it, this node may not have followed yet; the head of the log is late enough.
    if (!(await published(deps, recorded?.position ?? (await deps.store.head())))) {
      return problem('store_unavailable', {
        message:
          'The key is revoked in the log, but this node has not applied it yet. Send the request again to confirm.',
      });
    }
    const time = recorded?.time.toISOString() ?? null;
    return { answer: { account_id, key_id, revoked: true, changed: recorded !== undefined, revision, time } };
  },
});
