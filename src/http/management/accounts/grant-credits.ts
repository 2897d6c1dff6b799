import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { invariant } from '../../../domain/decider.ts';
import { formatUsd } from '../../../domain/money.ts';
import { derivedId } from '../../../eventstore/ids.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, grantUsd, lotId, reason, revision, time, usd } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';

export const grantCredits = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/grants',
  principals: ['admin', ...staff('finance')],
  summary: 'Grant credits',
  description: 'Credits without a payment. Send an Idempotency-Key: without it, a retry grants twice.',
  body: {
    schema: z.strictObject({ usd: grantUsd, reason }),
    example: { usd: '5.00', reason: 'Welcome credits' },
  },
  success: {
    status: 201,
    description: 'The credits are available',
    schema: z.strictObject({
      account_id: accountId,
      lot_id: lotId,
      amount_usd: usd,
      reason: z.string(),
      revision,
      created_at: time,
    }),
    example: {
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      lot_id: 'lot_5a90c3d7e1f24b68a0c4d792',
      amount_usd: '5.00',
      reason: 'Welcome credits',
      revision: 3,
      created_at: '2026-01-31T10:00:00.000Z',
    },
  },
  problems: ['account_not_found', 'account_closed', 'invalid_amount'],
  handle: async ({ params, body: { usd: amount, reason }, ...identity }, deps) => {
    const lotId = derivedId('lot', identity.commandId);
    const done = await carryOut(
      deps,
      identity,
      params.account_id,
      { type: 'TopUp', lotId, amount, source: { kind: 'grant', reason } },
      (event) =>
        event.type === 'CreditsToppedUp' &&
        event.amount === amount &&
        event.source.kind === 'grant' &&
        event.source.reason === reason,
    );
    if (isProblem(done)) return done.code === 'invalid_amount' ? { ...done, param: 'usd' } : done;
    const { recorded, repeated, revision } = done;
    invariant(recorded !== undefined, 'an accepted grant is in the log');
    const created_at = recorded.time.toISOString();
    return {
      answer: {
        account_id: params.account_id,
        lot_id: lotId,
        amount_usd: formatUsd(amount),
        reason,
        revision,
        created_at,
      },
      repeated,
    };
  },
});
