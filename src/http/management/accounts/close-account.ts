import { z } from 'zod';
import type { Account } from '../../../domain/account/account.ts';
import { owed } from '../../../domain/account/closing.ts';
import { restsOfCredits, type AccountEvent, type RestOfCredits } from '../../../domain/account/events.ts';
import { formatUsd } from '../../../domain/money.ts';
import { staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { accountAt } from './account-at.ts';
import { sumOf } from './views/account-view.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, changed, reason, revision, time, usd } from '../router/fields.ts';
import { published } from '../router/published.ts';
import { defineRoute, isProblem } from '../router/route.ts';

const recordedAt = time.nullable().meta({ description: 'When it was recorded; null if nothing changed' });

const personId = z
  .string()
  .regex(/^per_[\w-]{1,60}$/, 'must be the id of a person, such as per_5b0d27c41e8f4a96b3c7d810')
  .meta({ description: 'The member who asked for it', example: 'per_5b0d27c41e8f4a96b3c7d810' });

export const closeAccount = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/close',
  principals: ['admin', ...staff('support', 'operator')],
  summary: 'Close an account',
  description:
    'Final. This node refuses all keys of the account once this request is answered, all nodes within a second. Requests in progress complete, as far as their credits are held. ' +
    'Promotional credits end; those that requests in progress hold end with these requests. `rest` is the wish of the holder for paid credits. `refund` requests a refund of each payment once all requests have ended, and waives a remainder below a cent. `waive` ends them now. Without `rest` they stay owed. Disputed payments are excluded. ' +
    'Closing a closed account changes nothing, not even the reason.',
  body: {
    schema: z.strictObject({
      reason,
      asked_by: personId.optional(),
      rest: z
        .enum(['refund', 'waive'])
        .optional()
        .meta({ description: 'The wish of the holder. asked_by or the reason names the holder', example: 'refund' }),
    }),
    example: { reason: 'The holder asked for it', rest: 'refund' },
  },
  success: {
    status: 200,
    description: 'The account is closed',
    schema: z.strictObject({
      account_id: accountId,
      status: z.literal('closed'),
      reason: z.string().nullable().meta({ description: 'Reason of the status', example: 'The holder asked for it' }),
      revoked_keys: z.int().nonnegative().meta({ description: 'How many keys this request has revoked', example: 2 }),
      expired_usd: usd.meta({ description: 'Promotional credits that this request has ended' }),
      rest: z.enum(restsOfCredits).nullable().meta({ description: 'The recorded wish; null: paid credits stay owed' }),
      owed_usd: usd.meta({
        description: 'Remaining paid credits. With rest refund, refunds of them are requested next',
      }),
      held_for_refund_usd: usd.meta({ description: 'Paid credits that refunds hold already' }),
      waived_usd: usd.meta({ description: 'Paid credits that the holder has given up' }),
      changed,
      revision,
      time: recordedAt,
    }),
    example: {
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      status: 'closed',
      reason: 'The holder asked for it',
      revoked_keys: 2,
      expired_usd: '5.00',
      rest: 'refund',
      owed_usd: '14.9975',
      held_for_refund_usd: '0.00',
      waived_usd: '0.00',
      changed: true,
      revision: 12,
      time: '2026-01-31T13:00:00.000Z',
    },
  },
  problems: ['account_not_found', 'member_not_found'],
  handle: async ({ params: { account_id }, body: { reason, asked_by: askedBy, rest: wish }, ...identity }, deps) => {
    const rest = wish && recordedAs[wish];
    const done = await carryOut(
      deps,
      identity,
      account_id,
      {
        ...{ type: 'CloseAccount', reason, ...(askedBy === undefined ? {} : { askedBy }) },
        ...(rest === undefined ? {} : { rest }),
      },
      (event) =>
        event.type === 'AccountClosed' && event.reason === reason && event.askedBy === askedBy && event.rest === rest,
    );
    if (isProblem(done)) return done.code === 'member_not_found' ? { ...done, param: 'asked_by' } : done;
    const { recorded, repeated, revision, events } = done;
    // The keys are revoked by the last events of the append; the head of the log is late enough.
    if (!(await published(deps, await deps.store.head())))
      return problem('store_unavailable', { message: NOT_APPLIED });
    // The state after this event, so that a repetition returns the same amounts.
    const closed = (await accountAt(deps, account_id, { revision }))?.account;
    if (!closed) return problem('account_not_found');
    return {
      answer: {
        account_id,
        status: 'closed' as const,
        reason: closed.standing.closingReason,
        ...endedBy(events),
        ...leftOf(closed),
        changed: recorded !== undefined,
        revision,
        time: recorded?.time.toISOString() ?? null,
      },
      repeated,
    };
  },
});

const NOT_APPLIED =
  'The account is closed in the log, but this node has not applied it yet. Send the request again to confirm.';

/** Events are in the past tense. */
const recordedAs = { refund: 'refund', waive: 'waived' } as const satisfies Record<string, RestOfCredits>;

const leftOf = (account: Account) => ({
  rest: account.standing.rest,
  owed_usd: formatUsd(owed(account)),
  held_for_refund_usd: formatUsd(sumOf(account.wallet, 'heldForRefund')),
  waived_usd: formatUsd(account.wallet.waived),
});

const endedBy = (events: readonly AccountEvent[]) => ({
  revoked_keys: events.filter(({ type }) => type === 'KeyRevoked').length,
  expired_usd: formatUsd(events.reduce((sum, event) => (event.type === 'LotExpired' ? sum + event.amount : sum), 0n)),
});

export const erasePersonalData = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/erase',
  principals: ['admin', ...staff('support', 'operator')],
  summary: 'Erase the personal data of a closed account',
  description:
    'Final. Name and e-mail address are no longer shown once this request is answered, also not at earlier revisions. Within seconds their key is destroyed, so that no copy of the log can reveal them. Ids, amounts and reasons stay. ' +
    'Repeating it changes nothing.',
  body: { schema: z.strictObject({ reason }), example: { reason: 'The holder asked for it' } },
  success: {
    status: 200,
    description: 'The personal data is erased',
    schema: z.strictObject({
      account_id: accountId,
      erased: z.literal(true),
      changed,
      revision,
      time: recordedAt,
    }),
    example: {
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      erased: true,
      changed: true,
      revision: 13,
      time: '2026-01-31T14:00:00.000Z',
    },
  },
  problems: ['account_not_found', 'account_not_closed', 'holds_open', 'refund_open', 'lot_disputed', 'debt_open'],
  handle: async ({ params: { account_id }, body: { reason }, ...identity }, deps) => {
    const done = await carryOut(
      deps,
      identity,
      account_id,
      { type: 'ErasePersonalData', reason },
      (event) => event.type === 'PersonalDataErased' && event.reason === reason,
    );
    if (isProblem(done)) return done;
    const { recorded, repeated, revision } = done;
    const time = recorded?.time.toISOString() ?? null;
    return {
      answer: { account_id, erased: true as const, changed: recorded !== undefined, revision, time },
      repeated,
    };
  },
});
