import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainedLog } from '../eventstore/chained-log.ts';
import { StoreUnavailable } from '../eventstore/event-store.ts';
import { eventsOfRequest } from '../eventstore/journal/completion-events.ts';
import type { Database } from '../projections/database.ts';
import { createNoticeQueries, type WantedNotices } from '../projections/notice-queries.ts';
import type { createQueries, WantedOwed, WantedPayments, WantedRequests } from '../projections/queries.ts';
import { balances } from '../projections/rows/balances.ts';
import { dailyUsage } from '../projections/rows/daily-usage.ts';
import { rowsReached } from '../projections/rows/live.ts';
import { notices } from '../projections/rows/notices.ts';
import { payments } from '../projections/rows/payments.ts';
import { requests, type RequestRow } from '../projections/rows/requests.ts';
import { transactions } from '../projections/rows/transactions.ts';

/** The longest wait for the row of a receipt. */
export const CAUGHT_UP_WITHIN_MS = 5000;

type RowQueriesOptions = {
  readonly store: ChainedLog;
  /** The rows that this node maintains. */
  readonly rows: { readonly reached: (position: number, signal: AbortSignal) => Promise<void> };
  readonly database: Database;
  readonly queries: ReturnType<typeof createQueries>;
};

type CaughtUp = (projection: { readonly name: string }) => Promise<void>;

/** Reads of the rows, complete up to what was acknowledged before, on any node. */
export const createRowQueries = (options: RowQueriesOptions) => {
  const { store, queries } = options;
  const caughtUp = createCaughtUp(options);
  return {
    listPayments: async (accountId: string, wanted: WantedPayments) => {
      await caughtUp(payments);
      return queries.paymentsOf(accountId, wanted);
    },
    notices: noticesOf(createNoticeQueries(options.database), caughtUp),
    /** The payment of a transaction or of an order of the partner. */
    paymentOf: async ({
      transactionId,
      orderId,
    }: {
      readonly transactionId: string;
      readonly orderId: string | null;
    }) => {
      await caughtUp(transactions);
      const byTransaction = await queries.paymentOfTransaction(transactionId);
      if (byTransaction !== undefined || orderId === null) return byTransaction;
      await caughtUp(payments);
      return queries.paymentOfOrder(orderId);
    },
    listOwed: async (wanted: WantedOwed) => {
      await caughtUp(balances);
      return queries.owedAccounts(wanted);
    },
    findGenerations: async (id: string, accountId: string) => {
      await caughtUp(requests);
      return (await queries.findRequests(id, accountId)).map(asGeneration);
    },
    filteredOn: async (day: string, accountId?: string) => {
      await caughtUp(requests);
      return queries.filteredOn(day, accountId);
    },
    listRequests: async (accountId: string, wanted: WantedRequests) => {
      await caughtUp(requests);
      return (await queries.requestsOf(accountId, wanted)).map(asGeneration);
    },
    findHttpRequest: async (requestId: string) => {
      await caughtUp(requests);
      const [generations, events] = await Promise.all([
        queries.findRequests(requestId),
        eventsOfRequest(store, requestId),
      ]);
      return { generations: generations.map(asGeneration), events };
    },
    /** What a key has used in the day, week and month of a time. */
    findKeyUsage: async (keyId: string, at: Date) => {
      await caughtUp(dailyUsage);
      return queries.usageOfKey(keyId, at);
    },
  };
};

/** Notices and the accounts that need one. */
const noticesOf = (noticeQueries: ReturnType<typeof createNoticeQueries>, caughtUp: CaughtUp) => ({
  announcements: async (announcementId?: string) => {
    await caughtUp(notices);
    return noticeQueries.announcements(announcementId);
  },
  ofAnnouncement: async (announcementId: string, wanted: WantedNotices) => {
    await caughtUp(notices);
    return noticeQueries.noticesOf(announcementId, wanted);
  },
  accountsWithout: async (...asked: Parameters<typeof noticeQueries.accountsWithoutNotice>) => {
    await Promise.all([caughtUp(balances), caughtUp(notices)]);
    return noticeQueries.accountsWithoutNotice(...asked);
  },
  usersWithout: async (...asked: Parameters<typeof noticeQueries.usersWithoutNotice>) => {
    await Promise.all([caughtUp(dailyUsage), caughtUp(notices)]);
    return noticeQueries.usersWithoutNotice(...asked);
  },
});

/**
 * Resolves once the rows of a projection contain everything that was acknowledged before, whichever node maintains
 * them.
 */
const createCaughtUp =
  ({ store, rows, database }: RowQueriesOptions): CaughtUp =>
  async (projection) => {
    const head = await store.head();
    const patience = new AbortController();
    const tooLate = sleep(CAUGHT_UP_WITHIN_MS, undefined, { signal: patience.signal }).then(() => {
      throw new StoreUnavailable('the rows are behind the log');
    });
    const here = rows.reached(head, patience.signal);
    const elsewhere = rowsReached(database, projection, head, patience.signal);
    await Promise.race([here, elsewhere, tooLate]).finally(() => patience.abort());
  };

/** Tokens are numbers in JSON. */
const asGeneration = (row: RequestRow) => ({
  ...row,
  input_tokens: Number(row.input_tokens),
  cached_input_tokens: Number(row.cached_input_tokens),
  cache_write_tokens: Number(row.cache_write_tokens),
  output_tokens: Number(row.output_tokens),
  reasoning_tokens: Number(row.reasoning_tokens),
});
