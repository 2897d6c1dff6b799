import { accountOfStream } from '../../domain/account/account.ts';
import type { AccountEvent, Delivery } from '../../domain/account/events.ts';
import type { Credits, Usage } from '../../domain/money.ts';
import type { Fact } from '../../eventstore/journal/codec.ts';
import type { Projection } from '../projection.ts';

export type RequestRow = {
  readonly request_id: string;
  readonly account_id: string;
  readonly key_id: string;
  readonly run_id: string;
  readonly model: string;
  readonly price_version: number;
  readonly endpoint: string;
  readonly upstream: string;
  readonly streamed: boolean;
  /** `late`: the hold was released, and its usage was reported and charged afterwards. */
  readonly status: 'open' | 'settled' | 'released' | 'late';
  readonly held: bigint;
  readonly cost: bigint;
  readonly charged: bigint;
  readonly written_off: bigint;
  /** What was given back of the charge, in any form. */
  readonly reversed: bigint;
  readonly input_tokens: bigint;
  readonly cached_input_tokens: bigint;
  readonly cache_write_tokens: bigint;
  readonly output_tokens: bigint;
  readonly reasoning_tokens: bigint;
  readonly usage_source: string | null;
  readonly ended: string | null;
  readonly finish_reason: string | null;
  readonly upstream_id: string | null;
  readonly first_byte_ms: number | null;
  readonly total_ms: number | null;
  readonly detail: string | null;
  readonly reserved_at: Date;
  readonly reserved_revision: number;
  readonly ended_at: Date | null;
  readonly ended_revision: number | null;
};

/** One row per generation: model, price, usage, cost and how it ended. No content. */
export const requests: Projection<RequestRow> = {
  name: 'requests',
  // Version 3 has the index of an account's requests, version 4 the reversals.
  version: 4,
  columns: {
    request_id: 'text',
    account_id: 'text',
    key_id: 'text',
    run_id: 'text',
    model: 'text',
    price_version: 'int',
    endpoint: 'text',
    upstream: 'text',
    streamed: 'boolean',
    status: 'text',
    held: 'bigint',
    cost: 'bigint',
    charged: 'bigint',
    written_off: 'bigint',
    reversed: 'bigint',
    input_tokens: 'bigint',
    cached_input_tokens: 'bigint',
    cache_write_tokens: 'bigint',
    output_tokens: 'bigint',
    reasoning_tokens: 'bigint',
    usage_source: 'text',
    ended: 'text',
    finish_reason: 'text',
    upstream_id: 'text',
    first_byte_ms: 'int',
    total_ms: 'int',
    detail: 'text',
    reserved_at: 'timestamptz',
    reserved_revision: 'int',
    ended_at: 'timestamptz',
    ended_revision: 'int',
  },
  keyLength: 1,
  indexes: [
    { columns: ['upstream_id'] },
    { columns: ['run_id'], where: `status = 'open'` },
    { columns: ['account_id', 'request_id'] },
  ],
  types: new Set([
    'CreditsReserved',
    'HoldExtended',
    'HoldSettled',
    'HoldReleased',
    'LateUsageCharged',
    'UsageWrittenOff',
    'ChargeReversed',
  ]),
  makes: new Set(['CreditsReserved']),
  keysOf: ({ event }) => ('requestId' in event ? [[event.requestId]] : []),
  evolve: (before, { event, ...place }) =>
    'requestId' in event ? evolveRequest(before, event, place) : (before ?? emptyRow('', place)),
};

type RequestEvent = Extract<AccountEvent, { requestId: string }>;
type Place = Pick<Fact, 'stream' | 'revision' | 'time'>;

const evolveRequest = (before: RequestRow | undefined, event: RequestEvent, place: Place): RequestRow => {
  const { revision, time } = place;
  const ended = { ended_at: time, ended_revision: revision };
  switch (event.type) {
    case 'CreditsReserved': {
      const { requestId, keyId, runId, amount, price, request } = event;
      const { endpoint, upstream, streamed } = request;
      return {
        ...emptyRow(requestId, place),
        ...{ key_id: keyId, run_id: runId, held: amount, model: price.model, price_version: price.version },
        ...{ endpoint, upstream, streamed },
      };
    }
    case 'HoldExtended': {
      const row = knownRow(before, event, place);
      return { ...row, held: row.held + event.by };
    }
    case 'HoldReleased': {
      const detail = `${event.reason}: ${event.detail}`;
      return { ...knownRow(before, event, place), ...ended, status: 'released', detail };
    }
    case 'HoldSettled':
      return { ...knownRow(before, event, place), ...ended, ...receipt(event), status: 'settled' };
    case 'LateUsageCharged': {
      const { requestId, keyId, price } = event;
      const ofPrice = { model: price.model, price_version: price.version };
      const row = before ?? { ...emptyRow(requestId, place), key_id: keyId, ...ofPrice };
      return { ...row, ...ended, ...receipt(event), status: 'late' };
    }
    case 'UsageWrittenOff': {
      const row: RequestRow = before ?? { ...emptyRow(event.requestId, place), ...ended, status: 'late' };
      return { ...row, written_off: row.written_off + event.amount };
    }
    case 'ChargeReversed': {
      const row: RequestRow = before ?? { ...emptyRow(event.requestId, place), ...ended, status: 'late' };
      return { ...row, reversed: row.reversed + event.amount };
    }
  }
};

const knownRow = (row: RequestRow | undefined, { type }: RequestEvent, { stream, revision }: Place): RequestRow => {
  if (!row) throw new Error(`${type} at ${stream}@${revision} is of a request that never reserved credits`);
  return row;
};

/**
 * The row of a request without a hold. If the log went back in time, the hold of a generation in progress can be lost.
 * Its end is then charged or written off without it.
 */
const emptyRow = (requestId: string, { stream, revision, time }: Place): RequestRow => ({
  request_id: requestId,
  account_id: accountOfStream(stream) ?? '',
  key_id: '',
  run_id: '',
  model: '',
  price_version: 0,
  endpoint: '',
  upstream: '',
  streamed: false,
  status: 'open',
  held: 0n,
  cost: 0n,
  charged: 0n,
  written_off: 0n,
  reversed: 0n,
  input_tokens: 0n,
  cached_input_tokens: 0n,
  cache_write_tokens: 0n,
  output_tokens: 0n,
  reasoning_tokens: 0n,
  usage_source: null,
  ended: null,
  finish_reason: null,
  upstream_id: null,
  first_byte_ms: null,
  total_ms: null,
  detail: null,
  reserved_at: time,
  reserved_revision: revision,
  ended_at: null,
  ended_revision: null,
});

type Receipt = {
  readonly usage: Usage;
  readonly cost: Credits;
  readonly charged: Credits;
  readonly delivery: Delivery;
};

/**
 * The index accepts 2,704 bytes; a longer id from a provider would stop all rows. A code unit has at most three bytes.
 */
const MAX_UPSTREAM_ID = 500;

const receipt = ({ usage, cost, charged, delivery }: Receipt) => ({
  cost,
  charged,
  input_tokens: BigInt(usage.input),
  cached_input_tokens: BigInt(usage.cachedInput),
  cache_write_tokens: BigInt(usage.cacheWrite),
  output_tokens: BigInt(usage.output),
  reasoning_tokens: BigInt(usage.reasoning),
  usage_source: delivery.usageSource,
  ended: delivery.ended,
  finish_reason: delivery.finishReason,
  upstream_id: delivery.upstreamId?.slice(0, MAX_UPSTREAM_ID) ?? null,
  first_byte_ms: delivery.firstByteMs,
  total_ms: delivery.totalMs,
});
