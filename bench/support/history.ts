import { randomBytes } from 'node:crypto';
import { v7 as newId } from 'uuid';
import { encode } from '../../src/eventstore/journal/codec.ts';
import type { EventStore, NewEvent } from '../../src/eventstore/event-store.ts';
import { eventId } from '../../src/eventstore/ids.ts';
import type { Delivery, PinnedPrice } from '../../src/domain/account/events.ts';
import { benchStream } from './accounts.ts';

export const price: PinnedPrice = {
  model: 'bench',
  version: 1,
  rates: { input: 1000n, cachedInput: 1000n, cacheWrite: 1000n, output: 4000n, reasoning: 4000n },
};
export const usage = { input: 100, cachedInput: 0, cacheWrite: 0, output: 16, reasoning: 0 };
export const delivery: Delivery = {
  usageSource: 'reported',
  ended: 'completed',
  finishReason: 'stop',
  upstreamId: null,
  firstByteMs: 1,
  totalMs: 2,
  anomalies: [],
};
export const request = {
  endpoint: '/chat/completions',
  upstream: 'bench',
  streamed: false,
  inputTokensBound: 400,
  outputTokensBound: 16,
};
/** The hold and the cost of a request of the benchmark, in nano-USD. */
export const HELD = 464n;
export const CHARGED = 164n;

const MARK = '@request@';
const template = (type: 'CreditsReserved' | 'HoldSettled'): NewEvent =>
  encode(
    type === 'CreditsReserved'
      ? { type, requestId: MARK, amount: HELD, keyId: 'key', runId: 'bench', price, request }
      : {
          ...{ type, requestId: MARK, keyId: 'key', price, usage, cost: CHARGED, charged: CHARGED, held: HELD },
          ...{ released: HELD - CHARGED, drawn: [{ lotId: 'lot', amount: CHARGED }], delivery },
        },
    newId(),
    { actor: 'system:bench', commandId: MARK },
  );
const templates = [template('CreditsReserved'), template('HoldSettled')];

/** One request of an account as its two events, equal to those of the command path. */
export const aRequest = (): NewEvent[] => {
  const uuid = newId({ random: randomBytes(16) });
  return templates.map(({ type, version, data, metadata }, n) => {
    const commandId = `${uuid}/${n === 0 ? 'reserve' : 'settle'}`;
    return {
      ...{ type, version, id: eventId(commandId, 0) },
      data: data.replace(MARK, `gen-${uuid}`),
      metadata: metadata.replace(MARK, commandId),
    };
  });
};

/**
 * Appends requests of many accounts in large batches, without the command path, to make a long log in a short time.
 * `revisions` is the revision of each account's stream.
 */
export const createHistory = (store: Pick<EventStore, 'append'>, revisions: number[]) => ({
  /** Appends `count` requests in one batch, of these accounts in turn. */
  append: async (count: number, next: () => number): Promise<void> => {
    const byAccount = new Map<number, NewEvent[]>();
    for (let n = 0; n < count; n++) {
      const account = next();
      const events = byAccount.get(account);
      if (events) events.push(...aRequest());
      else byAccount.set(account, aRequest());
    }
    const slices = [...byAccount].map(([account, events]) => ({
      stream: benchStream(account),
      expected: { revision: revisions[account] ?? -1 },
      events,
    }));
    const results = await store.append(slices);
    if (!results.every(({ kind }) => kind === 'appended')) throw new Error('an append of the benchmark was refused');
    for (const [account, events] of byAccount) revisions[account] = (revisions[account] ?? -1) + events.length;
  },
});
