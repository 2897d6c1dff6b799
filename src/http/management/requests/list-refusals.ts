import { z } from 'zod';
import { readers } from '../../auth/principals.ts';
import type { KeptRefusal } from '../../../reactions/refusals.ts';
import { problem } from '../../server/problems.ts';
import { accountId, keyId, moment, requestId, time, wholeNumber } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';
import { accountNow } from '../accounts/account-at.ts';

export const refusalView = z
  .strictObject({
    account_id: accountId,
    key_id: keyId,
    code: z.string(),
    status: z.int(),
    count: z.int().meta({ description: 'In this minute, with this key' }),
    figures: z.string().nullable().meta({ description: 'Amounts and limits of the newest refusal' }),
    request_ids: z.array(requestId).meta({ description: 'At most 20' }),
    minute: time,
    last_at: time,
  })
  .meta({ id: 'Refusal' });

export const refusalExample: z.output<typeof refusalView> = {
  account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
  key_id: 'key_8d2b64f09c1e4a7fb35d6c81',
  code: 'insufficient_credits',
  status: 402,
  count: 3,
  figures: 'The available credits do not cover this request. Needed: $0.02. Available: $0.01. Held: $0.00.',
  request_ids: ['req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d'],
  minute: '2026-01-31T10:00:00.000Z',
  last_at: '2026-01-31T10:00:41.310Z',
};

export const viewRefusal = ({
  minute,
  last_at,
  request_ids,
  ...refusal
}: KeptRefusal): z.output<typeof refusalView> => ({
  ...refusal,
  request_ids: [...request_ids],
  minute: minute.toISOString(),
  last_at: last_at.toISOString(),
});

const DEFAULT_LIMIT = 50;

export const listRefusals = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/refusals',
  principals: readers(),
  summary: "List an account's refused completions",
  description:
    'Completions that were authenticated and refused before credits were held. They are not part of the log: they are kept ' +
    'beside it for 30 days, added up by key, code and minute, without content. Newest first; a refusal appears about a second later.',
  query: z.strictObject({
    before: moment.optional().meta({ description: 'The next page: the minute of the last row on this one' }),
    limit: wholeNumber(
      `Rows on a page; ${DEFAULT_LIMIT} by default. A page ends with a whole minute, so it may have more`,
      1,
      500,
    ).optional(),
  }),
  success: {
    status: 200,
    description: 'The refusals',
    schema: z.strictObject({ data: z.array(refusalView) }),
    example: { data: [refusalExample] },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id }, query: { before, limit = DEFAULT_LIMIT } }, deps) => {
    if (!(await accountNow(deps, account_id))) return problem('account_not_found');
    return { answer: { data: (await deps.refusals.ofAccount(account_id, limit, before)).map(viewRefusal) } };
  },
});
