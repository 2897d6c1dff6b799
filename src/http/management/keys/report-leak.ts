import { z } from 'zod';
import { members, staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { requestExample, requestView, viewRequest } from '../requests/list-requests.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, keyId, moment } from '../router/fields.ts';
import { published } from '../router/published.ts';
import { defineRoute, isProblem } from '../router/route.ts';

const MAX_LISTED = 500;

export const reportLeak = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/keys/{key_id}/leak',
  principals: ['admin', ...members('owner', 'developer'), 'token:keys', ...staff('support', 'operator')],
  summary: 'Report that an API key leaked',
  description:
    'Revokes the key at once, records the report, and lists the requests that were made with the key since `since`. Rotate the key ' +
    'before or after this to keep its limits.',
  body: {
    schema: z.strictObject({
      since: moment.optional().meta({ description: 'From when on others may have used the key, if that is known' }),
    }),
    example: { since: '2026-01-30T00:00:00Z' },
  },
  success: {
    status: 200 as const,
    description: 'The key is revoked and the leak recorded',
    schema: z.strictObject({
      account_id: accountId,
      key_id: keyId,
      revoked: z.literal(true),
      requests: z
        .array(requestView)
        .meta({ description: `With this key since then, newest first; at most ${MAX_LISTED}` }),
      is_complete: z.boolean().meta({ description: 'Whether the list has all of them' }),
    }),
    example: {
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      key_id: 'key_8d2b64f09c1e4a7fb35d6c81',
      revoked: true,
      requests: [requestExample],
      is_complete: true,
    },
  },
  problems: ['account_not_found', 'key_not_found', 'upgrade_in_progress'],
  handle: async ({ params: { account_id, key_id }, body: { since }, ...identity }, deps) => {
    // Two commands: a gateway of an earlier release cannot read the report, and must not delay the revocation.
    const revoke = { type: 'RevokeKey', keyId: key_id, reason: 'reported as leaked' } as const;
    const ofRevocation = { ...identity, commandId: `${identity.commandId}/revoke` };
    const revoked = await carryOut(
      ...([deps, ofRevocation, account_id, revoke] as const),
      (event) => event.type === 'KeyRevoked' && event.keyId === key_id,
    );
    if (isProblem(revoked)) return revoked;
    const isKnown = await published(deps, revoked.recorded?.position ?? (await deps.store.head()));
    if (!isKnown) return problem('store_unavailable', { message: NOT_APPLIED });
    const report = { type: 'ReportKeyLeak', keyId: key_id, since: since?.getTime() ?? null } as const;
    const reported = await carryOut(
      ...([deps, identity, account_id, report] as const),
      (event) => event.type === 'KeyLeakReported' && event.keyId === key_id && event.since === report.since,
    );
    if (isProblem(reported)) return reported;
    const found = await deps.listRequests(account_id, { keyId: key_id, from: since, limit: MAX_LISTED + 1 });
    return {
      answer: {
        account_id,
        key_id,
        revoked: true,
        requests: found.slice(0, MAX_LISTED).map(viewRequest),
        is_complete: found.length <= MAX_LISTED,
      },
    };
  },
});

const NOT_APPLIED =
  'The key is revoked in the log, but this node has not applied it yet. Send the request again to confirm and to record the leak.';
