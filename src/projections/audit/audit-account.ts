import { accountOfStream, accountStream, evolveAccount, type Account } from '../../domain/account/account.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import type { Hold, Wallet } from '../../domain/account/wallet.ts';
import { decode, type Recorded } from '../../eventstore/journal/codec.ts';
import type { ChainedLog } from '../../eventstore/chained-log.ts';
import {
  inOneSnapshot,
  brokenPromises,
  compared,
  differences,
  missing,
  OtherVersion,
  sum,
  unfounded,
  type Difference,
  type Positions,
} from './audit.ts';
import { balanceColumns } from './audit-books.ts';
import { balances, type BalanceRow } from '../rows/balances.ts';
import type { Database } from '../database.ts';
import { LIVE, type Row } from '../projection.ts';
import { requests, type RequestRow } from '../rows/requests.ts';

/** The account at the end of its stream, or shortly before; `revision` is -1 if there is no such stream. */
export type ReadAccount = (accountId: string) => Promise<{ readonly state: Account; readonly revision: number }>;

export type AccountAuditOptions = {
  readonly database: Database;
  readonly store: Pick<ChainedLog, 'readStream'>;
  readonly readAccount: ReadAccount;
  /** The number of recent events whose requests are audited. */
  readonly window?: number;
  /** Rows that are behind by more events of the account are not audited. */
  readonly maxBehind?: number;
};

const WINDOW = 300;
const MAX_BEHIND = 5000;
const STEP = 1000;
const LOCK_WITHIN_MS = 2000;

/**
 * Compares an account with its rows, at the cost of a few hundred events for accounts of any size. Account and rows are read
 * at different times; the events in between are applied to the one that is behind, and the two must then agree. Undefined if
 * they cannot be compared now, because the rows are far behind or of another version.
 */
export const auditAccount = async (
  { database, store, readAccount, window = WINDOW, maxBehind = MAX_BEHIND }: AccountAuditOptions,
  accountId: string,
): Promise<readonly Difference[] | undefined> => {
  const stream = accountStream(accountId);
  const before = await readAccount(accountId);
  const from = Math.max(0, before.revision + 1 - window);
  const recent = await read(store, stream, from, before.revision + 1 - from);
  const ids = new Set([...recent.flatMap(requestOf), ...before.state.wallet.holds.keys()]);
  const rows = await readRows(database, accountId, [...ids]);
  if (!rows) return undefined;
  const after = await read(store, stream, before.revision + 1, maxBehind);
  if (after.length === maxBehind) return undefined;

  // The known events must include all events that the rows lack.
  const known = [...recent, ...after];
  const goal = Math.min(rows.at.balances, rows.at.requests);
  for (let first = known[0]; first && first.revision > 0 && first.position > goal; first = known[0]) {
    if (known.length > maxBehind + window) return undefined;
    const earlier = Math.max(0, first.revision - Math.min(STEP, maxBehind));
    known.unshift(...(await read(store, stream, earlier, first.revision - earlier)));
  }
  const { wallet } = after.reduce((account, { event }) => evolveAccount(account, event as AccountEvent), before.state);
  return [
    ...brokenPromises(accountId, wallet),
    ...auditBalance(accountId, wallet, known, rows),
    ...auditRequests(accountId, wallet, known, rows, ids),
  ];
};

type Rows = {
  readonly at: Positions;
  readonly balance: BalanceRow | undefined;
  /** The open requests of the account, and the requested ones. */
  readonly requests: readonly RequestRow[];
};

const readRows = async (database: Database, accountId: string, ids: readonly string[]): Promise<Rows | undefined> => {
  try {
    return await inOneSnapshot(database, LOCK_WITHIN_MS, async (tx, at) => ({
      at,
      balance:
        (await tx.oneOrNone<BalanceRow>(`select * from ${LIVE}.balances where account_id = $1`, [accountId])) ??
        undefined,
      requests: await tx.any<RequestRow>(
        `select * from ${LIVE}.requests where status = 'open' and account_id = $1
         union select * from ${LIVE}.requests where request_id = any($2::text[])`,
        [accountId, ids],
      ),
    }));
  } catch (error) {
    if (error instanceof OtherVersion) return undefined;
    throw error;
  }
};

const read = async (
  store: Pick<ChainedLog, 'readStream'>,
  stream: string,
  from: number,
  limit: number,
): Promise<readonly Recorded[]> => (limit > 0 ? (await store.readStream(stream, from, limit)).map(decode) : []);

const requestOf = ({ event }: Recorded): string[] => ('requestId' in event ? [event.requestId] : []);

