import { z } from 'zod';
import type { AccountEvent } from '../../../domain/account/events.ts';
import { formatUsd } from '../../../domain/money.ts';
import { staff } from '../../auth/principals.ts';
import { viewDraw } from '../accounts/views/money-event-view.ts';
import { carryOut, type Done } from '../router/execute-command.ts';
import { accountId, anyId, changed, lotId, reason, revision, usd } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';

const ended = z.strictObject({
  account_id: accountId,
  amount_usd: usd.meta({ description: 'What has ended now. What requests in progress may need ends with them' }),
  lots: z.array(z.strictObject({ lot_id: lotId, amount_usd: usd })),
  ...{ changed, revision },
});
const example: z.output<typeof ended> = {
  ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', amount_usd: '0.0075', changed: true, revision: 61 },
  lots: [{ lot_id: 'lot_6d1f0a93c5b24e7790ab3e51', amount_usd: '0.0075' }],
};

export const waiveCredits = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/waive',
  principals: ['admin', ...staff('support', 'finance')],
  summary: 'Record that the holder gives up paid credits',
  description:
    'Of a closed account: what is below a cent, or what the holder does not want back. Refunds that are open stay as they are.',
  body: {
    schema: z.strictObject({
      lot_id: anyId
        .optional()
        .meta({ description: 'By default all paid lots', example: 'lot_6d1f0a93c5b24e7790ab3e51' }),
      reason,
    }),
    example: { reason: 'Less than a cent is left' },
  },
  success: { status: 200, description: 'The credits have ended', schema: ended, example },
  problems: ['account_not_found', 'account_not_closed', 'lot_not_found'],
  handle: async ({ params: { account_id }, body: { lot_id: lotId, reason }, ...identity }, deps) => {
    const command = { type: 'WaiveCredits', reason, ...(lotId === undefined ? {} : { lotId }) } as const;
    const done = await carryOut(
      deps,
      identity,
      account_id,
      command,
      (event) =>
        event.type === 'CreditsWaived' && event.reason === reason && (lotId === undefined || event.lotId === lotId),
    );
    return isProblem(done) ? done : viewEnded(account_id, done);
  },
});

export const forfeitCredits = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/forfeit',
  principals: ['admin', ...staff('finance')],
  summary: 'Declare paid credits forfeited',
  description:
    'For an account that was terminated for a violation of the terms: see `POST …/violations`. Open refunds do not change.',
  body: { schema: z.strictObject({ reason }), example: { reason: 'Resale of access' } },
  success: { status: 200, description: 'The credits have ended', schema: ended, example },
  problems: ['account_not_found', 'account_not_closed', 'account_not_terminated'],
  handle: async ({ params: { account_id }, body: { reason }, ...identity }, deps) => {
    const done = await carryOut(
      deps,
      identity,
      account_id,
      { type: 'ForfeitCredits', reason },
      (event) => event.type === 'CreditsForfeited' && event.reason === reason,
    );
    return isProblem(done) ? done : viewEnded(account_id, done);
  },
});

const viewEnded = (account_id: string, { events, revision, repeated }: Done) => {
  const parts = events.flatMap((event: AccountEvent) =>
    event.type === 'CreditsWaived' || event.type === 'CreditsForfeited' ? [event] : [],
  );
  return {
    answer: {
      ...{ account_id, amount_usd: formatUsd(parts.reduce((sum, { amount }) => sum + amount, 0n)) },
      ...{ lots: parts.map(viewDraw), changed: parts.length > 0, revision },
    },
    repeated,
  };
};
