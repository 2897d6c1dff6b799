import type { BalanceRow } from './balances.ts';
import type { DailyUsageRow } from './daily-usage.ts';
import type { Database } from './database.ts';
import { LIVE } from './projection.ts';
import type { RequestRow } from './requests.ts';

export type Queries = {
  /** By our generation id or by the id that the upstream gave the response; of one account, or of any. */
  findRequest(id: string, accountId?: string): Promise<RequestRow | undefined>;
  /** Open requests whose run is none of those given, oldest first. */
  openRequestsOfOtherRuns(runIds: readonly string[]): Promise<readonly RequestRow[]>;
  balanceOf(accountId: string): Promise<BalanceRow | undefined>;
  /** Per day, of one key, from a day on (YYYY-MM-DD). */
  usageOfKey(keyId: string, fromDay: string): Promise<readonly DailyUsageRow[]>;
};

export const createQueries = (database: Database): Queries => ({
  findRequest: async (id, accountId) =>
    (await database.oneOrNone<RequestRow>(
      `select * from ${LIVE}.requests
       where (request_id = $1 or upstream_id = $1) and ($2::text is null or account_id = $2)
       order by (request_id = $1) desc, reserved_at desc limit 1`,
      [id, accountId ?? null],
    )) ?? undefined,
  openRequestsOfOtherRuns: (runIds) =>
    database.any<RequestRow>(
      `select * from ${LIVE}.requests where status = 'open' and run_id <> all($1) order by reserved_at limit 1000`,
      [runIds],
    ),
  balanceOf: async (accountId) =>
    (await database.oneOrNone<BalanceRow>(`select * from ${LIVE}.balances where account_id = $1`, [accountId])) ??
    undefined,
  usageOfKey: (keyId, fromDay) =>
    database.any<DailyUsageRow>(`select * from ${LIVE}.daily_usage where key_id = $1 and day >= $2 order by day`, [
      keyId,
      fromDay,
    ]),
});
