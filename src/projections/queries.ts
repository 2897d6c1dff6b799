import { generationIdsOf } from '../domain/generation-ids.ts';
import { balances, type BalanceRow } from './rows/balances.ts';
import type { Database } from './database.ts';
import { LIVE } from './projection.ts';
import { payments, type PaymentRow } from './rows/payments.ts';
import { requests, type RequestRow } from './rows/requests.ts';

export type KeyUsage = {
  readonly day: bigint;
  readonly week: bigint;
  readonly month: bigint;
  readonly total: bigint;
};

export type OpenRequest = Pick<RequestRow, 'request_id' | 'account_id' | 'run_id'>;

export type DueLots = {
  readonly accountId: string;
  readonly endedAt: Date;
  /** Of the last event that changed the row. */
  readonly revision: number;
};

/** Completions of a key that a provider filtered on a day. */
export type Filtered = {
  readonly account_id: string;
  readonly key_id: string;
  readonly count: number;
  readonly since: Date;
};

/** What a closed account has left, in nano-USD. The parts make up the balance. */
export type OwedAccount = {
  readonly accountId: string;
  readonly closedAt: Date;
  readonly owed: bigint;
  readonly heldForRefund: bigint;
  readonly frozen: bigint;
  readonly heldForRequests: bigint;
};

export type Queries = {
  /** Keys with at least MANY_FILTERED on a UTC day, of one account or of all. Reads all requests, so it is for staff. */
  filteredOn(day: string, accountId?: string): Promise<readonly Filtered[]>;
  /** Like `findRequests`, but only the newest. */
  findRequest(id: string, accountId?: string): Promise<RequestRow | undefined>;
  /**
   * By generation id, by request id (`req_…`), or by the provider's response id, which may occur more than once; of one
   * account, or of any. Newest first, at most MAX_CANDIDATES. A request has a generation for each of its attempts: the one
   * that answered is first.
   */
  findRequests(id: string, accountId?: string): Promise<readonly RequestRow[]>;
  /** The requests of an account that match, newest first. */
  requestsOf(accountId: string, wanted: WantedRequests): Promise<readonly RequestRow[]>;
  /** A page of the open requests of other runs than these, ordered by id, which is the order of time. */
  openRequestsOfOtherRuns(runIds: readonly string[], afterId?: string): Promise<readonly OpenRequest[]>;
  /** The payments of an account, the newest first. */
  paymentsOf(accountId: string, wanted: WantedPayments): Promise<readonly PaymentRow[]>;
  /** The payment of a transaction, or of an order, of the partner. */
  paymentOfTransaction(transactionId: string): Promise<string | undefined>;
  paymentOfOrder(orderId: string): Promise<string | undefined>;
  /** Accounts of which a lot with credits has ended by `at`, without a record of it; those that ended first. */
  accountsWithDueLots(at: Date): Promise<readonly DueLots[]>;
  /** The closed accounts with credits, in the order in which they were closed. */
  owedAccounts(wanted: WantedOwed): Promise<readonly OwedAccount[]>;
  /** By projection, the position of its rows. */
  positions(): Promise<Readonly<Record<string, number>>>;
  balanceOf(accountId: string): Promise<BalanceRow | undefined>;
  /**
   * The charges of a key on the UTC day of `at`, in its week (from Monday), in its month, and in total; in nano-USD.
   */
  usageOfKey(keyId: string, at: Date): Promise<KeyUsage>;
};

