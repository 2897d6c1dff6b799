import { randomBytes } from 'node:crypto';
import { createIdentity, type Identity, type IdentityOptions } from '../../src/identity/identity.ts';
import { createMemoryDataKeys } from '../support/postgres/data-keys.ts';
import { createMigratedDatabase } from '../support/database.ts';
import { shared } from '../support/shared.ts';
import { query } from '../support/sql.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Two nodes with pools of their own, on one database that the files of a worker share, and one clock. */
export type Nodes = {
  readonly url: string;
  readonly one: Identity;
  readonly other: Identity;
  readonly dataKeys: ReturnType<typeof createMemoryDataKeys>;
  now(): Date;
  forward(ms: number): void;
  /** A person whom no other test has. */
  person(): string;
  /** Everything that the tables of the database contain, as text. */
  dump(): Promise<string>;
  close(): Promise<void>;
};

export const ORIGIN = 'https://kissapi.test';

export const openNodes = async (given: Partial<IdentityOptions> = {}): Promise<Nodes> => {
  const { url } = await shared('identity', createMigratedDatabase);
  const dataKeys = createMemoryDataKeys();
  let now = Date.now();
  const open = (): Identity =>
    createIdentity({
      ...{ databaseUrl: url, now: () => new Date(now), randomBytes, dataKeys, serviceName: 'KissAPI' },
      ...{
        oneTimeCodesSecret: 'a-secret-that-the-nodes-share',
        identitiesSecret: 'another-one',
        publicUrl: () => `${ORIGIN}/base`,
      },
      ...given,
    });
  const [one, other] = [open(), open()];
  return {
    ...{ url, one, other, dataKeys },
    now: () => new Date(now),
    forward: (ms) => void (now += ms),
    person: () => `per_${randomBytes(12).toString('hex')}`,
    dump: async () => {
      const tables = await query<{ table: string }>(url, TABLES);
      const texts = tables.map(({ table }) => query(url, `select t::text as row from ${table} t`));
      return JSON.stringify(await Promise.all(texts));
    },
    close: async () => {
      await Promise.all([one.close(), other.close()]);
    },
  };
};

const TABLES = `select table_name as "table" from information_schema.tables where table_schema = 'public'`;

/** Alternately on both nodes, all at once. */
export const onBoth = <T>({ one, other }: Nodes, times: number, act: (node: Identity) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: times }, (_, n) => act(n % 2 === 0 ? one : other)));
