import { randomUUID } from 'node:crypto';
import type pg from 'pg';

/**
 * Writers of one stream take turns, as in PostgreSQL: without that, the one that never pauses wins every race. EventStoreDB
 * has no queue of writers, so it is in a table of PostgreSQL, which writers read while they append. Turns are a courtesy:
 * without PostgreSQL there are none.
 */
export type Turns = {
  /** Whether another writer has the turn on a stream. */
  isOfOther(stream: string): boolean;
  clashed(stream: string): void;
  appended(stream: string): void;
};

/** Most clashes are over at once. */
const CLASHES_BEFORE_TURN = 3;
const READ_EVERY_MS = 20;
/** A turn that its writer does not use lapses. */
const LAPSE_MS = 500;

type Row = { readonly stream: string; readonly writer: string; readonly number: string };

export const createTurns = (pool: Pick<pg.Pool, 'query'>): Turns => {
  const writer = randomUUID();
  const clashes = new Map<string, number>();
  const asked = new Set<string>();
  let ofOthers: ReadonlySet<string> = new Set();
  let readAt = -Infinity;
  let reading = false;

  const send = async (text: string, values: readonly unknown[]): Promise<void> => {
    await pool.query(text, [...values]).catch(() => undefined);
  };
  const read = async (): Promise<void> => {
    const { rows } = await pool.query<Row>(
      `select stream, writer, number from turns where asked_at > clock_timestamp() - $1 * interval '1 millisecond' order by number`,
      [LAPSE_MS],
    );
    const first = new Map(rows.toReversed().map((row) => [row.stream, row.writer]));
    ofOthers = new Set([...first].flatMap(([stream, of]) => (of === writer ? [] : [stream])));
  };
  const readSoon = (): void => {
    if (reading || performance.now() - readAt < READ_EVERY_MS) return;
    [reading, readAt] = [true, performance.now()];
    void read()
      .catch(() => void (ofOthers = new Set()))
      .finally(() => (reading = false));
  };

  return {
    isOfOther: (stream) => {
      readSoon();
      return ofOthers.has(stream);
    },
    clashed: (stream) => {
      const count = (clashes.get(stream) ?? 0) + 1;
      clashes.set(stream, count);
      if (count < CLASHES_BEFORE_TURN || asked.has(stream)) return;
      asked.add(stream);
      void send(
        `insert into turns (stream, writer, asked_at) values ($1, $2, clock_timestamp())
         on conflict (stream, writer) do update set asked_at = excluded.asked_at`,
        [stream, writer],
      );
      // A turn that is not used, because there is nothing to append, can be asked for again.
      setTimeout(() => asked.delete(stream), LAPSE_MS).unref();
    },
    appended: (stream) => {
      clashes.delete(stream);
      if (!asked.delete(stream)) return;
      void send(
        `delete from turns where (stream = $1 and writer = $2) or asked_at < clock_timestamp() - interval '10 s'`,
        [stream, writer],
      );
    },
  };
};
