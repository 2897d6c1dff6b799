import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createPool, READ_WITHIN } from '../postgres/database/connections.ts';
import { StoreUnavailable } from '../event-store.ts';
import type { CheckedSecret } from './secret-checks.ts';
import { KEY_BYTES, openBytes, sealBytes, secretKey, type SecretKey } from './sealed-bytes.ts';

/** The key that wraps the data keys of the accounts, and its id. It is kept outside the database. */
export type MasterKey = { readonly id: string; readonly key: SecretKey };

/** The newest first. Older ones only unwrap, except while a running node lacks the newest. */
export type MasterKeys = readonly [MasterKey, ...MasterKey[]];

export const withOlder = (newest: MasterKey, older: ReadonlyMap<string, SecretKey>): MasterKeys => [
  newest,
  ...[...older].map(([id, key]) => ({ id, key })),
];

/** For the comparison with the check values in the database. */
export const checkedMasterKeys = (masterKeys: MasterKeys): readonly CheckedSecret[] =>
  masterKeys.map(({ id, key }, n) => ({
    ...{ kind: 'data_key', id, secret: key.export() },
    variable: n === 0 ? 'KISSAPI_DATA_KEY' : `KISSAPI_DATA_KEYS_OLD (${id})`,
    remedy:
      'Set it to the one that the other gateways have. To change the master key, give the new one an id of its own with ' +
      'KISSAPI_DATA_KEY_ID, and keep the old one in KISSAPI_DATA_KEYS_OLD.',
  }));

/** One key per account, kept outside the log, so that destroying it makes its data unreadable. */
export type DataKeys = {
  /**
   * The key of the account, created if it does not exist. It is durable when this resolves, and concurrent callers get the
   * same key. Rejects with DestroyedKey if it was destroyed.
   */
  obtain(accountId: string): Promise<SecretKey>;
  /** The key of the account; undefined if it was destroyed. Not cached, so that destruction takes effect immediately. */
  find(accountId: string): Promise<SecretKey | undefined>;
};

