import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId, keyId, time } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';

/** Signs of a possible violation of the terms. They have no consequence by themselves: staff review them. */
export type Signal = {
  readonly accountId: string;
  readonly keyId: string;
  readonly kind: 'networks' | 'content_filter' | 'limits';
  /** New networks, filtered completions, or hours in which a limit was hit. */
  readonly count: number;
  /** Of the new networks in each of the 14 days before; null for other kinds. */
  readonly median: number | null;
  readonly since: Date;
};

/** Of a UTC day, `YYYY-MM-DD`, of one account or of all. */
export type ListSignals = (day: string, accountId?: string) => Promise<readonly Signal[]>;

const signal = z
  .strictObject({
    account_id: accountId,
    key_id: keyId,
    kind: z.enum(['networks', 'content_filter', 'limits']),
    count: z.int().meta({
      description:
        'networks: the number of new networks, from 10 and three times the median. content_filter: the number of completions that a provider filtered, from 10. limits: the number of hours in which a limit refused requests, from 12',
      example: 23,
    }),
    median: z
      .number()
      .nullable()
      .meta({ description: 'networks: the median of new networks on the 14 days before; null for other kinds' }),
    since: time.meta({ description: 'Time of the first one on this day' }),
  })
  .meta({ id: 'Signal' });

const example: z.output<typeof signal> = {
  ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', key_id: 'key_8d2b64f09c1e4a7fb35d6c81' },
  ...{ kind: 'networks', count: 23, median: 0, since: '2026-01-31T10:00:00.000Z' },
};

const query = z.strictObject({
  day: z.iso
    .date({ error: 'must be a day such as 2026-01-31' })
    .optional()
    .meta({ description: 'A UTC day, today by default. Networks are kept for 30 days', example: '2026-01-31' }),
});

const principals = ['admin', ...staff('support', 'operator')] as const;

const list = async (
  { signals, now }: Pick<ManagementDeps, 'signals' | 'now'>,
  asked: string | undefined,
  account?: string,
) => {
  const day = asked ?? now().toISOString().slice(0, 10);
  const data = (await signals(day, account)).map(({ accountId, keyId, since, ...rest }) => ({
    ...{ account_id: accountId, key_id: keyId, ...rest, since: since.toISOString() },
  }));
  return { answer: { day, data } };
};

const success = {
  status: 200 as const,
  description: 'The signals of a day',
  schema: z.strictObject({ day: z.string(), data: z.array(signal) }),
  example: { day: '2026-01-31', data: [example] },
};

export const listSignals = defineRoute({
  method: 'get',
  path: '/signals',
  principals,
  summary: 'List signals of possible violations',
  description:
    'Keys that were suddenly used from many networks, keys with many filtered completions, and keys that a limit refused for hours. Signals have no consequence by themselves and contain no content: only the number of networks is shown, and these are truncated addresses. A completion is counted after a few seconds.',
  query,
  success,
  problems: [],
  handle: ({ query: { day } }, deps) => list(deps, day),
});

export const listSignalsOfAccount = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/signals',
  principals,
  summary: "List an account's signals of possible violations",
  query,
  success,
  problems: ['account_not_found'],
  handle: async ({ params: { account_id }, query: { day } }, deps) => {
    const { state } = await deps.commands.read(accountStream(account_id));
    return state.standing.status === 'unregistered' ? problem('account_not_found') : list(deps, day, account_id);
  },
});
