import { invariant } from '../domain/decider.ts';
import { LogWentBack } from './chained-log.ts';
import {
  EMPTY_STREAM,
  StoreFull,
  StoreUnavailable,
  type EventStore,
  type NewEvent,
  type Position,
  type Slice,
  type SliceResult,
} from './event-store.ts';

/** More would delay the appends that came first; the rest forms the next batch. */
const MAX_BATCH_EVENTS = 2000;
/** EventStoreDB refuses an append of more than a megabyte. A slice of one append may be longer than this. */
const MAX_SLICE_CHARACTERS = 400_000;

/** `position` is that of the last event; undefined without events, and if the store assigns it after the append. */
export type Committed = { readonly position: Position | undefined };

/**
 * Fault: another writer appended first. `ambiguous` if an earlier try of the same append may have succeeded, or if the log
 * already has an event of the command (`duplicate`).
 */
export class RevisionClash extends Error {
  override readonly name = 'RevisionClash';
  readonly code = 'revision_clash';
  readonly ambiguous: boolean;
  readonly duplicate: boolean;

  constructor(stream: string, { retried = false, duplicate = false } = {}) {
    super(`another writer appended to ${stream}`);
    this.ambiguous = retried || duplicate;
    this.duplicate = duplicate;
  }
}

/**
 * Where a stream ends or will end. The token is undefined while an append that leads there is under way. The committer sets
 * it when that append is durable, before it sends the next one on the stream.
 */
export type StreamEnd = { readonly revision: number; token: string | undefined };

export type Append = {
  readonly stream: string;
  /** The expected end of the stream: as it was read, or the `end` of the append that this one was decided on. */
  readonly expected: StreamEnd;
  /** The end of the stream once this append is durable: the expected revision plus the number of events. */
  readonly end: StreamEnd;
  readonly events: readonly NewEvent[];
  /**
   * Called synchronously when the append fails: what was decided on top of it is void. All appends that are queued for the
   * stream fail with it, because they could otherwise fit by accident.
   */
  readonly failed: () => void;
};

export type Committer = {
  /** Resolves when the events are durable. Rejects with RevisionClash or StoreUnavailable. */
  commit(append: Append): Promise<Committed>;
  readonly standing: AppendStanding;
  /** Waits for the appends that were handed over, then accepts no more. */
  close(): Promise<void>;
};

/** The health of recent appends. */
export type AppendStanding = {
  /** Of the last append, if it failed. */
  readonly fault: Error | undefined;
  /** How long the batch under way has waited for an answer; 0 without one. */
  readonly waitingMs: number;
  /** How long ago an append succeeded. */
  readonly succeededMs: number;
};

export type CommitterOptions = {
  readonly store: Pick<EventStore, 'append'>;
  readonly maxRetries?: number;
  readonly retryMs?: number;
  /** Called with the fault when appends start to fail, or fail for another reason; with undefined when they succeed again. */
  readonly changed?: (fault: Error | undefined) => void;
};

/** Resolves the promises of appends that are durable. */
type Notify = () => void;
const notifyNobody: Notify = () => undefined;

type Pending = Append & {
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: Error) => void;
};
type Batch = ReadonlyMap<string, readonly Pending[]>;

/**
 * Group commit: appends that arrive while a batch is under way form the next one. Appends to one stream, each decided on
 * the one before, are merged into one slice, so that they succeed or fail together.
 */
export const createCommitter = ({
  store,
  maxRetries = 40,
  retryMs = 250,
  changed = () => undefined,
}: CommitterOptions): Committer => {
  const standing = createStanding(changed);
  const append = createAppend(store, { maxRetries, retryMs }, standing.report);
  let queue: Pending[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  const run = async (): Promise<void> => {
    // All that this turn of the event loop decides joins the first batch.
    await nextTurn();
    let notify = notifyNobody;
    while (queue.length > 0) {
      const { batch, rest } = takeBatch(queue);
      queue = rest;
      notify = await commitBatch(batch, notify);
    }
    standing.idle();
    running = undefined; // Synchronously after the last look at the queue, or an append could stay in it.
    notify();
  };

  /**
   * Notifies the callers of the batch before once this one is under way: their next work would otherwise delay it, and the
   * store would be idle. Failed appends were reported before that, because no decision may rest on them.
   */
  const commitBatch = async (batch: Batch, notifyEarlier: Notify): Promise<Notify> => {
    const slices = [...batch].map(([stream, parts]) => sliceOf(stream, parts));
    standing.waiting();
    const appended = await append(slices, notifyEarlier);
    if (appended.kind === 'failed') {
      for (const [stream, parts] of batch) fail(stream, parts, appended.fault);
      return notifyNobody;
    }
    const { results, retried } = appended;
    const notifies = slices.map(({ stream }, n): Notify => {
      const parts = batch.get(stream) ?? [];
      const result = results[n];
      if (result?.kind === 'appended') return settleAppended(parts, result);
      fail(stream, parts, new RevisionClash(stream, { retried, duplicate: result?.kind === 'duplicate' }));
      return notifyNobody;
    });
    return () => notifies.forEach((notify) => notify());
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
      return standing.now();
    },
    close: async () => {
      while (running) await running;
      closed = true;
    },
  };
};

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Appended =
  | { readonly kind: 'answered'; readonly results: readonly SliceResult[]; readonly retried: boolean }
  | { readonly kind: 'failed'; readonly fault: Error };

