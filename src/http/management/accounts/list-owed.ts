import { z } from 'zod';
import { formatUsd } from '../../../domain/money.ts';
import type { OwedAccount, WantedOwed } from '../../../projections/queries.ts';
import { staff } from '../../auth/principals.ts';
import { accountId, anyId, time, usd, wholeNumber } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';

/** The closed accounts with credits, in the order in which they were closed. Includes everything acknowledged before the call. */
export type ListOwed = (wanted: WantedOwed) => Promise<readonly OwedAccount[]>;

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

export const listOwed = defineRoute({
  method: 'get',
  path: '/accounts/owed',
  principals: ['admin', ...staff('support', 'finance')],
  summary: 'List the closed accounts with credits left',
  description:
    'In the order in which they were closed. The four amounts add up to the balance. `owed_usd` is neither held nor frozen nor in a refund: refund it, record that the holder gives it up, or forfeit it after a termination.',
  query: z.strictObject({
    after: anyId.optional().meta({ description: 'The next page: the account_id of the last account on this one' }),
    limit: wholeNumber(`Accounts on a page; ${DEFAULT_LIMIT} by default`, 1, MAX_LIMIT).optional(),
  }),
  success: {
    status: 200,
    description: 'The accounts',
    schema: z.strictObject({
      data: z.array(
        z.strictObject({
          account_id: accountId,
          closed_at: time,
          owed_usd: usd,
          held_for_refund_usd: usd.meta({ description: 'Held by open refunds' }),
          frozen_usd: usd.meta({ description: 'Frozen because the payment is disputed' }),
          held_usd: usd.meta({ description: 'Held for requests that have not ended yet' }),
        }),
      ),
      next: accountId.nullable().meta({ description: 'after of the next page; null on the last one' }),
    }),
    example: {
      data: [
        {
          ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', closed_at: '2026-01-31T13:00:00.000Z' },
          ...{ owed_usd: '0.0075', held_for_refund_usd: '14.99', frozen_usd: '0.00', held_usd: '0.00' },
        },
      ],
      next: null,
    },
  },
  problems: [],
  handle: async ({ query: { after, limit = DEFAULT_LIMIT } }, deps) => {
    // One more than requested shows whether there is a next page.
    const found = await deps.listOwed({ after, limit: limit + 1 });
    const data = found.slice(0, limit).map(view);
    return { answer: { data, next: found.length > limit ? (data.at(-1)?.account_id ?? null) : null } };
  },
});

const view = ({ accountId: account_id, closedAt, ...amounts }: OwedAccount) => ({
  ...{ account_id, closed_at: closedAt.toISOString(), owed_usd: formatUsd(amounts.owed) },
  ...{ held_for_refund_usd: formatUsd(amounts.heldForRefund), frozen_usd: formatUsd(amounts.frozen) },
  held_usd: formatUsd(amounts.heldForRequests),
});