export type PostgresDataKeys = DataKeys & {
  /** Rejects with WrongMasterKey if data keys in the database were wrapped by another key under the same id. */
  check(): Promise<void>;
  /**
   * Destroys the key of an account for ever, on every node, whether or not there was one. Durable when this resolves; may be
   * repeated.
   */
  destroy(accountId: string): Promise<void>;
  /**
   * Ids without a key, of accounts, persons, invitations and contacts that the log has since a position. A database that was
   * restored from a backup lacks the keys that were created after it; nothing else has them. At most 1,000.
   */
  withoutKey(sincePosition: number): Promise<readonly string[]>;
  /** How many data keys each master key wraps, by its id; destroyed ones do not count. */
  wrappedBy(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
};

/** Fault: a data key was wrapped by another master key than the configured one. */
export class WrongMasterKey extends Error {
  override readonly name = 'WrongMasterKey';
  readonly code = 'wrong_master_key';
}

/** Fault: the personal data of the account was erased, so nothing can be sealed for it. */
export class DestroyedKey extends Error {
  override readonly name = 'DestroyedKey';
  readonly code = 'destroyed_key';
}

type Row = { readonly wrapped: Buffer | null; readonly master_key_id: string };

// The account and the id of the master key are authenticated, so a row cannot be used for another account.
const contextOf = (accountId: string, masterKeyId: string): string =>
  `kissapi data-key v1\n${masterKeyId}\n${accountId}`;

export const wrapDataKey = ({ id, key }: MasterKey, accountId: string, dataKey: SecretKey): Buffer =>
  sealBytes(key, dataKey.export(), contextOf(accountId, id));

/** Undefined if the data key was destroyed. Throws WrongMasterKey if no master key opens it. */
export const unwrapDataKey = (
  masterKeys: MasterKeys,
  accountId: string,
  { wrapped, master_key_id }: Row,
): SecretKey | undefined => {
  if (wrapped === null) return undefined;
  const [newest] = masterKeys;
  const masterKey = masterKeys.find(({ id }) => id === master_key_id);
  if (!masterKey) {
    throw new WrongMasterKey(
      `The data key of ${accountId} is wrapped by the master key "${master_key_id}", and KISSAPI_DATA_KEY_ID says that ` +
        `ours is "${newest.id}". Add the key "${master_key_id}" to KISSAPI_DATA_KEYS_OLD.`,
    );
  }
  const bytes = openBytes(masterKey.key, wrapped, contextOf(accountId, master_key_id));
  if (bytes) return secretKey(bytes);
  throw new WrongMasterKey(
    masterKey === newest
      ? `KISSAPI_DATA_KEY is not the master key "${newest.id}" that the data key of ${accountId} is wrapped by. Set it ` +
          'to that one. If that is lost, so is the personal data of before: name the new one with KISSAPI_DATA_KEY_ID.'
      : `KISSAPI_DATA_KEYS_OLD has another master key "${master_key_id}" than the one that the data key of ${accountId} is ` +
          'wrapped by. Set it to that one.',
  );
};

const WITHOUT_KEY = `
  select sealed.id from events e, substr(e.stream, position('-' in e.stream) + 1) as sealed (id)
  where e.position > $1 and e.revision = 0 and e.stream ~ '^(account|person|invitation|contact)-'
    and not exists (select from data_keys k where k.account_id = sealed.id)
  order by e.position limit 1000`;

/**
 * In the table `data_keys` of the log's database, which must have been migrated. Must be closed. `wrapWith` names the master
 * key for new data keys: the newest that every running node accepts.
 */
export const createDataKeys = (
  databaseUrl: string,
  masterKeys: MasterKeys,
  wrapWith: () => string = () => masterKeys[0].id,
): PostgresDataKeys => {
  const pool = createPool(databaseUrl, { ...READ_WITHIN, max: 2, application_name: 'kissapi-data-keys' });

  const queryAll = async <R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<readonly R[]> => {
    try {
      return (await pool.query<R>(text, values)).rows;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StoreUnavailable(`the data keys cannot be reached: ${why}`, { cause });
    }
  };
  const query = async <R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<R | undefined> =>
    (await queryAll<R>(text, values))[0];

  const find: DataKeys['find'] = async (accountId) => {
    const row = await query<Row>('select wrapped, master_key_id from data_keys where account_id = $1', [accountId]);
    return row && unwrapDataKey(masterKeys, accountId, row);
  };

  return {
    withoutKey: async (sincePosition) => {
      const { rows } = await pool.query<{ id: string }>(WITHOUT_KEY, [sincePosition]);
      return rows.map(({ id }) => id);
    },
    find,
    obtain: async (accountId) => {
      const fresh = secretKey(randomBytes(KEY_BYTES));
      const masterKey = masterKeys.find(({ id }) => id === wrapWith()) ?? masterKeys[0];
      const made = await query(
        `insert into data_keys (account_id, wrapped, master_key_id) values ($1, $2, $3)
         on conflict (account_id) do nothing returning account_id`,
        [accountId, wrapDataKey(masterKey, accountId, fresh), masterKey.id],
      );
      const key = made ? fresh : await find(accountId);
      if (!key) throw new DestroyedKey(`the data key of ${accountId} was destroyed`);
      return key;
    },
    destroy: async (accountId) => {
      // The row stays, or a request that is still in progress could make another key.
      await query(
        `insert into data_keys (account_id, wrapped, master_key_id) values ($1, null, $2)
         on conflict (account_id) do update set wrapped = null where data_keys.wrapped is not null`,
        [accountId, masterKeys[0].id],
      );
    },
    check: async () => {
      for (const { id } of masterKeys) {
        const row = await query<Row & { account_id: string }>(
          `select account_id, wrapped, master_key_id from data_keys
           where master_key_id = $1 and wrapped is not null limit 1`,
          [id],
        );
        if (row) unwrapDataKey(masterKeys, row.account_id, row);
      }
    },
    wrappedBy: async () => {
      const rows = await queryAll<{ id: string; count: string }>(
        `select master_key_id as id, count(*) from data_keys where wrapped is not null group by 1 order by 1`,
        [],
      );
      return new Map(rows.map(({ id, count }) => [id, Number(count)]));
    },
    close: () => pool.end(),
  };
};