/** Appends a batch, and repeats it while its outcome is unknown. `started` is called once the first try is under way. */
const createAppend =
  (
    store: Pick<EventStore, 'append'>,
    { maxRetries, retryMs }: Required<Pick<CommitterOptions, 'maxRetries' | 'retryMs'>>,
    report: (fault: Error | undefined) => void,
  ) =>
  async (slices: readonly Slice[], started: () => void): Promise<Appended> => {
    for (let tries = 0; ; tries++) {
      const appending = store.append(slices);
      appending.catch(() => undefined); // Awaited below.
      if (tries === 0) {
        await nextTurn();
        started();
      }
      try {
        const results = await appending;
        // A batch without events does not show that the store has room.
        if (slices.some(({ events }) => events.length > 0)) report(undefined);
        return { kind: 'answered', results, retried: tries > 0 };
      } catch (error) {
        report(faultOf(error, false));
        if (!mayHaveSucceeded(error) || tries >= maxRetries)
          return { kind: 'failed', fault: faultOf(error, tries > 0) };
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  };

const createStanding = (changed: (fault: Error | undefined) => void) => {
  let fault: Error | undefined;
  let succeededAt = -Infinity;
  let waitingSince: number | undefined;
  return {
    waiting: (): void => void (waitingSince = performance.now()),
    idle: (): void => void (waitingSince = undefined),
    report: (latest: Error | undefined): void => {
      if (latest?.name !== fault?.name) changed(latest);
      fault = latest;
      if (!latest) succeededAt = performance.now();
    },
    now: (): AppendStanding => {
      const now = performance.now();
      const waitingMs = waitingSince === undefined ? 0 : now - waitingSince;
      return { fault, waitingMs, succeededMs: now - succeededAt };
    },
  };
};

/** The appends at the head of the queue that can be sent together, by stream. */
const takeBatch = (queue: readonly Pending[]): { readonly batch: Batch; readonly rest: Pending[] } => {
  const batch = new Map<string, Pending[]>();
  const sizes = new Map<string, number>();
  let events = 0;
  let taken = 0;
  for (const pending of queue) {
    if (taken > 0 && events + pending.events.length > MAX_BATCH_EVENTS) break;
    const slice = batch.get(pending.stream);
    const size = (sizes.get(pending.stream) ?? 0) + charactersIn(pending);
    if (slice && (!continues(slice, pending) || size > MAX_SLICE_CHARACTERS)) break;
    sizes.set(pending.stream, size);
    if (slice) slice.push(pending);
    else batch.set(pending.stream, [pending]);
    events += pending.events.length;
    taken++;
  }
  return { batch, rest: queue.slice(taken) };
};

const charactersIn = ({ events }: Append): number =>
  events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);

/** Sets the tokens at which later appends expect the stream. The callers are notified later. */
const settleAppended = (parts: readonly Pending[], { written }: Extract<SliceResult, { kind: 'appended' }>): Notify => {
  let token = parts[0]?.expected.token;
  let count = 0;
  const notifies = parts.map(({ events, end, resolve }): Notify => {
    count += events.length;
    const last = events.length > 0 ? written[count - 1] : undefined;
    token = last?.token ?? token;
    end.token = token;
    return () => resolve({ position: last?.position });
  });
  return () => notifies.forEach((notify) => notify());
};

const sliceOf = (stream: string, parts: readonly Pending[]): Slice => {
  const { revision, token } = parts[0]?.expected ?? EMPTY_STREAM;
  // An append that is queued behind another is sent after that one has its answer, or fails with it.
  invariant(token !== undefined, 'an append is sent only once the token that it follows is set');
  return { stream, expected: { revision, token }, events: parts.flatMap(({ events }) => events) };
};

/** A store that refuses a batch for a reason of its own has written nothing, so a retry is useless. */
const mayHaveSucceeded = (error: unknown): boolean =>
  error instanceof StoreUnavailable && !(error instanceof StoreFull) && !(error instanceof LogWentBack);

/** StoreFull and LogWentBack promise that nothing was written, so they must not be reported if an earlier try may have succeeded. */
const faultOf = (error: unknown, ambiguous: boolean): Error => {
  if ((error instanceof StoreFull || error instanceof LogWentBack) && ambiguous)
    return new StoreUnavailable(error.message, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
};

/** An append that was decided on another state, as by a second writer in this process, is sent in a batch of its own. */
const continues = (slice: readonly Pending[], next: Pending): boolean => {
  const last = slice.at(-1);
  return last !== undefined && next.expected === last.end;
};
