import { openClient } from '../../postgres/database/connections.ts';
import { BEGINNING, createMerger, type Verdict } from './merge.ts';
import type { Link, Trusted } from './range.ts';
import { inThreads, type Parts } from './threads.ts';

export type VerifyOptions = Trusted & {
  /** The position of the first event to check; the event before it is trusted. */
  readonly from?: number;
  readonly progress?: (done: number, total: number) => void;
  /** The size of a part: events of a database, bytes of a file. */
  readonly partSize?: number;
  readonly threads?: number;
};

/** Fault: there is no event before the first one that was requested. */
export class NoSuchEvent extends Error {
  override readonly name = 'NoSuchEvent';
}

const EVENTS_PER_PART = 10_000;

type Ends = {
  readonly position: string;
  readonly time: number | null;
  readonly hash: string;
  readonly lowest: string | null;
  readonly highest: string | null;
  readonly signed: string | null;
  readonly lowest_signed: string | null;
};

/**
 * Recomputes the whole log of a database as it was at the start of the call; a gateway may go on appending. Rejects if the
 * log cannot be read. Reads in many short queries, because one long transaction would slow down appends.
 */
export const verifyDatabase = async (
  databaseUrl: string,
  { from = 1, progress = () => undefined, partSize = EVENTS_PER_PART, threads, ...trusted }: VerifyOptions,
): Promise<Verdict> => {
  const { ends, before } = await readEnds(databaseUrl, from);
  const merger = createMerger(before);
  const head = Number(ends.position);
  const highest = Number(ends.highest ?? 0);
  const lowest = Number(ends.lowest ?? 1);
  if (lowest < 1) {
    merger.fail({ position: lowest, what: 'there is an event before the first', expected: '1', found: `${lowest}` });
    return merger.verdict();
  }
  const lowestSigned = Number(ends.lowest_signed ?? 1);
  if (lowestSigned < 1) {
    const what = 'there is a checkpoint before the first event';
    merger.fail({ position: lowestSigned, what, expected: '1 or more', found: `${lowestSigned}` });
    return merger.verdict();
  }
  const parts = partsOf(from, highest, partSize);
  await inThreads({ source: { databaseUrl }, trusted, parts, threads }, (report) => {
    const more = merger.add(report);
    progress(Math.min(highest, merger.verdict().last?.position ?? 0) - from + 1, highest - from + 1);
    return more ? 'more' : 'enough';
  });

  const { last } = merger.verdict();
  const end = last?.position ?? before.position;
  if (end < highest) {
    merger.fail({ position: end + 1, what: 'the event is missing', expected: `${end + 1}`, found: `${highest}` });
  }
  // The latest of these marks is how far the log once went.
  const marks: readonly (readonly [number, string])[] = [
    [head, 'the head of the log'],
    [Number(ends.signed ?? 0), 'a checkpoint of the log'],
    ...trusted.kept.map(({ position }) => [position, 'a checkpoint that was kept elsewhere'] as const),
  ];
  for (const [position, mark] of marks) {
    if (position > end) {
      const what = `the log ends here, but ${mark} says that it went on`;
      merger.fail({ position: end + 1, what, expected: `events up to ${position}`, found: 'none' });
    }
  }
  if (head < end) {
    const what = 'the log goes on here, but its head says that it ends before';
    merger.fail({ position: head + 1, what, expected: 'no event', found: `events up to ${end}` });
  }
  const expected = last ?? before;
  if (head === end && (ends.hash !== expected.hash || (ends.time ?? Number.NEGATIVE_INFINITY) !== expected.time)) {
    const [found, right] =
      ends.hash === expected.hash ? [`${ends.time} ms`, `${expected.time} ms`] : [ends.hash, expected.hash];
    merger.fail({ position: head, what: 'the head of the log is not its last event', expected: right, found });
  }
  return merger.verdict();
};

/** Computed on demand, because a forged position may be arbitrarily large. */
const partsOf = (first: number, last: number, size: number): Parts => ({
  length: Math.max(0, Math.ceil((last - first + 1) / size)),
  at: (n) => ({ from: first + n * size, to: Math.min(last, first + (n + 1) * size - 1) }),
});

/** One statement, so that the values are consistent while gateways append. */
const readEnds = async (databaseUrl: string, from: number): Promise<{ ends: Ends; before: Link }> => {
  const client = await openClient(databaseUrl, 'kissapi-verify');
  try {
    const { rows } = await client.query<Ends>(
      `select position, encode(hash, 'hex') as hash,
              case when isfinite(time) then (extract(epoch from time) * 1000)::float8 end as time,
              (select min(position) from events) as lowest, (select max(position) from events) as highest,
              (select max(position) from log_checkpoints) as signed,
              (select min(position) from log_checkpoints) as lowest_signed
       from log_head`,
    );
    const none = {
      position: '0',
      time: null,
      hash: '',
      lowest: null,
      highest: null,
      signed: null,
      lowest_signed: null,
    };
    const ends = rows[0] ?? none;
    if (from === 1) return { ends, before: BEGINNING };
    const { rows: trusted } = await client.query<{ time: number; hash: string }>(
      `select (extract(epoch from time) * 1000)::float8 as time, encode(hash, 'hex') as hash from events where position = $1`,
      [from - 1],
    );
    if (!trusted[0])
      throw new NoSuchEvent(`There is no event ${from - 1} before that; the log ends at ${ends.position}.`);
    return { ends, before: { position: from - 1, ...trusted[0] } };
  } finally {
    await client.end();
  }
};
