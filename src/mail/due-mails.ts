import { createPool } from '../eventstore/postgres/database/connections.ts';
import { migrate, type MigrateOptions } from '../eventstore/postgres/database/migrate.ts';

export const migrateMail = (databaseUrl: string, options?: MigrateOptions): Promise<void> =>
  migrate(databaseUrl, 'mail', new URL('./sql/', import.meta.url), options);

export type MailBacklog = {
  readonly waiting: number;
  /** When the oldest of them was queued; undefined without any. */
  readonly oldestQueuedAt: Date | undefined;
};

/** The mails that wait to be sent, in a table. Must be closed. */
export type DueMails = {
  /** Does nothing if the mail is in the table. */
  add(mailId: string, queuedAt: Date): Promise<void>;
  /**
   * The ids of mails that are due, the longest due first; after them a few notices, which may be as many as there are
   * accounts. A code to sign in never waits for all of them.
   */
  due(now: Date, limit: number): Promise<readonly string[]>;
  postpone(mailId: string, until: Date): Promise<void>;
  remove(mailId: string): Promise<void>;
  backlog(): Promise<MailBacklog>;
  close(): Promise<void>;
};

const ANSWER_WITHIN_MS = 5000;
/** On disk: see people/notices. */
const IS_NOTICE = "mail_id like 'notice-%'";
export const NOTICES_AT_ONCE = 40;

export const createDueMails = (databaseUrl: string): DueMails => {
  const pool = createPool(databaseUrl, { max: 2, query_timeout: ANSWER_WITHIN_MS, application_name: 'kissapi-mail' });
  return {
    add: async (mailId, queuedAt) => {
      await pool.query(
        'insert into due_mails (mail_id, queued_at, due_at) values ($1, $2, $2) on conflict do nothing',
        [mailId, queuedAt],
      );
    },
    due: async (now, limit) => {
      const { rows } = await pool.query<{ mail_id: string }>(
        `(select mail_id from due_mails where due_at <= $1 and not ${IS_NOTICE} order by due_at limit $2)
         union all
         (select mail_id from due_mails where due_at <= $1 and ${IS_NOTICE} order by due_at limit $3)`,
        [now, limit, Math.min(limit, NOTICES_AT_ONCE)],
      );
      return rows.map(({ mail_id: mailId }) => mailId);
    },
    postpone: async (mailId, until) => {
      await pool.query('update due_mails set due_at = $2 where mail_id = $1', [mailId, until]);
    },
    remove: async (mailId) => {
      await pool.query('delete from due_mails where mail_id = $1', [mailId]);
    },
    backlog: async () => {
      const { rows } = await pool.query<{ waiting: string; oldest: Date | null }>(
        'select count(*) as waiting, min(queued_at) as oldest from due_mails',
      );
      return { waiting: Number(rows[0]?.waiting ?? 0), oldestQueuedAt: rows[0]?.oldest ?? undefined };
    },
    close: () => pool.end(),
  };
};
