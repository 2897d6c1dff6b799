import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { openDebt } from '../../../domain/account/wallet.ts';
import { formatUsd, type Credits } from '../../../domain/money.ts';
import { CENT } from '../../../domain/payments/amounts.ts';
import { members, paymentReaders } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId, paymentId, time, usd, usdOrNothing } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { readHistory } from './payment-history.ts';
import { paymentStatus } from './payment-view.ts';
import { openedAtOf } from './view-payment.ts';

const debt = usd.meta({ description: 'What the account owes. The payment repays it first', example: '0.00' });
const simulated = z.boolean().meta({ description: 'No money moves: the payment partner is a simulation' });

export const readTopUpOptions = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/top-ups/options',
  principals: paymentReaders(),
  summary: 'Read what can be topped up',
  success: {
    status: 200,
    description: 'Amounts without tax, which the payment partner adds',
    schema: z.strictObject({
      account_id: accountId,
      available: z.boolean().meta({ description: 'false: no payment partner is configured' }),
      simulated,
      least_usd: usd,
      most_usd: usd,
      presets_usd: z.array(usd),
      debt_usd: debt,
    }),
    example: {
      ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', available: true, simulated: false },
      ...{ least_usd: '5.00', most_usd: '1000.00', presets_usd: ['10.00', '25.00', '50.00', '100.00'] },
      debt_usd: '0.00',
    },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id } }, { commands, payments: { partner }, topUps }) => {
    const { state } = await commands.read(accountStream(account_id));
    if (state.standing.status === 'unregistered') return problem('account_not_found');
    return {
      answer: {
        ...{ account_id, available: partner !== undefined, simulated: partner?.isSimulated ?? false },
        ...{ least_usd: formatUsd(topUps.least), most_usd: formatUsd(topUps.most) },
        presets_usd: topUps.presets.map(formatUsd),
        debt_usd: formatUsd(openDebt(state.wallet)),
      },
    };
  },
});

export const openTopUp = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/top-ups',
  principals: ['admin', ...members('owner', 'billing')],
  summary: 'Top up: open a payment page',
  description:
    'Send the customer to checkout_url. The credits are there once the payment partner has reported the payment: read the payment. ' +
    'Nothing is credited because the customer returns from the page.',
  body: { schema: z.strictObject({ amount_usd: usdOrNothing }), example: { amount_usd: '25.00' } },
  success: {
    status: 201,
    description: 'The page on which it can be paid',
    schema: z.strictObject({
      payment_id: paymentId,
      account_id: accountId,
      status: paymentStatus,
      checkout_url: z.string().meta({ description: 'The page of the payment partner', example: 'https://creem.io/…' }),
      amount_usd: usd.meta({ description: 'Without tax, which the payment partner adds', example: '25.00' }),
      debt_usd: debt,
      simulated,
      expires_at: time,
    }),
    example: {
      ...{ payment_id: 'pay_6d1f0a93c5b24e7790ab3e51', account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', status: 'open' },
      ...{ checkout_url: 'https://creem.io/checkout/prod_1/ch_1', amount_usd: '25.00', debt_usd: '0.00' },
      ...{ simulated: false, expires_at: '2026-02-01T10:00:00.000Z' },
    },
  },
  problems: [
    ...(['account_not_found', 'account_closed', 'invalid_amount', 'payments_unavailable'] as const),
    ...(['payment_partner_failed', 'too_many_attempts'] as const),
  ],
  handle: async ({ params: { account_id }, body: { amount_usd: amount }, ...identity }, deps) => {
    const { state } = await deps.commands.read(accountStream(account_id));
    if (state.standing.status === 'unregistered') return problem('account_not_found');
    if (state.standing.status === 'closed') return problem('account_closed');
    const wrong = wrongAmount(amount, deps);
    if (wrong) return wrong;
    const { actor, commandId, requestId, mayRepeat } = identity;
    const metadata = { actor, commandId, correlationId: requestId };
    const opened = await openPage(deps, { accountId: account_id, amount, metadata, mayRepeat });
    if (isProblem(opened)) return opened;
    const { payment, paymentId: payment_id, url } = opened;
    if (payment.amount !== amount || payment.accountId !== account_id) return problem('idempotency_key_reused');
    const history = await readHistory(deps, payment_id);
    const openedAt = history ? openedAtOf(history) : deps.now();
    return {
      answer: {
        ...{ payment_id, account_id, status: payment.status, checkout_url: url, amount_usd: formatUsd(amount) },
        debt_usd: formatUsd(openDebt(state.wallet)),
        simulated: deps.payments.partner?.isSimulated ?? false,
        expires_at: new Date(openedAt.getTime() + deps.topUps.payableMs).toISOString(),
      },
      repeated: history?.events[0]?.metadata.correlationId !== requestId,
    };
  },
});

const TOO_MANY = 'This account has too many unpaid payments. Pay one of them, or wait until they expire.';

const wrongAmount = (amount: Credits, { topUps: { least, most } }: Pick<ManagementDeps, 'topUps'>) => {
  if (amount >= least && amount <= most && amount % CENT === 0n) return undefined;
  const message = `amount_usd: must be whole cents from ${formatUsd(least)} to ${formatUsd(most)} USD.`;
  return problem('invalid_amount', { message, param: 'amount_usd' });
};

type OpenTopUp = ManagementDeps['payments']['openTopUp'];
type Opened = Extract<Awaited<ReturnType<OpenTopUp>>, { kind: 'opened' }>;

const openPage = async (
  { payments }: Pick<ManagementDeps, 'payments'>,
  asked: Parameters<OpenTopUp>[0],
): Promise<Opened | Problem> => {
  const outcome = await payments.openTopUp(asked);
  switch (outcome.kind) {
    case 'opened':
      return outcome;
    case 'unavailable':
      return problem('payments_unavailable');
    case 'too_many':
      return problem('too_many_attempts', { message: TOO_MANY });
    case 'partner_failed':
      return problem('payment_partner_failed');
    case 'refused':
      return problem(outcome.refusal.code === 'payment_exists' ? 'idempotency_key_reused' : outcome.refusal.code);
  }
};