const auditBalance = (
  accountId: string,
  wallet: Wallet,
  known: readonly Recorded[],
  { at, balance }: Rows,
): readonly Difference[] => {
  const touching = known.filter((recorded) => balances.keysOf(recorded).length > 0);
  const whole = (known[0]?.revision ?? 0) === 0;
  const begun = !whole || touching.some(({ position }) => position <= at.balances);
  if (begun && !balance) return [missing(accountId, 'balances')];
  if (!begun && balance) return [unfounded(accountId, 'balances')];
  const row = touching
    .filter(({ position }) => position > at.balances)
    .reduce<BalanceRow | undefined>((past, recorded) => balances.evolve(past, recorded, [accountId]), balance);
  if (!row) return [];
  const last = touching.at(-1);
  const writtenOff = known.map(({ event }) => (event.type === 'UsageWrittenOff' ? event.amount : 0n));
  const said: Partial<BalanceRow> = {
    ...balanceColumns(wallet),
    // The account state has neither, so they are compared only if the events are known.
    ...(last ? { revision: last.revision } : {}),
    ...(whole ? { written_off: sum(writtenOff) } : {}),
  };
  return differences(accountId, 'balances', said, row);
};

const auditRequests = (
  accountId: string,
  wallet: Wallet,
  known: readonly Recorded[],
  { at, requests: found }: Rows,
  asked: ReadonlySet<string>,
): readonly Difference[] => {
  const rows = new Map(found.map((row) => [row.request_id, row]));
  const ownEvents = Map.groupBy(
    known.filter((recorded) => 'requestId' in recorded.event),
    (recorded) => requestOf(recorded)[0] ?? '',
  );
  for (const [id, events] of ownEvents) {
    for (const recorded of events) {
      const row = rows.get(id);
      if (recorded.position <= at.requests || (!row && recorded.event.type !== 'CreditsReserved')) continue;
      rows.set(id, requests.evolve(row, recorded, [id]));
    }
  }
  const wrong: Difference[] = [];
  for (const [id, hold] of wallet.holds) wrong.push(...auditHold(accountId, id, hold, rows.get(id)));
  for (const { request_id: id, account_id, status } of rows.values()) {
    if (account_id !== accountId || status !== 'open' || wallet.holds.has(id)) continue;
    wrong.push(...differences(accountId, `requests.${id}`, { status: 'ended' }, { status }));
  }
  for (const [id, events] of ownEvents) {
    const row = rows.get(id);
    // A request that started and ended after the rows were read has no row yet.
    if (wallet.holds.has(id) || (!row && !asked.has(id))) continue;
    if (!row) wrong.push(missing(accountId, `requests.${id}`));
    else wrong.push(...differences(accountId, `requests.${id}`, compared(expected(row, events, id)), row as Row));
  }
  return distinct(wrong);
};

const auditHold = (accountId: string, id: string, hold: Hold, row: RequestRow | undefined): readonly Difference[] => {
  const what = `requests.${id}`;
  if (!row) return [missing(accountId, what)];
  const { amount, keyId, runId, price } = hold;
  const ofPrice = { model: price.model, price_version: price.version };
  const said = { account_id: accountId, status: 'open', held: amount, key_id: keyId, run_id: runId, ...ofPrice };
  return differences(accountId, what, said, row);
};

/**
 * The expected row of a request. If its start is before the known events, only its end is checked: the event that ends a
 * request sets all of its columns, so applying it again must change nothing.
 */
const expected = (row: RequestRow, events: readonly Recorded[], id: string): RequestRow => {
  const whole = events[0]?.event.type === 'CreditsReserved';
  const endings: readonly string[] = ['HoldReleased', 'HoldSettled', 'LateUsageCharged'];
  const told = whole ? events : events.filter(({ event }) => endings.includes(event.type));
  return (
    told.reduce<RequestRow | undefined>(
      (past, recorded) => requests.evolve(past, recorded, [id]),
      whole ? undefined : row,
    ) ?? row
  );
};

const distinct = (all: readonly Difference[]): readonly Difference[] => [
  ...new Map(all.map((one) => [one.what, one])).values(),
];

/** A random account, without reading all of them: ids are hashes, so the successor of a random id is random. */
export const anyAccount = async (database: Database, random: () => number): Promise<string | undefined> => {
  const start = `acc_${Math.floor(random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0')}`;
  const row = await database.one<{ account_id: string | null }>(
    `select coalesce(
       (select account_id from ${LIVE}.balances where account_id >= $1 order by account_id limit 1),
       (select account_id from ${LIVE}.balances order by account_id limit 1)) as account_id`,
    [start],
  );
  return row.account_id ?? undefined;
};

/** The account of a random event among the newest of the log. */
export const recentAccount = async (
  store: Pick<ChainedLog, 'head' | 'readAll'>,
  random: () => number,
  among = 10_000,
): Promise<string | undefined> => {
  const head = await store.head();
  const [event] = await store.readAll(Math.max(0, head - 1 - Math.floor(random() * Math.min(among, head))), 1);
  return event && accountOfStream(event.stream);
};
