import { randomUUID } from 'node:crypto';
import { LogWentBack, type ChainedLog } from '../chained-log.ts';
import { followPages } from '../follow-pages.ts';
import { createHistorySeen } from '../history-seen.ts';
import { createLogReads } from '../postgres/log-reads.ts';
import type { PostgresStoreOptions } from '../postgres/postgres.ts';
import { createLogListener } from '../postgres/postgres-listener.ts';
import { createAbsentIds } from './absent-ids.ts';
import { createAppends } from './appends.ts';
import { createCopyHeads } from './copy/copy-head.ts';
import { createCopyLag } from './copy/copy-lag.ts';
import { checkCopy, completeCopy, createCopyReads, createStreamReads } from './copy/copy-reads.ts';
import { createGate } from './gate.ts';
import { restoreServer } from './restore-server.ts';
import { startSequencer } from './copy/sequencer.ts';
import { acquireSessions } from './connection/sessions.ts';
import { createStanding, type StoreStanding } from './standing.ts';
import { createTurns } from './turns.ts';

/** What an operator must know about the two stores. */
export type StoreEvent =
  /** The streams in EventStoreDB are not what was copied: the copy is not continued. */
  | { readonly kind: 'other_history'; readonly what: string }
  /** EventStoreDB went back in time, and has from the copy again what it lacked. */
  | { readonly kind: 'restored'; readonly from: number; readonly to: number }
  /** An administrator set the metadata of a stream, which can make the server delete events. */
  | { readonly kind: 'metadata_set'; readonly stream: string; readonly metadata: unknown };

export type EventStoreDbOptions = PostgresStoreOptions & {
  readonly eventStoreUrl: string;
  readonly noticed?: (event: StoreEvent) => void;
  readonly failed?: (error: unknown) => void;
  /** Called when a connection to PostgreSQL breaks: it may have stopped, and be put back to an earlier state. */
  readonly interrupted?: () => void;
};

export type EventStoreDbLog = ChainedLog & {
  /** How far the copy in PostgreSQL is behind what this process appended. */
  readonly copyLag: { readonly events: number; readonly ms: number };
  readonly standing: StoreStanding;
  /**
   * Resolves to the head of the copy once it has everything that EventStoreDB had at the call, however long that takes.
   * Rejects with StoreUnavailable if it makes no progress.
   */
  complete(progress: (position: number) => void): Promise<number>;
};

const ignore = (): void => undefined;
const READ_CLOCK_EVERY_MS = 1000;

/**
 * The log in EventStoreDB, with a copy in PostgreSQL. EventStoreDB commits appends; the copy gives positions and hashes, and
 * answers all reads but those of decisions. The log must have been begun there: see begin.ts.
 */
export const createEventStoreDbLog = (databaseUrl: string, options: EventStoreDbOptions): EventStoreDbLog => {
  const { noticed = ignore, failed = ignore } = options;
  const history = createHistorySeen(options.newest);
  const reads = createLogReads(databaseUrl, history, { streamTokens: true });
  const listener = createLogListener(databaseUrl, options.interrupted);
  const heads = createCopyHeads(databaseUrl);
  const sessions = acquireSessions(options.eventStoreUrl);
  const gate = createGate({
    ...{ sessions, heads, wentBack: options.wentBack ?? ignore },
    restore: (entry) =>
      restoreServer(
        { databaseUrl, heads, copy: reads, restored: (from, to) => noticed({ kind: 'restored', from, to }) },
        entry,
      ),
  });
  const lag = createCopyLag(heads, listener.subscribe);
  const clock = readMovedMs(heads.read);
  const absent = createAbsentIds();
  const { append } = createAppends({
    absent,
    ...{
      gate,
      turns: createTurns(heads.pool),
      writer: randomUUID(),
      movedMs: clock.movedMs,
      appended: options.appended ?? ignore,
    },
    acknowledged: lag.appended,
  });
  const { standing, differs, metadataSet } = createStanding(gate);
  const sequencer = startSequencer({
    ...{ databaseUrl, heads, gate, failed, copied: lag.copied, lagMs: () => lag.ms },
    alarmed: (what) => {
      differs();
      noticed({ kind: 'other_history', what });
    },
    metadataSet: (stream, metadata) => {
      metadataSet(stream, metadata);
      noticed({ kind: 'metadata_set', stream, metadata });
    },
  });
  const copyReads = createCopyReads({ gate, heads, lag, reads, absent });

  return {
    ...reads,
    ...copyReads,
    append,
    streams: createStreamReads({ gate, heads, reads, absent }),
    standing,
    complete: (progress) => completeCopy({ gate, heads }, progress),
    get newest() {
      return history.newest;
    },
    get copyLag() {
      return { events: lag.events, ms: lag.ms };
    },
    checkHistory: async () => {
      await gate.enter();
      const head = await checkCopy(reads, heads);
      if (!gate.lost) return head;
      // The caller then looks in the copy for what is lost, so the copy must be complete.
      await copyReads.head();
      throw new LogWentBack(gate.lost);
    },
    forgetHistory: () => {
      history.forget();
      gate.forget();
    },
    follow: (...asked) => followPages(reads, listener.subscribe, ...asked),
    close: async () => {
      clock.close();
      await sequencer.close();
      lag.close();
      await sessions.release();
      await listener.close();
      await heads.close();
      await reads.close();
    },
  };
};

/** The clock of the log, which appends state. It is moved in development only. */
const readMovedMs = (read: () => Promise<{ readonly movedMs: number | undefined }>) => {
  let movedMs: number | undefined;
  const look = (): void =>
    void read().then(
      (head) => (movedMs = head.movedMs),
      () => undefined, // The next look may succeed.
    );
  look();
  const timer = setInterval(look, READ_CLOCK_EVERY_MS);
  timer.unref();
  return { movedMs: () => movedMs, close: () => clearInterval(timer) };
};
