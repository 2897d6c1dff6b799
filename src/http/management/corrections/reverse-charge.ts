import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import type { AccountEvent } from '../../../domain/account/events.ts';
import { formatUsd, type Credits } from '../../../domain/money.ts';
import { decode, type Recorded } from '../../../eventstore/journal/codec.ts';
import { recordedBy } from '../../../eventstore/journal/recorded-by.ts';
import { invariant } from '../../../domain/decider.ts';
import { staff } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { viewDraw } from '../accounts/views/money-event-view.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, generationId, lotId, reason, revision, usd, usdOrNothing } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';

/** Generations of an account by an id; `ended_revision` is the event of the account that ended it. */
export type FindCharges = (
  id: string,
  accountId: string,
) => Promise<readonly { readonly request_id: string; readonly ended_revision: number | null }[]>;

const draws = z.array(z.strictObject({ lot_id: lotId, amount_usd: usd }));

export const reverseCharge = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/generations/{generation_id}/reverse',
  principals: ['admin', ...staff('support', 'finance')],
  summary: 'Reverse a charge, in part or as a whole',
  description:
    'For 120 days. The credits go back into the lots that paid: first into the one that was drawn last. If such a lot has ended, they are granted; if it has a debt, the debt is reduced. ' +
    'Spending limits count the charge as before.',
  body: {
    schema: z.strictObject({
      amount_usd: usdOrNothing.optional().meta({ description: 'By default all that is left of the charge' }),
      reason,
    }),
    example: { amount_usd: '0.0012', reason: 'The answer was cut off' },
  },
  success: {
    status: 200,
    description: 'The charge is reversed',
    schema: z.strictObject({
      ...{ account_id: accountId, generation_id: generationId, amount_usd: usd },
      charged_usd: usd.meta({ description: 'The charge of the generation' }),
      reversed_usd: usd.meta({ description: 'What was reversed of it, with this and earlier reversals' }),
      returned: draws.meta({ description: 'Back in the lots' }),
      debt_reduced: draws.meta({ description: 'Less debt, for lots whose payment was refunded or charged back' }),
      granted: draws.meta({ description: 'Granted anew, for lots that have ended' }),
      revision,
    }),
    example: {
      ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', generation_id: 'gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d' },
      ...{ amount_usd: '0.0012', charged_usd: '0.0041', reversed_usd: '0.0012', revision: 44 },
      returned: [{ lot_id: 'lot_6d1f0a93c5b24e7790ab3e51', amount_usd: '0.0012' }],
      ...{ debt_reduced: [], granted: [] },
    },
  },
  problems: [
    ...(['account_not_found', 'generation_not_found', 'invalid_amount', 'more_than_charged'] as const),
    'reversal_too_late',
  ],
  handle: async ({ params, body: { amount_usd: asked, reason }, ...identity }, deps) => {
    const { account_id, generation_id: requestId } = params;
    const charge = await findCharge(deps, account_id, requestId);
    if (isProblem(charge)) return charge;
    const { charged, drawn, chargedAt } = charge;
    const reversed = await reversedBefore(deps, account_id, requestId);
    const isRepeated = identity.mayRepeat && (await recordedBy(deps.store, account_id, identity.commandId));
    const amount = asked ?? charged - reversed;
    if (amount === 0n && asked === undefined && !isRepeated) return problem('more_than_charged', { message: ALL });
    const done = await carryOut(
      deps,
      identity,
      account_id,
      {
        ...{ type: 'ReverseCharge', requestId, amount, reason, charged, drawn },
        ...{ chargedAt: chargedAt.getTime(), at: deps.now().getTime() },
      },
      (event) => isAsked(event, { requestId, amount: asked, reason }),
    );
    if (isProblem(done)) return done.code === 'invalid_amount' ? { ...done, param: 'amount_usd' } : done;
    const [event] = done.events;
    invariant(event?.type === 'ChargeReversed', 'an accepted reversal is in the log');
    return {
      answer: {
        ...{ account_id, generation_id: requestId, amount_usd: formatUsd(event.amount) },
        charged_usd: formatUsd(charged),
        reversed_usd: formatUsd(await reversedBefore(deps, account_id, requestId)),
        ...{ returned: event.returned.map(viewDraw), debt_reduced: event.debtReduced.map(viewDraw) },
        ...{ granted: event.granted.map(viewDraw), revision: done.revision },
      },
      repeated: done.repeated,
    };
  },
});

const ALL = 'The whole charge was reversed before.';

type Charge = Pick<Extract<AccountEvent, { type: 'HoldSettled' }>, 'charged' | 'drawn'> & { readonly chargedAt: Date };

/** The charge of the generation in the log. Its row has the revision of the event. */
const findCharge = async (
  { findGenerations, commands, store }: ManagementDeps,
  accountId: string,
  generationId: string,
): Promise<Charge | Problem> => {
  const stream = accountStream(accountId);
  const { state } = await commands.read(stream);
  if (state.standing.status === 'unregistered') return problem('account_not_found');
  const rows = await findGenerations(generationId, accountId);
  const revision = rows.find(({ request_id }) => request_id === generationId)?.ended_revision ?? null;
  const [stored] = revision === null ? [] : await store.readStream(stream, revision, 1);
  if (!stored) return problem('generation_not_found');
  const { event, time } = decode(stored) as Recorded<AccountEvent>;
  const isCharge = event.type === 'HoldSettled' || event.type === 'LateUsageCharged';
  if (!isCharge || event.requestId !== generationId || event.charged === 0n) {
    return problem('generation_not_found', { message: 'Nothing was charged for this generation. Check its receipt.' });
  }
  return { charged: event.charged, drawn: event.drawn, chargedAt: time };
};

const reversedBefore = async (
  { commands }: Pick<ManagementDeps, 'commands'>,
  accountId: string,
  generationId: string,
): Promise<Credits> => {
  const { state } = await commands.read(accountStream(accountId));
  return state.wallet.reversals.get(generationId)?.amount ?? 0n;
};

const isAsked = (
  event: AccountEvent,
  asked: { readonly requestId: string; readonly amount: Credits | undefined; readonly reason: string },
): boolean =>
  event.type === 'ChargeReversed' &&
  event.requestId === asked.requestId &&
  event.reason === asked.reason &&
  (asked.amount === undefined || event.amount === asked.amount);
