import { invariant } from '../domain/decider.ts';
import {
  EMPTY_STREAM,
  LogWentBack,
  StoreFull,
  StoreUnavailable,
  type EventStore,
  type NewEvent,
  type Slice,
  type SliceResult,
} from './event-store.ts';

/** More would delay those that arrived first; the rest forms the next batch. */
const MAX_BATCH_EVENTS = 2000;

export type Committed = { readonly firstPosition: number; readonly time: Date };

/** Fault: another writer was there first. `ambiguous` where an earlier try of the same append may have succeeded. */
export class RevisionClash extends Error {
  override readonly name = 'RevisionClash';
  readonly code = 'revision_clash';
  readonly ambiguous: boolean;

  constructor(stream: string, ambiguous: boolean) {
    super(`another writer appended to ${stream}`);
    this.ambiguous = ambiguous;
  }
}

/**
 * Where a stream ends or will end. If an append that leads there is still on its way, the token is not known yet: the
 * committer fills it in once that append is durable, before it sends the next one on the stream.
 */
export type StreamEnd = { readonly revision: number; token: string | undefined };

export type Append = {
  readonly stream: string;
  /** Where the stream is expected to end: as it was read, or the `end` of the append that this one was decided on. */
  readonly expected: StreamEnd;
  /** Where it ends once this is durable: the expected revision and as many more as there are events. */
  readonly end: StreamEnd;
  readonly events: readonly NewEvent[];
  /**
   * Called in the moment when the append failed, before anybody else runs: whatever was decided on top of it is void.
   * Everything queued for the stream fails with it, for it could otherwise fit by accident.
   */
  readonly failed: () => void;
};

export type Committer = {
  /** Resolves when the events are durable. Rejects with RevisionClash or StoreUnavailable. */
  commit(append: Append): Promise<Committed>;
  /** How appends went lately. */
  readonly standing: AppendStanding;
  /** Waits for what was handed over, then takes no more. */
  close(): Promise<void>;
};

export type AppendStanding = {
  /** Of the last append, if it failed. */
  readonly fault: Error | undefined;
  /** How long the batch under way has waited for an answer; 0 if there is none. */
  readonly waitingMs: number;
  /** How long ago an append succeeded. */
  readonly succeededMs: number;
};

export type CommitterOptions = {
  readonly store: Pick<EventStore, 'append'>;
  readonly maxRetries?: number;
  readonly retryMs?: number;
  /** Told the fault when appends begin to fail, or fail of something else; undefined when they succeed again. */
  readonly changed?: (fault: Error | undefined) => void;
};

/** Tells callers that their events are durable. */
type Tell = () => void;

type Pending = Append & {
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: Error) => void;
};

/**
 * Group commit: what arrives while a batch is on its way forms the next one. Appends to one stream, each decided on the
 * one before, are merged into one slice, so they stand or fall together.
 */
