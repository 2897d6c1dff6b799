import { hash } from 'node:crypto';
import { toJson } from './checkpoint.ts';
import { readCheckpoints } from './checkpoint-log.ts';
import { GENESIS } from './chain.ts';
import { openClient } from '../postgres/database/connections.ts';
import { copyOut } from './copy-out.ts';
import { EVENT_COLUMNS, instant, int64 } from './verify/event-bytes.ts';
import { EXPORT_FORMAT, EXPORT_VERSION, type ExportEnd, type ExportHeader } from './verify/export-lines.ts';

export type ExportOptions = {
  readonly databaseUrl: string;
  /** The positions of the first and the last event; by default all of them. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** As PEM. */
  readonly publicKeys: readonly string[];
  readonly write: (bytes: Buffer | string) => Promise<void>;
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

export type Exported = {
  readonly from: number;
  readonly to: number;
  readonly events: number;
  readonly checkpoints: number;
};

/** Fault: the requested events are not in the log, or cannot be written as an export. */
export class CannotExport extends Error {
  override readonly name = 'CannotExport';
}

const EVENTS_PER_PART = 10_000;

/**
 * Writes the log, or a part of it, as lines that can be read without this software: docs/export-format.md. The end is fixed
 * at the start, so gateways may go on appending.
 */
export const exportLog = async ({
  databaseUrl,
  publicKeys,
  write,
  progress = () => undefined,
  signal,
  ...range
}: ExportOptions): Promise<Exported> => {
  const client = await openClient(databaseUrl, 'kissapi-export');
  try {
    const hashAt = async (position: number): Promise<string | undefined> => {
      const { rows } = await client.query<{ hash: string }>(
        `select encode(hash, 'hex') as hash from events where position = $1`,
        [position],
      );
      return rows[0]?.hash;
    };
    const { rows } = await client.query<{ position: string }>('select position from log_head');
    const head = Number(rows[0]?.position ?? 0);
    const from = range.from ?? 1;
    const to = range.to ?? head;
    if (to > head) throw new CannotExport(`The log ends at event ${head}: it cannot be exported up to ${to}.`);
    if (from > to + 1) throw new CannotExport(`There is nothing to export from event ${from} to ${to}.`);
    const header: ExportHeader = {
      ...{ format: EXPORT_FORMAT, version: EXPORT_VERSION, from, to },
      previous_hash: from === 1 ? GENESIS : ((await hashAt(from - 1)) ?? missing(from - 1)),
      public_keys: [...publicKeys],
    };
    const headerLine = JSON.stringify({ export: header });
    await write(`${headerLine}\n`);

    let last = header.previous_hash;
    let events = 0;
    let signed = 0;
    // One part is written while the next is read.
    let writing = Promise.resolve();
    for (let first = from; first <= to; first += EVENTS_PER_PART) {
      signal?.throwIfAborted();
      const end = Math.min(to, first + EVENTS_PER_PART - 1);
      const checkpoints = await readCheckpoints(client, first, end);
      let next = 0;
      let lines = '';
      let expected = first;
      const query = `select ${EVENT_COLUMNS} from events where position between ${first} and ${end} order by position`;
      await copyOut(client, query, (bytes, firstColumn) => {
        const { position, line, hash } = eventLine(bytes, firstColumn);
        if (position !== expected++) missing(expected - 1);
        lines += line;
        last = hash;
        for (let one = checkpoints[next]; one && one.position <= position; one = checkpoints[++next]) {
          lines += `${JSON.stringify({ checkpoint: toJson(one) })}\n`;
          signed++;
        }
      });
      if (expected !== end + 1) missing(expected);
      events += end - first + 1;
      await writing;
      writing = write(lines);
      writing.catch(() => undefined); // Awaited before the next part.
      progress(events, to - from + 1);
    }
    await writing;
    const end: ExportEnd = {
      events,
      checkpoints: signed,
      hash: last,
      header_sha256: hash('sha256', headerLine, 'hex'),
    };
    await write(`${JSON.stringify({ end })}\n`);
    return { from, to, events, checkpoints: signed };
  } finally {
    await client.end();
  }
};

const missing = (position: number): never => {
  throw new CannotExport(`Event ${position} is missing from the log. Run npm run verify.`);
};

let lastTime = Number.NaN;
let lastIso = '';

/** Many consecutive events have the same time, so the last one is cached. */
const isoOf = (ms: number, position: number): string => {
  if (ms === lastTime) return lastIso;
  const time = new Date(ms);
  if (Number.isNaN(time.getTime()))
    throw new CannotExport(`The time of event ${position} is invalid. Run npm run verify.`);
  lastTime = ms;
  lastIso = time.toISOString();
  return lastIso;
};

const eventLine = (bytes: Buffer, firstColumn: number): { position: number; line: string; hash: string } => {
  let end = firstColumn;
  /** Returns the start of the next column, and sets `end` to its end. */
  const next = (): number => {
    const start = end + 4;
    end = start + Math.max(0, bytes.readInt32BE(end));
    return start;
  };
  const text = (): string => bytes.toString('utf8', next(), end);
  const hex = (): string => bytes.toString('hex', next(), end);
  const position = int64(bytes, next());
  const time = isoOf(instant(bytes, next()), position);
  const stream = JSON.stringify(text());
  const revision = int64(bytes, next());
  const id = hex();
  const uuid = `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
  const type = JSON.stringify(text());
  const version = bytes.readInt16BE(next());
  const data = JSON.stringify(text());
  const metadata = JSON.stringify(text());
  const hash = hex();
  const line =
    `{"position":${position},"time":"${time}","stream":${stream},"revision":${revision},"id":"${uuid}","type":${type},` +
    `"version":${version},"data":${data},"metadata":${metadata},"hash":"${hash}"}\n`;
  return { position, line, hash };
};