/** An omitted field matches every request. */
export type WantedRequests = {
  readonly keyId?: string | undefined;
  readonly model?: string | undefined;
  readonly status?: RequestRow['status'] | undefined;
  /** Of the hold, by the clock of the log; `from` is included, `until` is not. */
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
  /** Only requests before this one: the last of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
};

/** `before` is the last payment of the page before. */
export type WantedPayments = { readonly before?: string | undefined; readonly limit: number };

/** `after` is the last account of the page before. */
export type WantedOwed = { readonly after?: string | undefined; readonly limit: number };

const OPEN_PAGE = 1000;
const DUE_PAGE = 100;
export const MAX_CANDIDATES = 20;
/** A few filtered completions are normal. Staff review keys with many. */
export const MANY_FILTERED = 10;
const MAX_FILTERED = 1000;

/** The ids of our own generations that an id may name. */
const namedBy = (id: string): readonly string[] => (id.startsWith('req_') ? generationIdsOf(id) : [id]);
/** PostgreSQL accepts no NUL in a text, and no id contains one. */
const hasNul = (id: string): boolean => id.includes('\0');

// Listed explicitly, because a table of newer nodes may have more columns.
const balanceColumns = Object.keys(balances.columns).join(', ');
const paymentColumns = Object.keys(payments.columns).join(', ');
const requestColumns = Object.keys(requests.columns).join(', ');

export const createQueries = (database: Database): Queries => ({
  findRequest: async (id, accountId) => (await findRequests(database, id, accountId))[0],
  findRequests: (id, accountId) => findRequests(database, id, accountId),
  // A refusal has the code of the provider in its detail.
  filteredOn: (day, accountId) =>
    database.any<Filtered>(
      `select account_id, key_id, count(*)::int as count, min(reserved_at) as since from ${LIVE}.requests
       where reserved_at >= $1::timestamptz and reserved_at < $1::timestamptz + interval '1 day'
         and ($2::text is null or account_id = $2)
         and (finish_reason = 'content_filter' or (status = 'released' and detail ~ 'content_(filter|policy)'))
       group by account_id, key_id having count(*) >= ${MANY_FILTERED} order by count(*) desc limit ${MAX_FILTERED}`,
      [`${day}T00:00:00Z`, accountId ?? null],
    ),
  // Generation ids are ordered by time.
  requestsOf: (accountId, { keyId, model, status, from, until, before, limit }) =>
    database.any<RequestRow>(
      `select ${requestColumns} from ${LIVE}.requests
       where account_id = $1 and ($2::text is null or key_id = $2) and ($3::text is null or model = $3)
         and ($4::text is null or status = $4) and ($5::timestamptz is null or reserved_at >= $5)
         and ($6::timestamptz is null or reserved_at < $6) and ($7::text is null or request_id < $7)
       order by request_id desc limit $8`,
      [accountId, keyId ?? null, model ?? null, status ?? null, from ?? null, until ?? null, before ?? null, limit],
    ),
  openRequestsOfOtherRuns: (runIds, afterId = '') =>
    // Materialised, because PostgreSQL might otherwise scan all requests in the order of their key.
    database.any<OpenRequest>(
      `with open as materialized (
         select request_id, account_id, run_id from ${LIVE}.requests
         where status = 'open' and run_id <> all($1) and request_id > $2
       )
       select * from open order by request_id limit ${OPEN_PAGE}`,
      [runIds, afterId],
    ),
  paymentsOf: (accountId, { before, limit }) =>
    database.any<PaymentRow>(
      `select ${paymentColumns} from ${LIVE}.payments
       where account_id = $1 and ($2::text is null or (opened_at, payment_id) <
         (select opened_at, payment_id from ${LIVE}.payments where payment_id = $2))
       order by opened_at desc, payment_id desc limit $3`,
      [accountId, before ?? null, limit],
    ),
  paymentOfTransaction: async (transactionId) =>
    (
      await database.oneOrNone<{ payment_id: string }>(
        `select payment_id from ${LIVE}.transactions where transaction_id = $1`,
        [transactionId],
      )
    )?.payment_id,
  paymentOfOrder: async (orderId) =>
    (
      await database.oneOrNone<{ payment_id: string }>(
        `select payment_id from ${LIVE}.payments where order_id = $1 limit 1`,
        [orderId],
      )
    )?.payment_id,
  accountsWithDueLots: async (at) => {
    const rows = await database.any<Pick<BalanceRow, 'account_id' | 'next_end' | 'revision'>>(
      `select account_id, next_end, revision from ${LIVE}.balances
       where next_end <= $1 order by next_end limit ${DUE_PAGE}`,
      [at],
    );
    return rows.flatMap(({ account_id: accountId, next_end: endedAt, revision }) =>
      endedAt ? [{ accountId, endedAt, revision }] : [],
    );
  },
  owedAccounts: (wanted) => findOwed(database, wanted),
  positions: async () => {
    const rows = await database.any<{ name: string; position: bigint }>(
      `select name, position from ${LIVE}.checkpoints`,
    );
    return Object.fromEntries(rows.map(({ name, position }) => [name, Number(position)]));
  },
  balanceOf: async (accountId) =>
    (await database.oneOrNone<BalanceRow>(`select ${balanceColumns} from ${LIVE}.balances where account_id = $1`, [
      accountId,
    ])) ?? undefined,
  usageOfKey: (keyId, at) =>
    database.one<KeyUsage>(
      `select
         coalesce(sum(charged) filter (where day = $2), 0)::bigint as day,
         coalesce(sum(charged) filter (where day between $3 and $2), 0)::bigint as week,
         coalesce(sum(charged) filter (where day between $4 and $2), 0)::bigint as month,
         coalesce(sum(charged), 0)::bigint as total
       from ${LIVE}.daily_usage where key_id = $1`,
      [keyId, utcDay(at), utcDay(mondayOf(at)), `${utcDay(at).slice(0, 7)}-01`],
    ),
});

const BALANCE = 'topped_up + reversed - charged - repaid - refunded - charged_back - expired - forfeited - waived';

const findOwed = async (database: Database, { after, limit }: WantedOwed): Promise<readonly OwedAccount[]> => {
  const rows = await database.any<
    Pick<BalanceRow, 'account_id' | 'held' | 'held_for_refund' | 'frozen'> & { closed_at: Date; balance: bigint }
  >(
    `select account_id, closed_at, held, held_for_refund, frozen, ${BALANCE} as balance from ${LIVE}.balances
     where closed_at is not null and ${BALANCE} > 0 and ($1::text is null or (closed_at, account_id) >
       (select closed_at, account_id from ${LIVE}.balances where account_id = $1))
     order by closed_at, account_id limit $2`,
    [after ?? null, limit],
  );
  return rows.map(({ account_id, closed_at, balance, held, held_for_refund, frozen }) => ({
    ...{ accountId: account_id, closedAt: closed_at, owed: balance - held - held_for_refund - frozen },
    ...{ heldForRefund: held_for_refund, frozen, heldForRequests: held },
  }));
};

const findRequests = async (
  database: Database,
  id: string,
  accountId: string | undefined,
): Promise<readonly RequestRow[]> => {
  if (hasNul(id)) return [];
  const own = namedBy(id);
  const rows = await database.any<RequestRow>(
    `select ${requestColumns} from ${LIVE}.requests
     where (request_id = any($1) or upstream_id = $2) and ($3::text is null or account_id = $3)
     order by (request_id = any($1)) desc,
       case when request_id = any($1) then array_position(array['settled', 'late', 'open', 'released'], status) end,
       reserved_at desc, request_id desc
     limit ${MAX_CANDIDATES}`,
    [own, id, accountId ?? null],
  );
  // Our own ids are unique, even if a provider returns the same id for other responses.
  const named = rows.filter(({ request_id }) => own.includes(request_id));
  return named.length > 0 ? named : rows;
};

const utcDay = (date: Date): string => date.toISOString().slice(0, 10);

const DAY_MS = 86_400_000;
const mondayOf = (date: Date): Date => new Date(date.getTime() - ((date.getUTCDay() + 6) % 7) * DAY_MS);
