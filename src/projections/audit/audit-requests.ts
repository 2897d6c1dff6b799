import type { ITask } from 'pg-promise';
import { accountStream } from '../../domain/account/account.ts';
import type { Credits } from '../../domain/money.ts';
import { decode, type Recorded } from '../../eventstore/journal/codec.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import { bucketOf, type RequestBooks } from './audit-books.ts';
import { agrees, compared, differences, missing, requestColumns, unfounded, type Difference } from './audit.ts';
import type { Database } from '../database.ts';
import { LIVE, type Row } from '../projection.ts';
import { requests, type RequestRow } from '../rows/requests.ts';

const BATCH = 5000;

type Report = (some: Iterable<Difference>) => void;

const readRows = async (
  sql: Database | ITask<object>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RequestRow>> => {
  if (ids.length === 0) return new Map();
  const rows = await sql.any<RequestRow>(
    `select ${requestColumns.join(', ')} from ${LIVE}.requests where request_id = any($1::text[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.request_id, row]));
};

/** Looks requests up, and forgets those whose rows are correct. */
export const forgetCorrect = async (database: Database, books: RequestBooks, ids: readonly string[]): Promise<void> => {
  for (const [id, row] of await readRows(database, ids)) {
    const said = books.rows.get(id);
    if (said && agrees(said, row)) books.forget(id);
  }
};

/** Compares the rows of all remaining requests, and finds rows of requests that the log does not have. */
export const auditRequestRows = async (
  tx: ITask<object>,
  store: Pick<EventStore, 'readStream'>,
  books: RequestBooks,
  scope: string | undefined,
  report: Report,
): Promise<void> => {
  let count = books.count;
  const perBucket = books.perBucket.slice();
  const isMissing = (id: string, accountId: string): void => {
    report([missing(accountId, `requests.${id}`)]);
    count--;
    perBucket[bucketOf(id)]!--;
  };
  for (const ids of batches([...books.rows.keys()])) {
    const rows = await readRows(tx, ids);
    for (const id of ids) {
      const said = books.rows.get(id);
      const row = rows.get(id);
      if (!said) continue;
      if (!row) isMissing(id, said.account_id);
      else report(differences(said.account_id, `requests.${id}`, compared(said), row as Row));
    }
  }
  for (const ids of batches([...books.afterwards.keys()])) {
    const rows = await readRows(tx, ids);
    for (const id of ids) {
      const events = books.afterwards.get(id) ?? [];
      const accountId = events[0]?.stream.slice(accountStream('').length) ?? '';
      const row = rows.get(id);
      if (!row) isMissing(id, accountId);
      else
        report(
          differences(
            accountId,
            `requests.${id}`,
            compared(applyAgain(row, events, books.reversedBefore.get(id) ?? 0n)),
            row as Row,
          ),
        );
    }
  }
  const [all] = await tx.any<{ count: bigint }>(
    `select count(*) as count from ${LIVE}.requests where $1::text is null or account_id = $1`,
    [scope ?? null],
  );
  if (Number(all?.count ?? 0) > count) report(await findUnfounded(tx, store, perBucket, scope));
};

/**
 * Applies events that came after a row was found correct. The row contains them already, or it is wrong: an event that
 * ends a request sets all of its columns, so applying it again changes nothing. Only released requests are charged
 * later, and none of their usage was written off before. `reversed` is what was reversed before.
 */
const applyAgain = (row: RequestRow, events: readonly Recorded[], reversed: Credits): RequestRow => {
  const isWrittenOff = events.some(({ event }) => event.type === 'UsageWrittenOff');
  const before = { ...row, reversed, ...(isWrittenOff ? { written_off: 0n } : {}) };
  return events.reduce((past, recorded) => requests.evolve(past, recorded, [row.request_id]), before);
};

/** Rows without an event. Searches only the buckets that have more rows than the log has requests. */
const findUnfounded = async (
  tx: ITask<object>,
  store: Pick<EventStore, 'readStream'>,
  perBucket: Int32Array,
  scope: string | undefined,
): Promise<readonly Difference[]> => {
  const surplus = perBucket.map((count) => -count);
  for await (const rows of keys(tx, scope)) for (const { request_id: id } of rows) surplus[bucketOf(id)]!++;
  const wrong: Difference[] = [];
  for await (const rows of keys(tx, scope)) {
    for (const { request_id: id, account_id, reserved_revision } of rows) {
      if ((surplus[bucketOf(id)] ?? 0) <= 0) continue;
      const [stored] = await store.readStream(accountStream(account_id), reserved_revision, 1);
      const event = stored && stored.revision === reserved_revision ? decode(stored).event : undefined;
      if (event?.type === 'CreditsReserved' && event.requestId === id) continue;
      wrong.push(unfounded(account_id, `requests.${id}`));
    }
  }
  return wrong;
};

type Key = Pick<RequestRow, 'request_id' | 'account_id' | 'reserved_revision'>;

async function* keys(tx: ITask<object>, scope: string | undefined): AsyncGenerator<readonly Key[]> {
  for (let after: string | undefined = ''; after !== undefined;) {
    const rows: readonly Key[] = await tx.any<Key>(
      `select request_id, account_id, reserved_revision from ${LIVE}.requests
       where request_id > $1 and ($2::text is null or account_id = $2) order by request_id limit ${BATCH}`,
      [after, scope ?? null],
    );
    yield rows;
    after = rows.length === BATCH ? rows.at(-1)?.request_id : undefined;
  }
}

const batches = function* (ids: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < ids.length; from += BATCH) yield ids.slice(from, from + BATCH);
};
