import { accountOfStream } from '../../domain/account/account.ts';
import type { Delivery } from '../../domain/account/events.ts';
import type { Credits, Usage } from '../../domain/money.ts';
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
  /** `late` is a hold that was released and whose usage became known and charged afterwards. */
  readonly status: 'open' | 'settled' | 'released' | 'late';
  readonly held: bigint;
  readonly cost: bigint;
  readonly charged: bigint;
  readonly written_off: bigint;
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

/** One row per generation: what was asked for, what it cost and how it ended. Never a word of what was said. */
export const requests: Projection<RequestRow> = {
  name: 'requests',
  version: 2,
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
  indexes: [{ column: 'upstream_id' }, { column: 'run_id', where: `status = 'open'` }],
  types: new Set([
    'CreditsReserved',
    'HoldExtended',
    'HoldSettled',
    'HoldReleased',
    'LateUsageCharged',
    'UsageWrittenOff',
  ]),
  makes: new Set(['CreditsReserved']),
  keysOf: ({ event }) => {
    switch (event.type) {
      case 'CreditsReserved':
      case 'HoldExtended':
      case 'HoldSettled':
      case 'HoldReleased':
      case 'LateUsageCharged':
      case 'UsageWrittenOff':
        return [[event.requestId]];
      default:
        return [];
    }
  },
  evolve: (before, { event, stream, revision, time }) => {
    if (event.type === 'CreditsReserved') {
      const { requestId, keyId, runId, amount, price, request } = event;
      return {
        ...untold(requestId, stream, revision, time),
        key_id: keyId,
        run_id: runId,
        model: price.model,
        price_version: price.version,
        endpoint: request.endpoint,
        upstream: request.upstream,
        streamed: request.streamed,
        held: amount,
      };
    }
    const ended = { ended_at: time, ended_revision: revision };
    if (event.type === 'LateUsageCharged') {
      const { requestId, keyId, price } = event;
      const ofPrice = { model: price.model, price_version: price.version };
      const row = before ?? { ...untold(requestId, stream, revision, time), key_id: keyId, ...ofPrice };
      return { ...row, ...ended, ...receipt(event), status: 'late' };
    }
    if (event.type === 'UsageWrittenOff') {
      const row = before ?? { ...untold(event.requestId, stream, revision, time), ...ended, status: 'late' };
      return { ...row, written_off: row.written_off + event.amount };
    }
    if (!before) throw new Error(`${event.type} at ${stream}@${revision} is of a request that never reserved credits`);
    switch (event.type) {
      case 'HoldExtended':
        return { ...before, held: before.held + event.by };
      case 'HoldReleased':
        return { ...before, ...ended, status: 'released', detail: `${event.reason}: ${event.detail}` };
      case 'HoldSettled':
        return { ...before, ...ended, ...receipt(event), status: 'settled' };
      default:
        return before;
    }
  },
};

/**
 * A request of which nothing more is known. If the log went back in time, the beginning of a generation under way can be
 * lost: what is charged or written off at its end then has no hold.
 */
const untold = (requestId: string, stream: string, revision: number, time: Date): RequestRow => ({
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

/** The index takes 2,704 bytes; a longer one, which a provider may send, would stop the rows of all. No code unit is more than three. */
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
