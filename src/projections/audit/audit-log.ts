import type { ITask } from 'pg-promise';
import { accountStream } from '../../domain/account/account.ts';
import type { Credits } from '../../domain/money.ts';
import { decode, type Recorded } from '../../eventstore/journal/codec.ts';
import type { ChainedLog } from '../../eventstore/chained-log.ts';
import { PAGE, type StoredEvent } from '../../eventstore/event-store.ts';
import { balanceColumns, createAccountBooks, createRequestBooks, isCounted, type AccountBook } from './audit-books.ts';
import { auditRequestRows, forgetCorrect } from './audit-requests.ts';
import {
  balanceOf,
  inOneSnapshot,
  brokenPromises,
  differences,
  missing,
  readPositions,
  sum,
  unfounded,
  type Difference,
  type Positions,
} from './audit.ts';
import type { BalanceRow } from '../rows/balances.ts';
import type { Database } from '../database.ts';
import { LIVE } from '../projection.ts';

export type LogAuditOptions = {
  readonly database: Database;
  readonly store: Pick<ChainedLog, 'readAll' | 'readStream'>;
  /** Audits one account; by default all. */
  readonly accountId?: string | undefined;
  /** The number of events per read. */
  readonly page?: number;
  /** Called for each row that differs from the log. */
  readonly found: (difference: Difference) => void;
  readonly progress: (position: number, target: number) => void;
};

export type LogAudit = {
  /** By projection, the position up to which its rows were audited. */
  readonly positions: Positions;
  readonly accounts: number;
  readonly requests: number;
};

/** Rows per query. */
const BATCH = 5000;
/** The take-over of a rebuilt table may hold its lock for some time. */
const LOCK_WITHIN_MS = 60_000;

/**
 * Folds the log once and compares every row with it, while gateways are running. Each request is looked up when it has ended,
 * and forgotten if its row is correct. Rows change meanwhile, so the remaining requests and all balances are compared at the
 * end, in one snapshot and up to the positions of the rows in it.
 */
export const auditLog = async (options: LogAuditOptions): Promise<LogAudit> => {
  const { database, store, accountId, page = PAGE, found, progress } = options;
  const log = createReader(store, accountId, page);
  const accounts = createAccountBooks();
  const requests = createRequestBooks();
  let charged = 0n;
  const take = (recorded: Recorded, upTo?: Positions): void => {
    const { position, event } = recorded;
    if (!upTo || position <= upTo.balances) accounts.take(recorded);
    if (!upTo || position <= upTo.requests) requests.take(recorded);
    if (event.type !== 'HoldSettled' && event.type !== 'LateUsageCharged') return;
    if (!upTo || position <= upTo.daily_usage) charged += event.charged;
  };

  let looking: Promise<void> = Promise.resolve();
  const readTo = (target: number): Promise<void> =>
    log.upTo(target, async (events, position) => {
      for (const recorded of events) take(recorded);
      await looking; // One look-up at a time, concurrent with the fold of the next page.
      looking = forgetCorrect(database, requests, requests.takeEnded());
      looking.catch(() => undefined);
      progress(position, target);
    });
  // Twice, so that few events are left to read while the tables are locked.
  await readTo(lowest(await readPositions(database)));
  await readTo(lowest(await readPositions(database)));
  await looking;

  return inOneSnapshot(database, LOCK_WITHIN_MS, async (tx, positions) => {
    await log.upTo(Math.max(...Object.values(positions)), (events) => {
      for (const recorded of events) take(recorded, positions);
    });
    const report = (some: Iterable<Difference>): void => {
      for (const one of some) found(one);
    };
    await auditBalances(tx, accountId, accounts.books, report);
    await auditRequestRows(tx, store, requests, accountId, report);
    const id = accountId ?? null;
    const ofRequests = { charged: requests.charged, reversed: requests.reversed };
    const inRequests = await sumsIn(tx, 'requests', ['charged', 'reversed'], id);
    report(differences(id, 'sum of requests', ofRequests, inRequests));
    report(differences(id, 'sum of daily_usage', { charged }, await sumsIn(tx, 'daily_usage', ['charged'], id)));
    return { positions, accounts: accounts.books.size, requests: requests.count };
  });
};

