import type { Database } from './database.ts';
import { LIVE } from './projection.ts';
import { notices, type NoticeRow } from './rows/notices.ts';

/** What was announced, and how many accounts have a notice of it. */
export type AnnouncementRow = Pick<NoticeRow, 'announcement_id' | 'kind' | 'subject' | 'version' | 'effective_from'> & {
  readonly queued_at: Date;
  readonly accounts: bigint;
  readonly accepted: bigint;
  readonly pending: bigint;
  readonly failed: bigint;
};

/** `after` is the last account of the page before. */
export type WantedNotices = {
  readonly outcome?: NoticeRow['outcome'] | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
};

type Wanted = {
  readonly announcementId: string;
  readonly announcedAt: Date;
  readonly after: string;
  readonly limit: number;
};

const MOST_ANNOUNCEMENTS = 200;
const columns = Object.keys(notices.columns).join(', ');

const hasNotice = (accountId: string): string =>
  `exists (select from ${LIVE}.notices n where n.announcement_id = $1 and n.account_id = ${accountId} and n.queued_at >= $2)`;

export const createNoticeQueries = (database: Database) => ({
  /** The newest announcements, the newest first; or one of them. */
  announcements: (announcementId?: string) =>
    database.any<AnnouncementRow>(
      `select announcement_id, kind, subject, version, effective_from, min(queued_at) as queued_at, count(*) as accounts,
         count(*) filter (where outcome = 'accepted') as accepted,
         count(*) filter (where outcome = 'pending') as pending,
         count(*) filter (where outcome = 'failed') as failed
       from ${LIVE}.notices where $1::text is null or announcement_id = $1
       group by announcement_id, kind, subject, version, effective_from
       order by min(queued_at) desc, announcement_id limit ${MOST_ANNOUNCEMENTS}`,
      [announcementId ?? null],
    ),
  /** The notices of an announcement, the newest of each account, by account. */
  noticesOf: (announcementId: string, { outcome, after, limit }: WantedNotices) =>
    database.any<NoticeRow>(
      `select * from (
         select distinct on (account_id) ${columns} from ${LIVE}.notices
         where announcement_id = $1 and account_id > $2 order by account_id, queued_at desc
       ) newest where $3::text is null or outcome = $3 order by account_id limit $4`,
      [announcementId, after ?? '', outcome ?? null, limit],
    ),
  accountsWithoutNotice: async ({ announcementId, announcedAt, after, limit }: Wanted) =>
    idsOf(
      await database.any<AccountId>(
        `select account_id from ${LIVE}.balances b where account_id > $3 and not ${hasNotice('b.account_id')}
         order by account_id limit $4`,
        [announcementId, announcedAt, after, limit],
      ),
    ),
  /** Accounts that were charged for a model on these UTC days. */
  usersWithoutNotice: async (wanted: Wanted & { readonly model: string; readonly since: Date; readonly until: Date }) =>
    idsOf(
      await database.any<AccountId>(
        `select distinct account_id from ${LIVE}.daily_usage u
         where account_id > $3 and model = $5 and day between $6 and $7 and not ${hasNotice('u.account_id')}
         order by account_id limit $4`,
        [
          ...[wanted.announcementId, wanted.announcedAt, wanted.after, wanted.limit, wanted.model],
          ...[wanted.since, wanted.until].map((date) => date.toISOString().slice(0, 10)),
        ],
      ),
    ),
});

type AccountId = { readonly account_id: string };
const idsOf = (rows: readonly AccountId[]): readonly string[] => rows.map(({ account_id: accountId }) => accountId);
