import { openClient } from './database/connections.ts';
import { UnfitDatabase } from './database/database-faults.ts';

/**
 * The time of a log, by which everything is decided, and how far it is ahead of real time, in ms: less than 0 after a
 * beginning in the past. `movedMs` is undefined if the clock was never moved, as in production.
 */
export type ClockReading = { readonly now: Date; readonly movedMs: number | undefined };

/** Fault: the clock cannot be moved as asked. The message names the cause and the remedy. */
export class ClockNotMoved extends Error {
  override readonly name = 'ClockNotMoved';
  readonly code = 'clock_not_moved';
}

/** Times of events are written with four digits of the year. */
const LATEST = new Date('2200-01-01T00:00:00Z');
const TOO_FAR = `The clock cannot be moved beyond ${LATEST.toISOString()}: move it less far.`;
const EARLIEST = new Date('2000-01-01T00:00:00Z');

const UNDEFINED_COLUMN = '42703';

type Row = { readonly ms: number; readonly moved_ms: number | null; readonly real: boolean; readonly empty: boolean };
type Head = ClockReading & { readonly isReal: boolean; readonly isEmpty: boolean };

/** As JSON, because commands also read a database that no gateway of this release has migrated: its clock is real. */
const HEAD = `(extract(epoch from clock_timestamp()) * 1000)::float8 as ms,
  (to_jsonb(log_head) ->> 'clock_moved_ms')::float8 as moved_ms,
  coalesce((to_jsonb(log_head) ->> 'clock_is_real')::bool, false) as real, position = 0 as empty`;

/** Runs one statement that returns `HEAD`, over a connection of its own. Undefined if it changed nothing. */
const onHead = async (databaseUrl: string, sql: string, values: readonly unknown[] = []): Promise<Head | undefined> => {
  const client = await openClient(databaseUrl, 'kissapi-clock');
  try {
    const [row] = (await client.query<Row>(sql, [...values])).rows;
    if (!row) return undefined;
    const movedMs = row.moved_ms ?? undefined;
    return { now: new Date(Math.floor(row.ms + (movedMs ?? 0))), movedMs, isReal: row.real, isEmpty: row.empty };
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code !== UNDEFINED_COLUMN) throw cause;
    throw new ClockNotMoved('This database is of an older release: start a gateway of this release on it first.', {
      cause,
    });
  } finally {
    await client.end();
  }
};

const readHead = async (databaseUrl: string): Promise<Head> => {
  const head = await onHead(databaseUrl, `select ${HEAD} from log_head`);
  if (!head) throw new Error('the log has no head');
  return head;
};

/** The clock of a log, once. A running gateway follows it with its heartbeat. */
export const readLogClock = (databaseUrl: string): Promise<ClockReading> => readHead(databaseUrl);

/**
 * For production: from now on nothing moves the clock of this log. Rejects with UnfitDatabase if it was moved before,
 * because the times in the log are not real then.
 */
export const keepClockReal = async (databaseUrl: string): Promise<void> => {
  // A statement that waits for the row checks its condition again, so a move at the same time is either refused or seen.
  const { isReal } = await readHead(databaseUrl);
  if (isReal) return;
  const sql = `update log_head set clock_is_real = true where clock_moved_ms is null returning ${HEAD}`;
  if (await onHead(databaseUrl, sql)) return;
  const { movedMs } = await readHead(databaseUrl);
  throw new UnfitDatabase(
    `The clock of this database is simulated (${movedInWords(movedMs)}), so the times in its log are not real, and ` +
      'production does not start on it. Let DATABASE_URL name a database whose clock was never moved, such as an empty ' +
      'one; without NODE_ENV=production a gateway goes on with this one.',
  );
};

const REAL =
  'A production gateway was started on this database, so its clock stays on real time. To simulate time, let DATABASE_URL ' +
  'name another database, or unset it and use the bundled one.';
const FORWARD = 'Without --clock the gateway goes on from there, and `npm run clock -- --forward 14d` moves the clock.';

/** Begins an empty log at a time in the past. Rejects with ClockNotMoved. */
export const beginLogClockAt = async (databaseUrl: string, at: Date): Promise<void> => {
  const wanted = at.toISOString();
  const begun = await onHead(
    databaseUrl,
    `update log_head set clock_moved_ms = floor(extract(epoch from $1::timestamptz - clock_timestamp()) * 1000)
     where position = 0 and not clock_is_real and $1::timestamptz between $2 and clock_timestamp() returning ${HEAD}`,
    [wanted, EARLIEST.toISOString()],
  );
  if (begun) return;
  const { isReal, isEmpty, now } = await readHead(databaseUrl);
  if (isReal) throw new ClockNotMoved(REAL);
  throw new ClockNotMoved(
    isEmpty
      ? `A log cannot begin at ${wanted}: the time must be in the past, and not before ${EARLIEST.toISOString()}.`
      : `The log has events already, so it cannot begin at ${wanted}: its clock is at ${now.toISOString()}. ${FORWARD} For ` +
          'another beginning, let KISSAPI_DATA name an empty folder, or DATABASE_URL an empty database.',
  );
};

/** Moves the clock of a log forward. Appends follow at once. Rejects with ClockNotMoved. */
export const moveLogClockForward = async (databaseUrl: string, byMs: number): Promise<ClockReading> => {
  if (!(byMs > 0)) throw new ClockNotMoved('The clock moves forward only.');
  if (byMs > LATEST.getTime()) throw new ClockNotMoved(TOO_FAR);
  const moved = await onHead(
    databaseUrl,
    `update log_head set clock_moved_ms = coalesce(clock_moved_ms, 0) + $1
     where not clock_is_real
       and clock_timestamp() + (coalesce(clock_moved_ms, 0) + $1::bigint) * interval '1 millisecond' < $2
     returning ${HEAD}`,
    [Math.round(byMs), LATEST.toISOString()],
  );
  if (moved) return moved;
  const { isReal } = await readHead(databaseUrl);
  throw new ClockNotMoved(isReal ? REAL : TOO_FAR);
};

const UNITS = [
  ['day', 24 * 60 * 60_000],
  ['hour', 60 * 60_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** The two largest units that are not zero: `14 days`, `1 hour 30 minutes`. */
const durationInWords = (ms: number): string => {
  let rest = Math.round(ms / 1000) * 1000;
  const parts = UNITS.flatMap(([unit, unitMs]) => {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    return count === 0 ? [] : [`${count} ${unit}${count === 1 ? '' : 's'}`];
  });
  return parts.slice(0, 2).join(' ') || '0 seconds';
};

/** Such as `clock moved forward by 14 days`; `clock in real time` if it was never moved. */
export const movedInWords = (movedMs: number | undefined): string => {
  if (movedMs === undefined) return 'clock in real time';
  return movedMs < 0
    ? `clock set ${durationInWords(-movedMs)} behind real time`
    : `clock moved forward by ${durationInWords(movedMs)}`;
};
