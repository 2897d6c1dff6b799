import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createPool, READ_WITHIN } from './connections.ts';
import { StoreUnavailable } from './event-store.ts';
import { KEY_BYTES, openBytes, sealBytes, secretKey, type SecretKey } from './sealed-bytes.ts';

/** The key that wraps the accounts' data keys, and its name. It is kept apart from the database. */
export type MasterKey = { readonly id: string; readonly key: SecretKey };

/** One key for each account, kept outside the log, so that what it sealed can be made unreadable. */
export type DataKeys = {
  /**
   * The account's key, made if there is none; durable when it resolves, and the same for whoever asks at the same time.
   * Rejects with DestroyedKey where it was destroyed.
   */
  obtain(accountId: string): Promise<SecretKey>;
  /** The account's key; undefined where it was destroyed. Not remembered, so that a destroyed key is noticed at once. */
  find(accountId: string): Promise<SecretKey | undefined>;
};

export type PostgresDataKeys = DataKeys & {
  /** Rejects with WrongMasterKey where the keys of that name in the database were wrapped by another. */
  check(): Promise<void>;
  close(): Promise<void>;
};

/** Fault: the master key at hand is not the one that a data key was wrapped by. */
export class WrongMasterKey extends Error {
  override readonly name = 'WrongMasterKey';
  readonly code = 'wrong_master_key';
}

/** Fault: the account's personal data was erased, and nothing can be sealed for it any more. */
export class DestroyedKey extends Error {
  override readonly name = 'DestroyedKey';
  readonly code = 'destroyed_key';
}

type Row = { readonly wrapped: Buffer | null; readonly master_key_id: string };

/** In the table `data_keys` of the log's database, which must have been migrated. Must be closed. */
export const createDataKeys = (databaseUrl: string, masterKey: MasterKey): PostgresDataKeys => {
  const pool = createPool(databaseUrl, { ...READ_WITHIN, max: 2, application_name: 'kissapi-data-keys' });

  const query = async <R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<R | undefined> => {
    try {
      return (await pool.query<R>(text, values)).rows[0];
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StoreUnavailable(`the data keys cannot be reached: ${why}`, { cause });
    }
  };

  // The account and the name of the master key are part of what is wrapped: a row cannot pass for another's.
  const contextOf = (accountId: string): string => `kissapi data-key v1\n${masterKey.id}\n${accountId}`;

  const unwrap = (accountId: string, { wrapped, master_key_id }: Row): SecretKey | undefined => {
    if (wrapped === null) return undefined;
    if (master_key_id !== masterKey.id) {
      throw new WrongMasterKey(
        `The data key of ${accountId} is wrapped by the master key "${master_key_id}", and KISSAPI_DATA_KEY_ID says that ` +
          `ours is "${masterKey.id}".`,
      );
    }
    const bytes = openBytes(masterKey.key, wrapped, contextOf(accountId));
    if (bytes) return secretKey(bytes);
    throw new WrongMasterKey(
      `KISSAPI_DATA_KEY is not the master key "${masterKey.id}" that the data key of ${accountId} is wrapped by. Set it ` +
        'to that one. If that is lost, so is the personal data of before: name the new one with KISSAPI_DATA_KEY_ID.',
    );
  };

  const find: DataKeys['find'] = async (accountId) => {
    const row = await query<Row>('select wrapped, master_key_id from data_keys where account_id = $1', [accountId]);
    return row && unwrap(accountId, row);
  };

  return {
    find,
    obtain: async (accountId) => {
      const fresh = secretKey(randomBytes(KEY_BYTES));
      const wrapped = sealBytes(masterKey.key, fresh.export(), contextOf(accountId));
      const made = await query(
        `insert into data_keys (account_id, wrapped, master_key_id) values ($1, $2, $3)
         on conflict (account_id) do nothing returning account_id`,
        [accountId, wrapped, masterKey.id],
      );
      const key = made ? fresh : await find(accountId);
      if (!key) throw new DestroyedKey(`the data key of ${accountId} was destroyed`);
      return key;
    },
    check: async () => {
      const row = await query<Row & { account_id: string }>(
        `select account_id, wrapped, master_key_id from data_keys
         where master_key_id = $1 and wrapped is not null limit 1`,
        [masterKey.id],
      );
      if (row) unwrap(row.account_id, row);
    },
    close: () => pool.end(),
  };
};
