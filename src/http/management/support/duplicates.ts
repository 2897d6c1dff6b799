import { z } from 'zod';
import { duplicateSignals } from '../../../domain/account/events.ts';
import { staff } from '../../auth/principals.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, changed, reason, time } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';

const MAX_RESULTS = 200;

const otherId = accountId.meta({ description: 'The older account', example: 'acc_9e8d7c6b5a4f3e2d1c0b9a88' });

const duplicate = z
  .strictObject({
    account_id: accountId,
    other_id: otherId,
    signal: z.enum(duplicateSignals).meta({
      description:
        'same_name_and_domain: the same words of the name, and addresses at the same domain, which is none of a public mail provider. ' +
        'same_entity_name: entities of the same name in the same country, with other registration numbers',
    }),
    suspected_at: time,
  })
  .meta({ id: 'Duplicate' });

export const listDuplicates = defineRoute({
  method: 'get',
  path: '/duplicates',
  principals: ['admin', ...staff('support', 'finance', 'operator')],
  summary: 'List suspected duplicates',
  description:
    'Accounts that persons opened and that may have the same holder as an older account. Nothing follows by itself: ask the holder, then close an account or dismiss the suspicion. ' +
    'A suspicion also ends when the newer account is closed.',
  success: {
    status: 200,
    description: `The newest first, at most ${MAX_RESULTS}`,
    schema: z.strictObject({
      data: z.array(duplicate),
      has_more: z.boolean().meta({ description: 'Whether there are more: decide on these first' }),
    }),
    example: {
      data: [
        {
          account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
          other_id: 'acc_9e8d7c6b5a4f3e2d1c0b9a88',
          signal: 'same_name_and_domain',
          suspected_at: '2026-01-31T10:00:00.000Z',
        },
      ],
      has_more: false,
    },
  },
  problems: [],
  handle: async (_, { suspectedDuplicates }) => {
    const all = await suspectedDuplicates();
    const data = all.slice(0, MAX_RESULTS).map(({ accountId: account_id, other: other_id, signal, suspectedAt }) => ({
      ...{ account_id, other_id, signal, suspected_at: suspectedAt.toISOString() },
    }));
    return { answer: { data, has_more: all.length > MAX_RESULTS } };
  },
});

export const dismissDuplicate = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/duplicates/{other_id}/dismiss',
  principals: ['admin', ...staff('support')],
  summary: 'Dismiss a suspected duplicate',
  description: 'Final for these two accounts. Dismissing it once more changes nothing, not even the reason.',
  body: { schema: z.strictObject({ reason }), example: { reason: 'Father and daughter' } },
  success: {
    status: 200,
    description: 'The suspicion is dismissed',
    schema: z.strictObject({ account_id: accountId, other_id: otherId, dismissed: z.literal(true), changed }),
    example: {
      ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', other_id: 'acc_9e8d7c6b5a4f3e2d1c0b9a88' },
      ...{ dismissed: true, changed: true },
    },
  },
  problems: ['account_not_found', 'duplicate_not_found'],
  handle: async ({ params: { account_id, other_id }, body: { reason }, ...identity }, deps) => {
    const done = await carryOut(
      deps,
      identity,
      account_id,
      { type: 'DismissDuplicate', other: other_id, reason },
      (event) => event.type === 'DuplicateDismissed' && event.other === other_id && event.reason === reason,
    );
    if (isProblem(done)) return done;
    const { recorded, repeated } = done;
    return { answer: { account_id, other_id, dismissed: true as const, changed: recorded !== undefined }, repeated };
  },
});
