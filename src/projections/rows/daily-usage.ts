import { accountOfStream } from '../../domain/account/account.ts';
import type { Projection } from '../projection.ts';

export type DailyUsageRow = {
  /** The UTC day of the charge, YYYY-MM-DD. */
  readonly day: string;
  readonly account_id: string;
  readonly key_id: string;
  readonly model: string;
  readonly requests: bigint;
  readonly input_tokens: bigint;
  readonly cached_input_tokens: bigint;
  readonly cache_write_tokens: bigint;
  readonly output_tokens: bigint;
  readonly reasoning_tokens: bigint;
  readonly cost: bigint;
  readonly charged: bigint;
};

/** Usage and charges by day, account, key and model. Money in nano-USD. */
export const dailyUsage: Projection<DailyUsageRow> = {
  name: 'daily_usage',
  version: 1,
  columns: {
    day: 'text',
    account_id: 'text',
    key_id: 'text',
    model: 'text',
    requests: 'bigint',
    input_tokens: 'bigint',
    cached_input_tokens: 'bigint',
    cache_write_tokens: 'bigint',
    output_tokens: 'bigint',
    reasoning_tokens: 'bigint',
    cost: 'bigint',
    charged: 'bigint',
  },
  keyLength: 4,
  indexes: [{ columns: ['account_id'] }, { columns: ['key_id'] }],
  types: new Set(['HoldSettled', 'LateUsageCharged']),
  keysOf: ({ event, stream, time }) => {
    if (event.type !== 'HoldSettled' && event.type !== 'LateUsageCharged') return [];
    return [[time.toISOString().slice(0, 10), accountOfStream(stream) ?? '', event.keyId, event.price.model]];
  },
  evolve: (row, { event }, [day = '', accountId = '', keyId = '', model = '']) => {
    const sums = row ?? {
      day,
      account_id: accountId,
      key_id: keyId,
      model,
      requests: 0n,
      input_tokens: 0n,
      cached_input_tokens: 0n,
      cache_write_tokens: 0n,
      output_tokens: 0n,
      reasoning_tokens: 0n,
      cost: 0n,
      charged: 0n,
    };
    if (event.type !== 'HoldSettled' && event.type !== 'LateUsageCharged') return sums;
    const { usage, cost, charged } = event;
    return {
      ...sums,
      requests: sums.requests + 1n,
      input_tokens: sums.input_tokens + BigInt(usage.input),
      cached_input_tokens: sums.cached_input_tokens + BigInt(usage.cachedInput),
      cache_write_tokens: sums.cache_write_tokens + BigInt(usage.cacheWrite),
      output_tokens: sums.output_tokens + BigInt(usage.output),
      reasoning_tokens: sums.reasoning_tokens + BigInt(usage.reasoning),
      cost: sums.cost + cost,
      charged: sums.charged + charged,
    };
  },
};
