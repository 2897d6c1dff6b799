import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { logTail, reason } from './fault.ts';
import { stopServer, untilExited, type Place, type Server } from './server.ts';

type KeepUpOptions = {
  readonly first: Server;
  readonly place: Place;
  /** Starts a server on the same port as the first. */
  readonly startAgain: (signal: AbortSignal) => Promise<Server>;
  readonly log: (line: string) => void;
  readonly alarm: (line: string) => void;
};

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;
/** A server that ran for longer has recovered from what ended the one before it. */
const RECOVERED_AFTER_MS = 1000;
/** PostgreSQL allocates its write-ahead log in files of this size, and cannot recover without one. */
const WAL_SEGMENT_BYTES = 16 * 1024 * 1024;

/**
 * Restarts a server that exits by itself, at the same address: at once, then after pauses that double. `stop` resolves
 * once no process is left, also during a start.
 */
export const keepUp = ({ first, place, startAgain, log, alarm }: KeepUpOptions): { stop(): Promise<void> } => {
  const stopping = new AbortController();
  const { signal } = stopping;
  let server = first;

  const alarmIfDiskFull = async (): Promise<void> => {
    const full = await fullDisk(place.dataDirectory);
    if (full !== undefined) alarm(full);
  };

  const reportExit = async (how: string): Promise<void> => {
    const tail = await logTail(place.logFile, server.logStart).catch(reason);
    alarm(`PostgreSQL exited by itself (${how}). The end of ${place.logFile}:\n${tail}`);
    await alarmIfDiskFull();
  };

  /** Undefined if `stop` was called meanwhile. */
  const restart = async (firstPauseMs: number): Promise<Server | undefined> => {
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = longer(pauseMs)) {
      const when = pauseMs === 0 ? '' : ` in ${pauseMs / 1000} s`;
      log(`Restarting PostgreSQL on 127.0.0.1:${first.port}${when}`);
      try {
        await sleep(pauseMs, undefined, { signal, ref: false });
        return await startAgain(signal);
      } catch (error) {
        if (signal.aborted) return undefined;
        alarm(`PostgreSQL is still down: ${reason(error)}`);
        await alarmIfDiskFull();
      }
    }
    return undefined;
  };

  const keep = async (): Promise<void> => {
    for (let pauseMs = 0; ;) {
      const since = performance.now();
      const how = await untilExited(server.child);
      if (signal.aborted) return;
      await reportExit(how);
      pauseMs = performance.now() - since > RECOVERED_AFTER_MS ? 0 : longer(pauseMs);
      const next = await restart(pauseMs);
      if (!next) return;
      server = next;
      if (signal.aborted) return stopServer(server.child, log);
      log(`PostgreSQL is back on 127.0.0.1:${server.port}`);
    }
  };

  const keeping = keep();
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    stopping.abort();
    await stopServer(server.child, log);
    await keeping;
  };
  return { stop: () => (stopped ??= stop()) };
};

const longer = (pauseMs: number): number => Math.min(pauseMs * 2 || FIRST_PAUSE_MS, LONGEST_PAUSE_MS);

/** A message if the disk is full. PostgreSQL's log is on the same disk, so its own message may be missing. */
const fullDisk = async (directory: string): Promise<string | undefined> => {
  const free = await statfs(directory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Infinity,
  );
  if (free >= WAL_SEGMENT_BYTES) return undefined;
  return (
    `The disk that holds ${directory} is full: ${(free / 1024 / 1024).toFixed(1)} MiB are free, and PostgreSQL needs ` +
    '16 MiB for its write-ahead log. Free some space; nothing that was acknowledged is lost.'
  );
};
