import { z } from 'zod';
import { accountStream, type Account } from '../../../domain/account/account.ts';
import type { AccountEvent } from '../../../domain/account/events.ts';
import { refundReasons } from '../../../domain/account/refunds/events.ts';
import { isDisputed, lotOf } from '../../../domain/account/lots.ts';
import { available } from '../../../domain/account/wallet.ts';
import { formatUsd, min, type Credits } from '../../../domain/money.ts';
import { CENT } from '../../../domain/payments/amounts.ts';
import { lotOfPayment, paymentStream } from '../../../domain/payments/payment.ts';
import { paidLots, paymentIdOf, refundableOfLot } from '../../../domain/payments/refundable.ts';
import { derivedId } from '../../../eventstore/ids.ts';
import { recordedBy } from '../../../eventstore/journal/recorded-by.ts';
import { members, staff } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, anyId, lotId, paymentId, refundId, revision, usd, usdOrNothing } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';

const body = z.strictObject({
  amount_usd: usdOrNothing.optional().meta({
    description: 'Credits in whole cents, without tax; by default all that can be refunded now',
    example: '10.00',
  }),
  payment_id: anyId.optional().meta({ description: 'By default the newest payments with credits' }),
  reason: z.enum(refundReasons),
});

export const askRefund = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/refunds',
  principals: ['admin', ...members('owner', 'billing'), ...staff('support', 'finance')],
  summary: 'Ask for a refund of unused credits',
  description:
    'The credits are held, and cannot be spent, until staff have refused the refund or the payment partner has made it. ' +
    'One request for each payment, the newest payment first; tax is returned in proportion.',
  body: { schema: body, example: { amount_usd: '10.00', reason: 'not_needed' } },
  success: {
    status: 201,
    description: 'The credits are held',
    schema: z.strictObject({
      account_id: accountId,
      amount_usd: usd,
      data: z.array(z.strictObject({ refund_id: refundId, payment_id: paymentId, lot_id: lotId, amount_usd: usd })),
      revision,
    }),
    example: {
      ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', amount_usd: '10.00', revision: 31 },
      data: [
        {
          ...{ refund_id: 'ref_2b8e47c0d95f4163ba07c4e9', payment_id: 'pay_6d1f0a93c5b24e7790ab3e51' },
          ...{ lot_id: 'lot_6d1f0a93c5b24e7790ab3e51', amount_usd: '10.00' },
        },
      ],
    },
  },
  problems: [
    ...(['account_not_found', 'payment_not_found', 'invalid_amount', 'lot_disputed'] as const),
    ...(['more_than_refundable', 'refund_exists'] as const),
  ],
  handle: async ({ params: { account_id }, body: asked, ...identity }, deps) => {
    const { commandId, mayRepeat } = identity;
    // The first request under this key holds the credits, so a second plan would not find them.
    const isRepeated = mayRepeat && (await recordedBy(deps.store, account_id, commandId)) !== undefined;
    const planned = isRepeated ? [] : await plan(deps, account_id, asked);
    if (isProblem(planned)) return planned;
    const refunds = planned.map(({ lotId, amount }, n) => ({
      ...{ refundId: derivedId('ref', `${commandId}#${n}`), lotId, amount },
    }));
    const command = { type: 'HoldForRefund', refunds, reason: asked.reason } as const;
    const done = await carryOut(deps, identity, account_id, command, (_, events) => isAsked(heldBy(events), asked));
    if (isProblem(done)) return done;
    const { state } = await deps.commands.read(accountStream(account_id));
    const held = heldBy(done.events);
    const data = held.map(({ refundId: refund_id, lotId: lot_id, amount }) => ({
      ...{ refund_id, payment_id: paymentIdOf(state, lot_id), lot_id, amount_usd: formatUsd(amount) },
    }));
    const { revision, repeated } = done;
    return { answer: { account_id, amount_usd: formatUsd(totalOf(held)), data, revision }, repeated };
  },
});

type Asked = z.output<typeof body>;
type Part = { readonly lotId: string; readonly amount: Credits };
type Held = Extract<AccountEvent, { type: 'CreditsHeldForRefund' }>;

const totalOf = (parts: readonly Pick<Part, 'amount'>[]): Credits =>
  parts.reduce((sum, { amount }) => sum + amount, 0n);

const heldBy = (events: readonly AccountEvent[]): readonly Held[] =>
  events.filter((event) => event.type === 'CreditsHeldForRefund');

const isAsked = (held: readonly Held[], { amount_usd, payment_id, reason }: Asked): boolean =>
  held.length > 0 &&
  held.every((one) => one.reason === reason) &&
  (amount_usd === undefined || totalOf(held) === amount_usd) &&
  (payment_id === undefined || held.every(({ lotId }) => lotId === lotOfPayment(payment_id)));

/** The part of each lot, the newest payment first. */
const plan = async (
  deps: Pick<ManagementDeps, 'commands' | 'paymentCommands'>,
  accountId: string,
  { amount_usd: wanted, payment_id: only }: Asked,
): Promise<readonly Part[] | Problem> => {
  const { state: account } = await deps.commands.read(accountStream(accountId));
  if (account.standing.status === 'unregistered') return problem('account_not_found');
  if (only !== undefined) {
    const lot = lotOf(account.wallet, lotOfPayment(only));
    if (lot?.source.kind !== 'payment') return problem('payment_not_found', { param: 'payment_id' });
    if (isDisputed(lot)) return problem('lot_disputed', { param: 'payment_id' });
  }
  if (wanted !== undefined && (wanted === 0n || wanted % CENT !== 0n)) {
    const message = 'amount_usd: must be more than zero, in whole cents.';
    return problem('invalid_amount', { message, param: 'amount_usd' });
  }
  const parts = await takeFrom(deps, account, wanted, only);
  const refundable = totalOf(parts);
  if (refundable > 0n && (wanted === undefined || refundable === wanted)) return parts;
  const message =
    refundable === 0n
      ? 'Nothing can be refunded now: whole cents of paid credits that are neither used, held, frozen nor refunded.'
      : `At most ${formatUsd(refundable)} USD can be refunded now. Ask for less.`;
  return problem('more_than_refundable', { message, param: wanted === undefined ? null : 'amount_usd' });
};

const takeFrom = async (
  { paymentCommands }: Pick<ManagementDeps, 'paymentCommands'>,
  account: Account,
  wanted: Credits | undefined,
  only: string | undefined,
): Promise<readonly Part[]> => {
  const parts: Part[] = [];
  let unheld = available(account.wallet);
  let left = wanted;
  for (const { lotId, lot, paymentId } of paidLots(account)) {
    if (left === 0n || (only !== undefined && only !== paymentId)) continue;
    const { state: payment } = await paymentCommands.read(paymentStream(paymentId));
    if (payment.status === 'unknown') continue;
    const most = refundableOfLot(lot, payment, unheld);
    const amount = left === undefined ? most : min(most, left);
    if (amount === 0n) continue;
    parts.push({ lotId, amount });
    unheld -= amount;
    if (left !== undefined) left -= amount;
  }
  return parts;
};
