import { unwrapDataKey, wrapDataKey, type MasterKeys } from './data-keys.ts';
import { buffers, texts } from '../postgres/pg-arrays.ts';
import { withDatabase } from './secret-checks.ts';

/** Keys per statement. Whenever the process ends, each key is wrapped by exactly one of the master keys. */
const BATCH = 200;

export type RewrapOptions = {
  readonly databaseUrl: string;
  readonly masterKeys: MasterKeys;
  readonly progress: (done: number, total: number) => void;
};

/**
 * Wraps every data key with the newest master key, while gateways that accept both are running; resolves to the number of
 * keys. An interrupted run can be repeated. Rejects with WrongMasterKey, and leaves that data key unchanged, if a master key
 * is not the one that its id stands for.
 */
export const rewrapDataKeys = ({ databaseUrl, masterKeys, progress }: RewrapOptions): Promise<number> =>
  withDatabase(databaseUrl, async (database) => {
    const [newest, ...old] = masterKeys;
    const oldIds = old.map(({ id }) => id);
    const counted = await database.query<{ total: number }>(
      `select count(*)::int as total from data_keys where master_key_id = any($1) and wrapped is not null`,
      [oldIds],
    );
    const total = counted.rows[0]?.total ?? 0;
    let done = 0;
    progress(done, total);

    const nextPage = async (afterId: string) =>
      (
        await database.query<{ account_id: string; wrapped: Buffer; master_key_id: string }>(
          `select account_id, wrapped, master_key_id from data_keys
           where account_id > $1 and master_key_id = any($2) and wrapped is not null order by account_id limit $3`,
          [afterId, oldIds, BATCH],
        )
      ).rows;

    let afterId = '';
    for (let page; (page = await nextPage(afterId)).length > 0; afterId = page.at(-1)?.account_id ?? '') {
      const anew = page.flatMap((row) => {
        const key = unwrapDataKey(masterKeys, row.account_id, row);
        if (!key) return [];
        const wrapped = wrapDataKey(newest, row.account_id, key);
        // The replacement is opened before it overwrites anything.
        const opened = unwrapDataKey(masterKeys, row.account_id, { wrapped, master_key_id: newest.id });
        if (!opened?.equals(key)) throw new Error(`the data key of ${row.account_id} could not be wrapped anew`);
        return { accountId: row.account_id, before: row.wrapped, wrapped };
      });
      // A key that was destroyed meanwhile remains destroyed.
      const { rowCount } = await database.query(
        `update data_keys k set wrapped = anew.wrapped, master_key_id = $1
         from unnest($2::text[], $3::bytea[], $4::bytea[]) as anew (account_id, before, wrapped)
         where k.account_id = anew.account_id collate "C" and k.wrapped = anew.before`,
        [
          newest.id,
          texts(anew.map(({ accountId }) => accountId)),
          buffers(anew.map(({ before }) => before)),
          buffers(anew.map(({ wrapped }) => wrapped)),
        ],
      );
      done += rowCount ?? 0;
      progress(done, total);
    }
    return done;
  });
