import { StoreUnavailable } from '../../event-store.ts';
import { openLockSession, type LockSession } from '../../postgres/session-locks.ts';
import { copyEvents } from './copy-events.ts';
import { replacesConnection } from '../connection/client-faults.ts';
import type { CopyHeads } from './copy-head.ts';
import { ForeignEvent } from '../connection/envelope.ts';
import type { Gate } from '../gate.ts';
import { subscribeToLog } from './subscription.ts';

export type SequencerOptions = {
  readonly databaseUrl: string;
  readonly heads: CopyHeads;
  readonly gate: Gate;
  /** How long ago the oldest append of this process was acknowledged that is not in the copy. */
  readonly lagMs: () => number;
  /** Everything up to this place in EventStoreDB is in the copy. */
  readonly copied: (storePosition: number) => void;
  /** The streams there are not what the copy has. It is not continued. */
  readonly alarmed: (what: string) => void;
  readonly metadataSet: (stream: string, metadata: unknown) => void;
  readonly failed: (error: unknown) => void;
};

const LOCK = 'sequencer';
const COPY_AT_ONCE = 1000;
const TRY_TO_LEAD_EVERY_MS = 500;
const RETRY_MS = 250;
/** The process that copies may be stopped: another one copies as well then, which is safe. */
const IMPATIENT_MS = 1000;
const AFTER_ALARM_MS = 10_000;

/** Fault: the log in EventStoreDB is not the one that was copied. */
class OtherHistory extends Error {
  override readonly name = 'OtherHistory';
  readonly code = 'other_history';
}

/**
 * Copies the log from EventStoreDB to PostgreSQL, where its events get their positions and hashes. Every process does so if
 * it gets the lock; the lock only avoids double work, because an append to the copy states where the head must be.
 */
export const startSequencer = (options: SequencerOptions): { close(): Promise<void> } => {
  const { databaseUrl, heads, gate, copied, failed } = options;
  const closing = new AbortController();
  const { signal } = closing;
  let session: LockSession | undefined;
  /** The session, while it has the lock. */
  let lock: LockSession | undefined;

  const leads = async (): Promise<boolean> => {
    if (session?.lost.aborted) session = lock = undefined;
    if (lock) return true;
    session ??= await openLockSession(databaseUrl, { name: 'kissapi-sequencer' });
    if (await session.tryLock(LOCK)) lock = session;
    return lock !== undefined;
  };

  /** Copies until the connection, the lock or the head is lost. */
  const copy = async (): Promise<void> => {
    const entry = await gate.enter();
    const head = await heads.read();
    const { epoch } = head;
    let { storePosition, position } = head;
    const subscription = subscribeToLog(entry, { after: storePosition, metadataSet: options.metadataSet });
    const stop = (): void => subscription.close();
    signal.addEventListener('abort', stop);
    const held = lock?.lost;
    held?.addEventListener('abort', stop);
    // They may have aborted while the head was read.
    if (signal.aborted || held?.aborted) stop();
    try {
      for (;;) {
        const events = await subscription.next(COPY_AT_ONCE);
        if (!events) break;
        const outcome = await copyEvents(heads.pool, { epoch, storePosition }, events);
        if (outcome.kind === 'moved') return;
        if (outcome.kind !== 'copied')
          throw new OtherHistory(`${outcome.kind} at ${outcome.what}, after position ${position}`);
        position += events.length;
        storePosition = events.at(-1)?.commit ?? storePosition;
        copied(storePosition);
      }
      if (subscription.fault instanceof ForeignEvent) throw subscription.fault;
      // The client has replaced its connection. Nothing has compared the server behind the new one.
      if (replacesConnection(subscription.fault)) gate.end(entry.session);
    } finally {
      signal.removeEventListener('abort', stop);
      held?.removeEventListener('abort', stop);
      subscription.close();
    }
  };

  const round = async (): Promise<number> => {
    try {
      if (!(await leads()) && options.lagMs() < IMPATIENT_MS) return TRY_TO_LEAD_EVERY_MS;
      await copy();
      return 0;
    } catch (error) {
      if (error instanceof OtherHistory || error instanceof ForeignEvent) {
        options.alarmed(error.message);
        return AFTER_ALARM_MS;
      }
      if (!(error instanceof StoreUnavailable)) failed(error);
      return RETRY_MS;
    }
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const restMs = await round();
      if (restMs > 0 && !signal.aborted) await pause(restMs, signal);
    }
  };
  const running = run();

  return {
    close: async () => {
      closing.abort();
      await running;
      await session?.close();
    },
  };
};

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
