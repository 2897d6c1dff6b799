import { open } from 'node:fs/promises';
import { readCheckpoints } from '../checkpoint-log.ts';
import { openClient } from '../../postgres/database/connections.ts';
import { copyOut } from '../copy-out.ts';
import { EVENT_COLUMNS, readEvent } from './event-bytes.ts';
import { readExportLine } from './export-lines.ts';
import { createRangeChecker, type RangeReport, type Trusted } from './range.ts';

const LINE_FEED = 10;

export type Source = { readonly databaseUrl: string } | { readonly file: string };

/** One part of the log: positions of a database, both included, or bytes of a file. */
export type Part = { readonly n: number; readonly from: number; readonly to: number };

/** Checks parts of a log, one after another. Must be closed. */
export type PartCheck = { check(part: Part): Promise<RangeReport>; close(): Promise<void> };

/** The parts are positions, both ends included. */
const checkDatabase = async (databaseUrl: string, trusted: Trusted): Promise<PartCheck> => {
  const client = await openClient(databaseUrl, 'kissapi-verify');
  const check = async ({ from, to }: Part): Promise<RangeReport> => {
    const checker = createRangeChecker(trusted);
    const checkpoints = await readCheckpoints(client, from, to);
    let next = 0;
    const checkpointsUpTo = (position: number): void => {
      for (let one = checkpoints[next]; one && one.position <= position; one = checkpoints[++next])
        checker.checkpoint(one);
    };
    const query = `select ${EVENT_COLUMNS} from events where position between ${from} and ${to} order by position`;
    await copyOut(client, query, (bytes, firstColumn) => {
      if (checker.failed) return;
      const { event, stream, revision } = readEvent(bytes, firstColumn);
      if (checker.event(event, stream, revision)) checkpointsUpTo(event.position);
    });
    checkpointsUpTo(to);
    return checker.report();
  };
  return { check, close: () => client.end() };
};

/** The parts are bytes, from the start of a line up to the start of another. */
const checkFile = async (file: string, trusted: Trusted): Promise<PartCheck> => {
  const handle = await open(file);
  let bytes = Buffer.alloc(0); // Reused for all parts.
  const check = async ({ from, to }: Part): Promise<RangeReport> => {
    const checker = createRangeChecker(trusted, true);
    if (bytes.length < to - from) bytes = Buffer.allocUnsafe(to - from);
    const { bytesRead } = await handle.read(bytes, 0, to - from, from);
    for (let at = 0; at < bytesRead && !checker.failed;) {
      const newline = bytes.indexOf(LINE_FEED, at);
      const end = newline === -1 || newline > bytesRead ? bytesRead : newline;
      try {
        const line = readExportLine(bytes.toString('utf8', at, end));
        if (line.kind === 'event') checker.event(line.event, line.stream, line.revision);
        else checker.checkpoint(line.checkpoint);
      } catch {
        const what = `the line at byte ${from + at} of the file cannot be read`;
        // If this is the first line of the part, the merger sets the position.
        checker.fail({
          position: checker.next ?? Number.NaN,
          what,
          expected: 'an event or a checkpoint',
          found: 'neither',
        });
      }
      at = end + 1;
    }
    return checker.report();
  };
  return { check, close: () => handle.close() };
};

export const createPartCheck = (source: Source, trusted: Trusted): Promise<PartCheck> =>
  'file' in source ? checkFile(source.file, trusted) : checkDatabase(source.databaseUrl, trusted);
