import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import pg from 'pg';
import { createPool, READ_WITHIN } from '../postgres/database/connections.ts';
import { StoreUnavailable } from '../event-store.ts';

/** A secret that every node must have, and how it is configured. */
export type CheckedSecret = {
  readonly kind: 'key_pepper' | 'data_key';
  readonly id: string;
  readonly secret: string | Buffer;
  /** The environment variable that contains it. */
  readonly variable: string;
  /** What to do if it is not the secret that the other nodes have. */
  readonly remedy: string;
};

/** Fault: a secret differs from the one that the database has a check value of. The message names the variable and the remedy. */
export class WrongSecret extends Error {
  override readonly name = 'WrongSecret';
  readonly code = 'wrong_secret';
}

/** Identifies a secret without revealing it. */
export type CheckValue = { readonly salt: Buffer; readonly mac: Buffer };

const SALT_BYTES = 16;
const derive = promisify(scrypt) as (secret: string | Buffer, salt: Buffer, bytes: number) => Promise<Buffer>;

/** scrypt makes each guess of a weak secret expensive; the salt makes a guess useless for other databases. */
export const checkValueOf = async (
  secret: string | Buffer,
  about: string,
  salt: Buffer = randomBytes(SALT_BYTES),
): Promise<CheckValue> => {
  const key = await derive(secret, salt, 32);
  return { salt, mac: createHmac('sha256', key).update(`kissapi secret check v1\n${about}`).digest() };
};

export const matches = async (secret: string | Buffer, about: string, known: CheckValue): Promise<boolean> => {
  const { mac } = await checkValueOf(secret, about, known.salt);
  return mac.length === known.mac.length && timingSafeEqual(mac, known.mac);
};

const INSERT = `insert into secret_checks (kind, id, salt, mac) values ($1, $2, $3, $4) on conflict do nothing`;
const SELECT = `select salt, mac from secret_checks where kind = $1 and id = $2`;

/**
 * Compares secrets with the check values in the database. The first node that uses an id stores its check value. Rejects
 * with WrongSecret.
 */
export const checkSecrets = (databaseUrl: string, secrets: readonly CheckedSecret[]): Promise<void> =>
  withDatabase(databaseUrl, async (database) => {
    // The newest is last, so that ids are stored in the order of their rotation.
    for (const { kind, id, secret, variable, remedy } of secrets.toReversed()) {
      const about = `${kind}\n${id}`;
      const find = async () => (await database.query<CheckValue>(SELECT, [kind, id])).rows[0];
      let known = await find();
      if (!known) {
        const { salt, mac } = await checkValueOf(secret, about);
        const { rowCount } = await database.query(INSERT, [kind, id, salt, mac]);
        if (rowCount === 1) continue;
        known = await find(); // Another node was first.
      }
      if (known && (await matches(secret, about, known))) continue;
      throw new WrongSecret(`${variable} is not the secret that this database knows by the id "${id}". ${remedy}`);
    }
  });

/** Whether one of these secrets matches the check value that the database has under an id. */
export const isKnownAs = (
  databaseUrl: string,
  kind: CheckedSecret['kind'],
  id: string,
  secrets: readonly string[],
): Promise<boolean> =>
  withDatabase(databaseUrl, async (database) => {
    const known = (await database.query<CheckValue>(SELECT, [kind, id])).rows[0];
    const about = `${kind}\n${id}`;
    for (const secret of known ? secrets : []) if (known && (await matches(secret, about, known))) return true;
    return false;
  });

/** The ids of the check values of a kind in the database, the newest first. */
export const knownSecretIds = (databaseUrl: string, kind: CheckedSecret['kind']): Promise<readonly string[]> =>
  withDatabase(databaseUrl, async (database) => {
    const { rows } = await database.query<{ id: string }>(
      `select id from secret_checks where kind = $1 order by first_seen_at desc, id desc`,
      [kind],
    );
    return rows.map(({ id }) => id);
  });

/** Runs `use` on one connection. Rejects with StoreUnavailable if the database cannot be reached. */
export const withDatabase = async <T>(databaseUrl: string, use: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
  const pool = createPool(databaseUrl, { ...READ_WITHIN, max: 1, application_name: 'kissapi-secrets' });
  const client = await pool.connect().catch(async (cause: unknown) => {
    await pool.end();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreUnavailable(`the shared secrets cannot be reached: ${why}`, { cause });
  });
  try {
    return await use(client);
  } finally {
    client.release(true);
    await pool.end();
  }
};
