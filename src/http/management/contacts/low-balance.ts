import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { formatUsd } from '../../../domain/money.ts';
import { problem } from '../../server/problems.ts';
import { notRedeemed, secret } from '../people/fields.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, changed, usd, usdOrNothing } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';

export const setLowBalance = defineRoute({
  method: 'put',
  path: '/accounts/{account_id}/low-balance',
  principals: ['member:owner', 'member:billing'],
  summary: 'Set the balance below which you receive a mail',
  description:
    'The owners and billing members receive one mail each time the balance falls below the threshold; credits that requests in progress hold ' +
    'still count to the balance. null ends these mails.',
  body: {
    schema: z.strictObject({ threshold_usd: usdOrNothing.nullable() }),
    example: { threshold_usd: '5.00' },
  },
  success: {
    status: 200,
    description: 'The threshold',
    schema: z.strictObject({ account_id: accountId, threshold_usd: usd.nullable(), balance_usd: usd, changed }),
    example: {
      ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', threshold_usd: '5.00', balance_usd: '12.50', changed: true },
    },
  },
  problems: ['account_not_found', 'invalid_amount'],
  handle: async (asked, deps) => {
    const { params, body } = asked;
    const { account_id } = params;
    const amount = body.threshold_usd;
    const done = await carryOut(deps, asked, account_id, { type: 'SetLowBalanceThreshold', amount }, () => true);
    if (isProblem(done)) return done;
    const { state } = await deps.commands.read(accountStream(account_id));
    const answer = {
      account_id,
      threshold_usd: amount === null ? null : formatUsd(amount),
      balance_usd: formatUsd(state.wallet.balance),
      changed: done.recorded !== undefined,
    };
    return { answer };
  },
});

export const endLowBalanceMails = defineRoute({
  method: 'post',
  path: '/low-balance-mails/{mail_id}/end',
  principals: ['public'],
  summary: 'End the mails about a low balance, with the link of one of them',
  body: { schema: z.strictObject({ link_secret: secret }), example: { link_secret: 'Zm9yIHRoZSBleGFtcGxl' } },
  success: {
    status: 200,
    description: 'The threshold is removed',
    schema: z.strictObject({ ended: z.literal(true) }),
    example: { ended: true as const },
  },
  problems: ['code_wrong', 'code_expired', 'too_many_attempts'],
  handle: async ({ params: { mail_id }, body, client }, { people }) => {
    const outcome = await people.accountMails.endLowBalance(mail_id, body.link_secret, client);
    if (outcome.kind === 'ended') return { answer: { ended: true as const } };
    return outcome.kind === 'not_member' ? problem('code_expired') : notRedeemed(outcome);
  },
});
