import { createHmac } from 'node:crypto';
import type pg from 'pg';
import type { MasterKey, MasterKeys } from './data-keys.ts';
import { openBytes, sealBytes } from './sealed-bytes.ts';
import { checkValueOf, matches, withDatabase, WrongSecret, type CheckValue } from './secret-checks.ts';

/** Secrets that all nodes of a database share, and that do not change with the peppers. */
export type SharedSecrets = {
  /** Derives ids from Idempotency-Keys. With another secret, earlier keys are not recognised. */
  readonly idempotency: string;
  /** Authenticates snapshots. */
  readonly snapshots: string;
  /** Derives one-time codes. With another secret, codes that were sent and are not redeemed become invalid. */
  readonly oneTimeCodes: string;
  /** Hashes mailboxes and entities. With another secret, the same person could register again. */
  readonly identities: string;
};

const NAMES = {
  ...{ idempotency: 'idempotency', snapshots: 'snapshots' },
  ...{ oneTimeCodes: 'one_time_codes', identities: 'identities' },
} as const;
/** For these, earlier releases used the pepper itself. */
const ONCE_THE_PEPPER: readonly string[] = [NAMES.idempotency, NAMES.snapshots];

export type SharedSecretsOptions = {
  /** Must have the tables of the log. */
  readonly databaseUrl: string;
  readonly masterKeys: MasterKeys;
  /** The newest first. */
  readonly peppers: readonly [string, ...string[]];
};

type Row = CheckValue & { readonly name: string; readonly master_key_id: string; readonly wrapped: Buffer };

const contextOf = (name: string, { id }: MasterKey): string => `kissapi shared-secret v1\n${id}\n${name}`;
const aboutOf = (name: string): string => `shared_secret\n${name}`;

/** Creates the secrets at the first start. Rejects with WrongSecret if they exist and no configured master key opens them. */
export const obtainSharedSecrets = (options: SharedSecretsOptions): Promise<SharedSecrets> =>
  locked(options.databaseUrl, async (database, rows) => {
    const obtain = async (name: string): Promise<string> => {
      const own = rows.filter((row) => row.name === name);
      const value = own.length > 0 ? await open(name, own, options) : await firstValue(database, name, options.peppers);
      await wrapByNewest(database, name, value, own, options.masterKeys);
      return value;
    };
    return {
      idempotency: await obtain(NAMES.idempotency),
      snapshots: await obtain(NAMES.snapshots),
      oneTimeCodes: await obtain(NAMES.oneTimeCodes),
      identities: await obtain(NAMES.identities),
    };
  });

/** Wraps the secrets with the newest master key, and removes the copies that older configured ones wrap. */
export const rewrapSharedSecrets = (databaseUrl: string, masterKeys: MasterKeys): Promise<void> =>
  locked(databaseUrl, async (database, rows) => {
    const [, ...old] = masterKeys;
    for (const name of new Set(rows.map((row) => row.name))) {
      const own = rows.filter((row) => row.name === name);
      await wrapByNewest(database, name, await open(name, own, { masterKeys, peppers: [] }), own, masterKeys);
      await database.query(`delete from shared_secrets where name = $1 and master_key_id = any($2)`, [
        ...[name, old.map(({ id }) => id)],
      ]);
    }
  });

/** One node at a time, so that two nodes do not create different secrets. One transaction, so that all or nothing is written. */
const locked = <T>(
  databaseUrl: string,
  use: (database: pg.PoolClient, rows: readonly Row[]) => Promise<T>,
): Promise<T> =>
  withDatabase(databaseUrl, async (database) => {
    await database.query('begin');
    await database.query('lock table shared_secrets in share row exclusive mode');
    const { rows } = await database.query<Row>('select name, master_key_id, wrapped, salt, mac from shared_secrets');
    const result = await use(database, rows);
    await database.query('commit');
    return result;
  });

const open = async (
  name: string,
  rows: readonly Row[],
  { masterKeys, peppers }: { readonly masterKeys: MasterKeys; readonly peppers: readonly string[] },
): Promise<string> => {
  for (const masterKey of masterKeys) {
    const row = rows.find(({ master_key_id }) => master_key_id === masterKey.id);
    const bytes = row && openBytes(masterKey.key, row.wrapped, contextOf(name, masterKey));
    if (bytes) return bytes.toString();
  }
  // If the master key is lost, personal data is lost with it. These secrets are not, as long as the pepper is the same.
  for (const value of peppers.flatMap((pepper) => [pepper, derived(pepper, name)])) {
    for (const row of rows) if (await matches(value, aboutOf(name), row)) return value;
  }
  const ids = rows.map(({ master_key_id }) => `"${master_key_id}"`).join(', ');
  throw new WrongSecret(
    `KISSAPI_DATA_KEY does not open the shared secret "${name}", which is wrapped by the master key ${ids}. Add that key to ` +
      'KISSAPI_DATA_KEYS_OLD. If it is lost, stop all gateways and run: truncate shared_secrets. Completions that are then ' +
      'repeated under an earlier Idempotency-Key are charged again, codes that were sent by mail become invalid, and a person ' +
      'who has an account can register another.',
  );
};

/**
 * Secrets that were once the pepper itself are, for an existing log, the oldest configured pepper, so that earlier
 * Idempotency-Keys are recognised. All others are derived.
 */
const firstValue = async (
  database: pg.PoolClient,
  name: string,
  peppers: SharedSecretsOptions['peppers'],
): Promise<string> => {
  const oldest = peppers.at(-1) ?? peppers[0];
  if (!ONCE_THE_PEPPER.includes(name)) return derived(oldest, name);
  const { rows } = await database.query<{ position: string }>('select position from log_head');
  return Number(rows[0]?.position ?? 0) === 0 ? derived(oldest, name) : oldest;
};

const derived = (pepper: string, name: string): string =>
  createHmac('sha256', pepper)
    .update(`kissapi ${aboutOf(name)}`)
    .digest('base64url');

const wrapByNewest = async (
  database: pg.PoolClient,
  name: string,
  value: string,
  rows: readonly Row[],
  [newest]: MasterKeys,
): Promise<void> => {
  const row = rows.find(({ master_key_id }) => master_key_id === newest.id);
  if (row && openBytes(newest.key, row.wrapped, contextOf(name, newest))) return;
  const wrapped = sealBytes(newest.key, Buffer.from(value), contextOf(name, newest));
  const { salt, mac } = await checkValueOf(value, aboutOf(name));
  await database.query(
    `insert into shared_secrets (name, master_key_id, wrapped, salt, mac) values ($1, $2, $3, $4, $5)
     on conflict (name, master_key_id) do update set wrapped = excluded.wrapped, salt = excluded.salt, mac = excluded.mac`,
    [name, newest.id, wrapped, salt, mac],
  );
};