const lowest = (positions: Positions): number => Math.min(...Object.values(positions));

/** Reads the log, or one stream of it, from its last position on. The next page is read while one is processed. */
const createReader = (store: LogAuditOptions['store'], accountId: string | undefined, size: number) => {
  let last: StoredEvent | undefined;
  const fetch = (): Promise<readonly StoredEvent[]> => {
    const page =
      accountId === undefined
        ? store.readAll(last?.position ?? 0, size)
        : store.readStream(accountStream(accountId), (last?.revision ?? -1) + 1, size);
    page.catch(() => undefined); // Awaited later.
    return page;
  };
  return {
    upTo: async (
      target: number,
      take: (events: readonly Recorded[], position: number) => Promise<void> | void,
    ): Promise<void> => {
      for (let next = fetch(), more = true; more;) {
        const page = await next;
        const due = page.filter(({ position }) => position <= target);
        last = due.at(-1) ?? last;
        more = due.length === size && (last?.position ?? 0) < target;
        if (more) next = fetch();
        await take(due.filter(({ type }) => isCounted(type)).map(decode), last?.position ?? 0);
      }
    },
  };
};

type Report = (some: Iterable<Difference>) => void;

const auditBalances = async (
  tx: ITask<object>,
  scope: string | undefined,
  books: ReadonlyMap<string, AccountBook>,
  report: Report,
): Promise<void> => {
  const left = new Set(books.keys());
  const found = new Map<SummedColumn, Credits>();
  for (let after: string | undefined = ''; after !== undefined;) {
    const rows: readonly BalanceRow[] = await tx.any<BalanceRow>(
      `select * from ${LIVE}.balances where account_id > $1 and ($2::text is null or account_id = $2)
       order by account_id limit ${BATCH}`,
      [after, scope ?? null],
    );
    for (const row of rows) {
      for (const column of summed)
        found.set(column, (found.get(column) ?? 0n) + ((row[column] as bigint | null) ?? 0n));
      const book = books.get(row.account_id);
      if (!book) report([unfounded(row.account_id, 'balances')]);
      else report(differences(row.account_id, 'balances', rowOf(book), row));
      left.delete(row.account_id);
    }
    after = rows.length === BATCH ? rows.at(-1)?.account_id : undefined;
  }
  for (const accountId of left) report([missing(accountId, 'balances')]);
  for (const [accountId, { wallet }] of books) report(brokenPromises(accountId, wallet));

  const all = [...books.values()];
  const rows = all.map(rowOf);
  const totals = (of: (column: SummedColumn) => Credits) => Object.fromEntries(summed.map((one) => [one, of(one)]));
  const said = totals((column) => sum(rows.map((row) => row[column])));
  const id = scope ?? null;
  const inRows = totals((column) => found.get(column) ?? 0n);
  report(differences(id, 'sum of balances', said, inRows));
  const balance = sum(all.map(({ wallet }) => wallet.balance));
  const balanceSaid = sum(all.map(({ wallet }) => balanceOf(wallet)));
  report(differences(id, 'sum of accounts', { balance: balanceSaid }, { balance }));
};

/** The columns of which the sums over all accounts are compared. */
const summed = [
  ...(['topped_up', 'charged', 'reversed', 'repaid', 'refunded', 'charged_back'] as const),
  ...(['expired', 'forfeited', 'waived', 'written_off', 'debt'] as const),
];
type SummedColumn = (typeof summed)[number];

const rowOf = ({ wallet, writtenOff, revision }: AccountBook) =>
  ({ ...balanceColumns(wallet), written_off: writtenOff, revision }) satisfies Partial<BalanceRow>;

const sumsIn = (
  tx: ITask<object>,
  table: string,
  columns: readonly string[],
  accountId: string | null,
): Promise<Readonly<Record<string, bigint>>> =>
  tx.one<Readonly<Record<string, bigint>>>(
    `select ${columns.map((column) => `coalesce(sum(${column}), 0)::bigint as ${column}`).join(', ')}
     from ${LIVE}.${table} where $1::text is null or account_id = $1`,
    [accountId],
  );
