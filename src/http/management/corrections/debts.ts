import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { debtOf } from '../../../domain/account/refunds/debts.ts';
import { openDebt } from '../../../domain/account/wallet.ts';
import { formatUsd } from '../../../domain/money.ts';
import { readers, staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { viewDraw } from '../accounts/views/money-event-view.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, lotId, paymentId, reason, revision, usd, usdOrNothing } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { paymentIdOf } from '../../../domain/payments/refundable.ts';

const debtView = z
  .strictObject({
    lot_id: lotId,
    payment_id: paymentId,
    cause: z.enum(['refund', 'chargeback']),
    reference: z.string().meta({ description: 'Refund or dispute, by the id of the payment partner' }),
    amount_usd: usd.meta({ description: 'What was used before the payment was refunded or charged back' }),
    open_usd: usd.meta({ description: 'What is still owed' }),
    repaid: z.array(z.strictObject({ lot_id: lotId, amount_usd: usd })).meta({ description: 'By later payments' }),
  })
  .meta({ id: 'Debt' });

export const listDebts = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/debts',
  principals: readers(),
  summary: "Read an account's debts",
  description: 'With those that are repaid or written off. The next payment repays what is open; a grant does not.',
  success: {
    status: 200,
    description: 'The oldest first',
    schema: z.strictObject({ account_id: accountId, open_usd: usd, data: z.array(debtView) }),
    example: {
      ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', open_usd: '3.10' },
      data: [
        {
          ...{ lot_id: 'lot_6d1f0a93c5b24e7790ab3e51', payment_id: 'pay_6d1f0a93c5b24e7790ab3e51' },
          ...{ cause: 'refund', reference: 'ref_3DB9NQFvk18TJwSqd0N6bd', amount_usd: '3.10', open_usd: '3.10' },
          repaid: [],
        },
      ],
    },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id } }, { commands }) => {
    const { state } = await commands.read(accountStream(account_id));
    if (state.standing.status === 'unregistered') return problem('account_not_found');
    const data = state.wallet.debts.map(({ lotId, cause, reference, amount, open, repaid }) => ({
      ...{ lot_id: lotId, payment_id: paymentIdOf(state, lotId), cause, reference },
      ...{ amount_usd: formatUsd(amount), open_usd: formatUsd(open), repaid: repaid.map(viewDraw) },
    }));
    return { answer: { account_id, open_usd: formatUsd(openDebt(state.wallet)), data } };
  },
});

export const writeOffDebt = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/debts/{lot_id}/write-off',
  principals: ['admin', ...staff('finance')],
  summary: 'Write off a debt',
  description: 'The operator bears it. If nothing is owed then, the suspension because of the debt ends.',
  body: {
    schema: z.strictObject({
      amount_usd: usdOrNothing.optional().meta({ description: 'By default all that is owed for the lot' }),
      reason,
    }),
    example: { reason: 'The holder cannot be reached' },
  },
  success: {
    status: 200,
    description: 'The debt is written off',
    schema: z.strictObject({
      ...{ account_id: accountId, lot_id: lotId, amount_usd: usd, revision },
      open_usd: usd.meta({ description: 'What the account still owes, for all lots' }),
    }),
    example: {
      ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', lot_id: 'lot_6d1f0a93c5b24e7790ab3e51' },
      ...{ amount_usd: '3.10', revision: 51, open_usd: '0.00' },
    },
  },
  problems: ['account_not_found', 'debt_not_found', 'invalid_amount', 'more_than_owed'],
  handle: async ({ params, body: { amount_usd: asked, reason }, ...identity }, deps) => {
    const { account_id, lot_id: lotId } = params;
    const { state } = await deps.commands.read(accountStream(account_id));
    if (state.standing.status === 'unregistered') return problem('account_not_found');
    const amount = asked ?? debtOf(state.wallet.debts, lotId);
    const done = await carryOut(
      deps,
      identity,
      account_id,
      { type: 'WriteOffDebt', lotId, amount, reason },
      (event) =>
        event.type === 'DebtWrittenOff' &&
        event.lotId === lotId &&
        event.reason === reason &&
        (asked === undefined || event.amount === asked),
    );
    if (isProblem(done)) return done.code === 'invalid_amount' ? { ...done, param: 'amount_usd' } : done;
    const [event] = done.events;
    const written = event?.type === 'DebtWrittenOff' ? event.amount : 0n;
    const after = (await deps.commands.read(accountStream(account_id))).state;
    const { revision, repeated } = done;
    const open_usd = formatUsd(openDebt(after.wallet));
    return { answer: { account_id, lot_id: lotId, amount_usd: formatUsd(written), revision, open_usd }, repeated };
  },
});
