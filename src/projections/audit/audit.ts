import pgPromise, { type ITask } from 'pg-promise';
import type { Lot } from '../../domain/account/lots.ts';
import { available, type Wallet } from '../../domain/account/wallet.ts';
import type { Credits } from '../../domain/money.ts';
import { balances } from '../rows/balances.ts';
import { dailyUsage } from '../rows/daily-usage.ts';
import type { Database } from '../database.ts';
import { LIVE, type Projection, type Row } from '../projection.ts';
import { requests, type RequestRow } from '../rows/requests.ts';

/** A difference between log and rows. Contains ids, columns and amounts in nano-USD, no personal data. */
export type Difference = {
  /** Null for a sum over all accounts. */
  readonly accountId: string | null;
  /** Table and column, for requests with the id between them: `balances.charged`, `requests.gen-1.status`. */
  readonly what: string;
  readonly log: string;
  readonly row: string;
};

const NO_ROW = 'no row';
const A_ROW = 'a row';

export const missing = (accountId: string, what: string): Difference => ({ accountId, what, log: A_ROW, row: NO_ROW });
export const unfounded = (accountId: string, what: string): Difference => ({
  accountId,
  what,
  log: NO_ROW,
  row: A_ROW,
});

/** Compares the expected columns of a row with the row. */
export const differences = (
  accountId: string | null,
  what: string,
  log: Partial<Row>,
  row: Partial<Row>,
): readonly Difference[] =>
  Object.entries(log).flatMap(([column, value = null]) => {
    const [said, found] = [show(value), show(row[column] ?? null)];
    return said === found ? [] : [{ accountId, what: `${what}.${column}`, log: said, row: found }];
  });

const show = (value: Row[string]): string => (value instanceof Date ? value.toISOString() : String(value));

/** Checks the invariants of a wallet. */
export const brokenPromises = (accountId: string, wallet: Wallet): readonly Difference[] => {
  const lots = [...wallet.lots.values()];
  const sums: Partial<Row> = {
    balance: balanceOf(wallet),
    lots: wallet.balance,
    locked: wallet.locked,
    refunds: sum(lots.map(({ heldForRefund }) => heldForRefund)),
    holds: wallet.held,
    'lots that do not add up': 0,
    'available >= 0': true,
  };
  return differences(accountId, 'account', sums, {
    balance: wallet.balance,
    lots: sum(lots.map(({ remaining }) => remaining)),
    locked: sum(lots.map(({ heldForRefund, frozen }) => heldForRefund + frozen)),
    refunds: sum([...wallet.refunds.values()].map(({ amount }) => amount)),
    'lots that do not add up': [...lots, ...wallet.spentLots.values()].filter((lot) => !addsUp(lot)).length,
    holds: sum([...wallet.holds.values()].map(({ amount }) => amount)),
    'available >= 0': available(wallet) >= 0n,
  });
};

/** What lots got and lost, in total. */
export const balanceOf = (wallet: Wallet): Credits => {
  const { toppedUp, reversed, charged, repaid, refunded, chargedBack, expired, forfeited, waived } = wallet;
  return toppedUp + reversed - charged - repaid - refunded - chargedBack - expired - forfeited - waived;
};

const addsUp = ({ amount, remaining, used, reversed, repaid, refunded, chargedBack, ...lost }: Lot): boolean =>
  amount + reversed ===
  remaining + used + repaid + refunded + chargedBack + lost.expired + lost.forfeited + lost.waived;

export const sum = (amounts: Iterable<Credits>): Credits => {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
};

/** Texts of providers, stored as far as PostgreSQL's `text` can represent them. They do not affect money. */
const PROVIDER_TEXTS: readonly string[] = ['finish_reason', 'upstream_id', 'detail'];
export const requestColumns = Object.keys(requests.columns).filter((column) => !PROVIDER_TEXTS.includes(column));

/** The columns of a request that are compared. */
export const compared = (row: Row): Partial<Row> =>
  Object.fromEntries(requestColumns.map((column) => [column, row[column] ?? null]));

/** Whether all compared columns agree: faster than `differences`, for millions of rows. */
export const agrees = (log: RequestRow, row: RequestRow): boolean =>
  requestColumns.every((column) => {
    const [said, found] = [(log as Row)[column], (row as Row)[column]];
    return said === found || (said instanceof Date && found instanceof Date && said.getTime() === found.getTime());
  });

const audited = [balances, requests, dailyUsage] as unknown as readonly Projection[];

/** By projection, the position of its rows. */
export type Positions = { readonly balances: number; readonly requests: number; readonly daily_usage: number };

/** Fault: the rows have another version than this software maintains, so the expected rows are unknown. */
export class OtherVersion extends Error {
  override readonly name = 'OtherVersion';
}

export const readPositions = async (sql: Database | ITask<object>): Promise<Positions> => {
  const rows = await sql.any<{ name: string; version: number; position: bigint }>(
    `select name, version, position from ${LIVE}.checkpoints`,
  );
  const found = new Map(rows.map((row) => [row.name, row]));
  const positions = audited.map(({ name, version }) => {
    const checkpoint = found.get(name);
    if (checkpoint?.version !== version) {
      const there = checkpoint ? `at version ${checkpoint.version}` : 'not there';
      throw new OtherVersion(`projection ${name} is ${there}, and this software makes version ${version}`);
    }
    return [name, Number(checkpoint.position)];
  });
  return Object.fromEntries(positions) as Positions;
};

const { TransactionMode, isolationLevel } = pgPromise.txMode;
const mode = new TransactionMode({ tiLevel: isolationLevel.repeatableRead, readOnly: true });

/**
 * Reads rows and checkpoints in one snapshot. The tables are locked against a take-over before the snapshot is taken, or it
 * might contain the checkpoint of one table and the rows of its successor. A take-over waits until `read` has ended.
 */
export const inOneSnapshot = <T>(
  database: Database,
  lockWithinMs: number,
  read: (tx: ITask<object>, positions: Positions) => Promise<T>,
): Promise<T> =>
  database.tx({ mode }, async (tx) => {
    await tx.none(`set local lock_timeout = ${lockWithinMs}`);
    await tx.none(`lock table ${audited.map(({ name }) => `${LIVE}.${name}`).join(', ')} in access share mode`);
    return read(tx, await readPositions(tx));
  });
