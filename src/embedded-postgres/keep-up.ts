import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { logTail, reason } from './fault.ts';
import { stopServer, untilEnded, type Place, type Server } from './server.ts';

type KeepUpOptions = {
  readonly first: Server;
  readonly place: Place;
  /** On the same port as the first. */
  readonly startAgain: (signal: AbortSignal) => Promise<Server>;
  readonly log: (line: string) => void;
  /** For what somebody should look at. */
  readonly alarm: (line: string) => void;
};

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;
/** A server that lived for so long did not end of what ended the one before it. */
const LASTING_MS = 1000;
/** PostgreSQL makes the files of its write-ahead log in this size, and cannot even recover without one. */
const WAL_SEGMENT_BYTES = 16 * 1024 * 1024;

/**
 * Keeps a server up until `stop`: one that ends by itself, killed or in a panic, is started again at the same address, at
 * once and then ever more slowly. `stop` returns when no process is left, also in the midst of a start.
 */
export const keepUp = ({ first, place, startAgain, log, alarm }: KeepUpOptions): { stop(): Promise<void> } => {
  const stopping = new AbortController();
  const { signal } = stopping;
  let server = first;

  const tell = async (how: string): Promise<void> => {
    const said = await logTail(place.logFile, server.logStart).catch(reason);
    alarm(`PostgreSQL ended by itself (${how}). The end of ${place.logFile}:\n${said}`);
    const full = await fullDisk(place.dataDirectory);
    if (full !== undefined) alarm(full);
  };

  /** Undefined where it was stopped meanwhile. */
  const bringBack = async (firstPauseMs: number): Promise<Server | undefined> => {
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = longer(pauseMs)) {
      const when = pauseMs === 0 ? '' : ` in ${pauseMs / 1000} s`;
      log(`Starting PostgreSQL again on 127.0.0.1:${first.port}${when}`);
      try {
        await sleep(pauseMs, undefined, { signal, ref: false });
        return await startAgain(signal);
      } catch (error) {
        if (signal.aborted) return undefined;
        alarm(`PostgreSQL is still away: ${reason(error)}`);
        const full = await fullDisk(place.dataDirectory);
        if (full !== undefined) alarm(full);
      }
    }
    return undefined;
  };

  const keep = async (): Promise<void> => {
    for (let pauseMs = 0; ;) {
      const since = performance.now();
      const how = await untilEnded(server.child);
      if (signal.aborted) return;
      await tell(how);
      pauseMs = performance.now() - since > LASTING_MS ? 0 : longer(pauseMs);
      const next = await bringBack(pauseMs);
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

/** PostgreSQL's log lies on the same disk, so its own last words about it may be missing. */
const fullDisk = async (directory: string): Promise<string | undefined> => {
  const left = await statfs(directory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Infinity,
  );
  if (left >= WAL_SEGMENT_BYTES) return undefined;
  return (
    `The disk that holds ${directory} is full: ${(left / 1024 / 1024).toFixed(1)} MiB are left, and PostgreSQL cannot run ` +
    'without 16 MiB for its write-ahead log. Make room; nothing that was acknowledged is lost.'
  );
};
