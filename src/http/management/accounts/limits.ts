import { z } from 'zod';
import type { AccountLimits, Limits } from '../../../domain/account/limits/limits.ts';
import { formatUsd } from '../../../domain/money.ts';
import { moment, time, usd, usdOrNothing } from '../router/fields.ts';

const MOST = 1_000_000_000_000;
const MOST_MODELS = 200;

const most = (description: string, example: number) =>
  z.int().min(1, 'must be 1 or more').max(MOST).nullish().meta({ description, example });

const windows = {
  day: usdOrNothing.nullish(),
  month: usdOrNothing.nullish(),
  total: usdOrNothing.nullish(),
};

const asked = {
  requests_per_minute: most('In any 60 seconds', 600),
  tokens_per_minute: most(
    'In any 60 seconds, input and output together. Requests beyond it are refused; a stream in progress may finish, and counts as it goes',
    200_000,
  ),
  concurrent_requests: most('Requests in progress at once', 20),
  spending_usd: z
    .strictObject(windows)
    .nullish()
    .meta({ description: 'Decimal USD per day and per month (UTC), and in total' }),
  models: z
    .array(z.string().min(1).max(256))
    .min(1, 'must name a model or be omitted')
    .max(MOST_MODELS)
    .nullish()
    .meta({ description: 'The only models that may be used' }),
};

/** An omitted or null field means no limit. */
export const accountLimitsBody = z.strictObject(asked);
export const keyLimitsBody = z.strictObject({
  ...asked,
  expires_at: moment.nullish().meta({ description: 'The key is valid until then' }),
});

export const keyLimitsExample = {
  requests_per_minute: 600,
  spending_usd: { day: '5.00', month: '50.00' },
  models: ['gpt-5-mini'],
  expires_at: '2027-01-01T00:00:00Z',
};
export const accountLimitsExample = { tokens_per_minute: 200_000, concurrent_requests: 20 };

const number = z.int().nullable();
const shown = {
  requests_per_minute: number,
  tokens_per_minute: number,
  concurrent_requests: number,
  spending_usd: z.strictObject({ day: usd.nullable(), month: usd.nullable(), total: usd.nullable() }),
  models: z.array(z.string()).nullable(),
};
export const accountLimitsView = z
  .strictObject(shown)
  .meta({ id: 'AccountLimits', description: 'null if there is no limit' });
export const keyLimitsView = z
  .strictObject({ ...shown, expires_at: time.nullable() })
  .meta({ id: 'KeyLimits', description: 'null if there is no limit' });

export const readAccountLimits = (body: z.output<typeof accountLimitsBody>): AccountLimits => {
  const { day, month, total } = body.spending_usd ?? {};
  return present({
    requestsPerMinute: body.requests_per_minute,
    tokensPerMinute: body.tokens_per_minute,
    concurrentRequests: body.concurrent_requests,
    spending: [day, month, total].some((one) => typeof one === 'bigint') ? present({ day, month, total }) : null,
    models: body.models && [...new Set(body.models)],
  });
};

export const readKeyLimits = ({ expires_at: at, ...body }: z.output<typeof keyLimitsBody>): Limits => ({
  ...readAccountLimits(body),
  ...(at ? { expiresAt: at.toISOString() } : {}),
});

export const viewAccountLimits = ({ spending = {}, ...limits }: Limits): z.output<typeof accountLimitsView> => {
  const dollars = (credits: bigint | undefined): string | null => (credits === undefined ? null : formatUsd(credits));
  return {
    requests_per_minute: limits.requestsPerMinute ?? null,
    tokens_per_minute: limits.tokensPerMinute ?? null,
    concurrent_requests: limits.concurrentRequests ?? null,
    spending_usd: { day: dollars(spending.day), month: dollars(spending.month), total: dollars(spending.total) },
    models: limits.models ? [...limits.models] : null,
  };
};

export const viewKeyLimits = (limits: Limits): z.output<typeof keyLimitsView> => ({
  ...viewAccountLimits(limits),
  expires_at: limits.expiresAt ?? null,
});

type Present<T> = { -readonly [K in keyof T]?: Exclude<T[K], null | undefined> };

/** Without undefined fields. */
const present = <T extends object>(fields: T): Present<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)) as Present<T>;
