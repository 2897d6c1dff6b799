import { vi } from 'vitest';
import { createCall, type Call, type CallOptions } from '../../../../src/proxy/engine/call.ts';
import { createLedger, type ExecuteOnAccount } from '../../../../src/proxy/engine/ledger.ts';
import type { SoldModel } from '../../../../src/proxy/metering/model-facts.ts';
import { relayStream } from '../../../../src/proxy/engine/relay.ts';
import { reserveCredits } from '../../../../src/proxy/engine/hold/hold.ts';
import { readBatches } from '../../../../src/proxy/providers/openai/stream-reader.ts';
import { KEY_ID, type TestAccount } from '../account.ts';
import { countWords, price, request, sinkOf, streamOf, type Piece } from '../../examples.ts';

export const IDLE_MS = 1000;
const uuid = '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d';
export const ASKED_AT = new Date('2026-01-31T12:00:00.999Z');
export const CREDITS = 1_000_000_000n;

export type RelayOptions = {
  readonly fields?: object;
  readonly model?: Partial<SoldModel>;
  readonly execute?: ExecuteOnAccount;
  readonly call?: Partial<CallOptions>;
  /** How long the reader takes for each piece. */
  readonly readerMs?: number;
  /** Called with all that was written so far. */
  readonly wrote?: (text: string, call: Call) => void;
};

const begin = async (
  account: TestAccount,
  customer: AbortController,
  { fields = {}, model = {}, execute = account.execute, call = {} }: RelayOptions,
): Promise<Call> => {
  const asked = request({ stream: true, ...fields });
  const ledger = createLedger({
    execute,
    asked: { uuid, accountId: 'acc_1', keyId: KEY_ID },
    runId: () => 'run',
    now: () => new Date(),
    stopping: () => false,
  });
  const sold = { ...price, ...model };
  const reservation = await reserveCredits({
    job: asked,
    price: sold,
    tokens: countWords,
    reserve: ledger.reserve,
  });
  if (!reservation.reserved) throw new Error('it is reserved');
  return createCall({
    ...{ askedAt: ASKED_AT, gone: customer.signal, job: asked, price: sold, reservation, ledger },
    ...{ promptTokens: countWords, tokens: countWords, idleTimeoutMs: IDLE_MS },
    ...call,
  });
};

/** Relays a stream to its end, with all the time in the world. The test must use fake timers. */
export const relayed = async (
  pieces: Iterable<Piece>,
  account: TestAccount,
  customer: AbortController,
  options: RelayOptions = {},
) => {
  const { readerMs, wrote } = options;
  const call = await begin(account, customer, options);
  let written = '';
  const write = (passing: Uint8Array | string): Promise<void> | undefined => {
    written += typeof passing === 'string' ? passing : Buffer.from(passing).toString();
    wrote?.(written, call);
    return readerMs === undefined ? undefined : new Promise((resolve) => setTimeout(resolve, readerMs));
  };
  const batches = readBatches(streamOf(pieces, call.signal).body);
  const startedAt = Date.now();
  let endedAt = startedAt;
  const done = relayStream(call, batches, sinkOf(write)).finally(() => {
    endedAt = Date.now();
    call.close();
  });
  done.catch(() => undefined);
  await vi.runAllTimersAsync();
  await done;
  return { written, call, tookMs: endedAt - startedAt, end: account.events.at(-1) };
};

export const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** Promises of times that begin when they are reached. */
export function* timed(...pieces: readonly (string | Error | number | Promise<void>)[]): Generator<Piece> {
  for (const piece of pieces) yield typeof piece === 'number' ? after(piece) : piece;
}