export const createCommitter = ({
  store,
  maxRetries = 40,
  retryMs = 250,
  changed = () => undefined,
}: CommitterOptions): Committer => {
  let ailment: Error | undefined;
  let succeededAt = -Infinity;
  let waitingSince: number | undefined;
  let queue: Pending[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  const run = async (): Promise<void> => {
    // Let everything that this turn of the event loop decides join the first batch.
    await nextTurn();
    let tell: Tell = () => undefined;
    while (queue.length > 0) tell = await commitBatch(takeBatch(), tell);
    waitingSince = undefined;
    running = undefined; // In the same breath as the last look at the queue, or an append could be left lying there.
    tell();
  };

  const takeBatch = (): Map<string, Pending[]> => {
    const batch = new Map<string, Pending[]>();
    let events = 0;
    let taken = 0;
    for (const pending of queue) {
      if (taken > 0 && events + pending.events.length > MAX_BATCH_EVENTS) break;
      const slice = batch.get(pending.stream);
      if (slice && !continues(slice, pending)) break;
      if (slice) slice.push(pending);
      else batch.set(pending.stream, [pending]);
      events += pending.events.length;
      taken++;
    }
    queue = queue.slice(taken);
    return batch;
  };

  /**
   * Tells the callers of the batch before, once this one is on its way: what they do next would otherwise keep it here, and
   * the store would have nothing to do meanwhile. Whoever failed has been told by then, for nothing may rest on that.
   */
  const commitBatch = async (batch: ReadonlyMap<string, readonly Pending[]>, tellOthers: Tell): Promise<Tell> => {
    const slices = [...batch].map(([stream, parts]) => sliceOf(stream, parts));
    waitingSince = performance.now();
    for (let tries = 0; ; tries++) {
      const appending = store.append(slices);
      appending.catch(() => undefined); // It is looked at below.
      if (tries === 0) {
        await nextTurn();
        tellOthers();
      }
      try {
        const results = await appending;
        // Who only asks where a stream is needs no room.
        if (slices.some(({ events }) => events.length > 0)) feel(undefined);
        const told = slices.map(({ stream }, n) => answer(stream, batch.get(stream) ?? [], results[n], tries > 0));
        return () => told.forEach((tell) => tell());
      } catch (error) {
        feel(error);
        if (mayHaveSucceeded(error) && tries < maxRetries) {
          await new Promise((resolve) => setTimeout(resolve, retryMs));
          continue;
        }
        const fault = faultOf(error, tries > 0);
        for (const [stream, parts] of batch) fail(stream, parts, fault);
        return () => undefined;
      }
    }
  };

  const feel = (error: unknown): void => {
    const fault = error === undefined ? undefined : faultOf(error, false);
    if (fault?.name !== ailment?.name) changed(fault);
    ailment = fault;
    if (!fault) succeededAt = performance.now();
  };

  const answer = (
    stream: string,
    parts: readonly Pending[],
    result: SliceResult | undefined,
    ambiguous: boolean,
  ): Tell => {
    if (!result?.appended) {
      fail(stream, parts, new RevisionClash(stream, ambiguous || result?.duplicate === true));
      return () => undefined;
    }
    let token = parts[0]?.expected.token;
    let known = 0;
    for (const { events, end } of parts) {
      known += events.length;
      token = events.length > 0 ? result.tokens[known - 1] : token;
      end.token = token;
    }
    return () => {
      let firstPosition = result.firstPosition;
      for (const { events, resolve } of parts) {
        resolve({ firstPosition, time: result.time });
        firstPosition += events.length;
      }
    };
  };

  const fail = (stream: string, parts: readonly Pending[], fault: Error): void => {
    const queued = queue.filter((pending) => pending.stream === stream);
    queue = queue.filter((pending) => pending.stream !== stream);
    for (const { failed, reject } of [...parts, ...queued]) {
      failed();
      reject(fault);
    }
  };

  return {
    commit: (append) =>
      new Promise((resolve, reject) => {
        if (closed) {
          append.failed();
          return reject(new StoreUnavailable('this process is stopping'));
        }
        queue.push({ ...append, resolve, reject });
        running ??= run();
      }),
    get standing() {
      const now = performance.now();
      const waitingMs = waitingSince === undefined ? 0 : now - waitingSince;
      return { fault: ailment, waitingMs, succeededMs: now - succeededAt };
    },
    close: async () => {
      while (running) await running;
      closed = true;
    },
  };
};

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const sliceOf = (stream: string, parts: readonly Pending[]): Slice => {
  const { revision, token } = parts[0]?.expected ?? EMPTY_STREAM;
  // An append that is queued behind another is sent after the answer to that one, or fails with it.
  invariant(token !== undefined, 'an append is sent only once it is known what it follows');
  return { stream, expected: { revision, token }, events: parts.flatMap(({ events }) => events) };
};

/** A store that takes nothing and gives the reason has written nothing, so that asking again would only take time. */
const mayHaveSucceeded = (error: unknown): boolean =>
  error instanceof StoreUnavailable && !(error instanceof StoreFull) && !(error instanceof LogWentBack);

/** That nothing was written can only be said where no earlier try may have succeeded. */
const faultOf = (error: unknown, ambiguous: boolean): Error => {
  if ((error instanceof StoreFull || error instanceof LogWentBack) && ambiguous)
    return new StoreUnavailable(error.message, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
};

/** One that was decided on another state, as two writers in one process would, is left for the store to judge alone. */
const continues = (slice: readonly Pending[], next: Pending): boolean => {
  const last = slice.at(-1);
  return last !== undefined && next.expected === last.end;
};
