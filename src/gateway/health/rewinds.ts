import type { Logger } from 'pino';
import { CopyWentBack, LogWentBack, type ChainedLog, type LogPlace } from '../../eventstore/chained-log.ts';
import { COMPLETION_EVENTS } from '../../eventstore/journal/completion-events.ts';
import { createLogRewinds } from '../../eventstore/postgres/log-rewinds.ts';
import type { PostgresStoreOptions } from '../../eventstore/postgres/postgres.ts';
import { createRememberedAppends } from '../../eventstore/remembered-appends.ts';
import { watchForRewinds, type RewindNoticed, type RewindWatch } from '../../reactions/rewind-watch.ts';
import { createSeenHeadWriter, readSeenHead } from './seen-heads.ts';
import { newId } from '../new-id.ts';
import type { OutageLog } from './outage.ts';

export type RewindsOptions = {
  /** A database that has the tables of the log. */
  readonly databaseUrl: string;
  /** Stores the newest head that was seen, for the next start. */
  readonly dataDir: string;
  readonly outage: OutageLog;
  /** Called when the copy of a log in EventStoreDB is complete again after it went back in time. */
  readonly copyIsWhole: (from: number, to: number) => void;
  readonly log: Logger;
};

/** The cause that prevents one comparison prevents the next ones as well. */
const REPORT_AGAIN_MS = 60_000;

const reported = ({ rewindId, seen, head, commonPosition, lostEvents }: RewindNoticed) => ({
  ...{ rewindId, seenPosition: seen.position, headPosition: head.position, commonPosition, lostEvents },
});

/** Detects that the log went back in time. Must be closed. */
export const openRewinds = async ({ databaseUrl, dataDir, outage, copyIsWhole, log }: RewindsOptions) => {
  const rewinds = createLogRewinds(databaseUrl);
  const logId = await rewinds.logId();
  const remembered = createRememberedAppends(COMPLETION_EVENTS, () => new Date());
  const newest = await readSeenHead(dataDir, logId);
  const write = createSeenHeadWriter(dataDir, logId);
  let watch: RewindWatch | undefined;
  let unwritable = false;
  let failedAt = -Infinity;

  const saw = async (head: LogPlace): Promise<void> => {
    if (unwritable) return;
    await write(head).catch((error: unknown) => {
      unwritable = true;
      log.warn(
        { err: error },
        `${dataDir} cannot be written to: a restart will not notice that the log went back in time`,
      );
    });
  };

  return {
    /** Options of the store that this gateway appends with. */
    storeOptions: {
      newest,
      appended: remembered.add,
      wentBack: () => watch?.checkSoon(),
    } satisfies PostgresStoreOptions,
    /** Compares at once, and then once a second. Calls `dropMemory` if the log went back in time. */
    start: async (store: ChainedLog, dropMemory: () => Promise<void>): Promise<void> => {
      watch = await watchForRewinds({
        ...{ rewinds, remembered, dropMemory, newId, saw },
        checkHistory: store.checkHistory,
        goneOf: (error) => (error instanceof LogWentBack ? error.seen : undefined),
        copyBackAt: (error) => (error instanceof CopyWentBack ? error.position : undefined),
        completeCopy: store.head,
        copyIsWhole: (from, to) => {
          log.warn({ from, to }, 'PostgreSQL had gone back in time: the log was copied again from EventStoreDB');
          copyIsWhole(from, to);
        },
        forgetHistory: store.forgetHistory,
        noticed: (what) =>
          log.error(
            { alert: 'log_rewound', ...reported(what) },
            'the log went back in time: no completions are taken until `npm run acknowledge-rewind` has been run',
          ),
        acknowledged: (rewindId) => log.warn({ rewindId }, 'the rewind of the log was acknowledged'),
        failed: (error) => {
          if (outage.covers(error) || performance.now() - failedAt < REPORT_AGAIN_MS) return;
          failedAt = performance.now();
          log.warn({ err: error }, 'comparing the log with what was seen of it failed');
        },
      });
    },
    commonPosition: rewinds.newestCommon,
    isOpen: (): boolean => watch?.open !== undefined,
    copyMayBeBack: (): void => watch?.copyMayBeBack(),
    copyIsBack: (): boolean => watch?.copyIsBack === true,
    /** Compares now. */
    check: async (): Promise<void> => watch?.check(),
    close: async (): Promise<void> => {
      await watch?.close();
      await rewinds.close();
    },
  };
};
