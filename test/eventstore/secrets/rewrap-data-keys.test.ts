import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  unwrapDataKey,
  wrapDataKey,
  WrongMasterKey,
  type MasterKey,
} from '../../../src/eventstore/secrets/data-keys.ts';
import { rewrapDataKeys } from '../../../src/eventstore/secrets/rewrap-data-keys.ts';
import { secretKey } from '../../../src/eventstore/secrets/sealed-bytes.ts';
import { runCommand } from '../../support/command.ts';
import { createMigratedDatabase, emptyDatabase, type TestDatabase } from '../../support/database.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
beforeEach(() => emptyDatabase(database));
afterAll(() => database.drop());

const newMasterKey = (id: string): MasterKey => ({ id, key: secretKey(randomBytes(32)) });
const [old, next] = [newMasterKey('1'), newMasterKey('2')];

/** Data keys of accounts, wrapped by a master key, as the gateways of before left them. */
const fill = async (count: number, by = old): Promise<ReadonlyMap<string, string>> => {
  const keys = new Map(
    Array.from({ length: count }, (_, n) => [`acc_${String(n).padStart(6, '0')}`, secretKey(randomBytes(32))]),
  );
  const [ids, wrapped] = [[...keys.keys()], [...keys].map(([id, key]) => wrapDataKey(by, id, key).toString('hex'))];
  await query(
    database.url,
    `insert into data_keys (account_id, wrapped, master_key_id)
     select id, decode(wrapped, 'hex'), $3 from unnest($1::text[], $2::text[]) as t (id, wrapped)`,
    [ids, wrapped, by.id],
  );
  return new Map([...keys].map(([id, key]) => [id, key.export().toString('hex')]));
};
const countBy = (id: string): Promise<number> =>
  query<{ n: number }>(database.url, 'select count(*)::int as n from data_keys where master_key_id = $1', [id]).then(
    ([row]) => row?.n ?? 0,
  );
/** What a node with these master keys reads. */
const readAll = async (masterKeys: readonly [MasterKey, ...MasterKey[]]) => {
  const rows = await query<{ account_id: string; wrapped: Buffer | null; master_key_id: string }>(
    database.url,
    'select account_id, wrapped, master_key_id from data_keys order by account_id',
  );
  return new Map(
    rows.map((row) => [row.account_id, unwrapDataKey(masterKeys, row.account_id, row)?.export().toString('hex')]),
  );
};
const rewrap = (masterKeys: readonly [MasterKey, ...MasterKey[]]) =>
  rewrapDataKeys({ databaseUrl: database.url, masterKeys, progress: () => undefined });

describe('wrapping data keys anew', () => {
  it('leaves every key as it was, under the new master key alone', async () => {
    const keys = await fill(450);
    expect(await rewrap([next, old])).toBe(450);
    expect(await readAll([next])).toEqual(keys);
    expect(await countBy('1')).toBe(0);
    expect(await rewrap([next, old])).toBe(0);
  });

  const DESTROY = 'update data_keys set wrapped = null where account_id = $1';

  it('leaves a destroyed key destroyed', async () => {
    await fill(2);
    await query(database.url, DESTROY, ['acc_000000']);
    expect(await rewrap([next, old])).toBe(1);
    expect((await readAll([next, old])).get('acc_000000')).toBeUndefined();
  });

  it('leaves a key destroyed that is destroyed after it was read and before it is written', async () => {
    await fill(2);
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('begin');
    await other.query(DESTROY, ['acc_000000']);
    // The key is still there for other sessions, and its row is locked.
    const rewrapped = rewrap([next, old]);
    const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(() => query(database.url, waiting), SOON).toHaveLength(1);
    await other.query('commit');
    await other.end();
    expect(await rewrapped).toBe(1);
    expect((await readAll([next, old])).get('acc_000000')).toBeUndefined();
  });

  it('touches nothing that its master keys do not open', async () => {
    const keys = await fill(3);
    await expect(rewrap([next, newMasterKey('1')])).rejects.toThrow(WrongMasterKey);
    expect(await rewrap([next, newMasterKey('0')])).toBe(0);
    expect(await readAll([old])).toEqual(keys);
  });
});

describe('npm run rewrap', () => {
  const hex = ({ key }: MasterKey): string => key.export().toString('hex');
  const envOf = (masterKey: MasterKey) => ({
    ...{ DATABASE_URL: database.url, KISSAPI_DATA_KEY: hex(masterKey), KISSAPI_DATA_KEY_ID: '2' },
    KISSAPI_DATA_KEYS_OLD: `1=${hex(old)}`,
  });
  const start = () =>
    spawn(process.execPath, ['src/cli/rewrap.ts'], { env: { ...process.env, ...envOf(next) }, stdio: 'ignore' });
  const finish = async (masterKey = next) => {
    const { code, stdout, stderr } = await runCommand('rewrap', [], { env: envOf(masterKey) });
    return { output: stdout + stderr, exitCode: code };
  };

  it('loses no key when it is killed at any point, and goes on from there', { timeout: 120_000 }, async () => {
    const keys = await fill(3000);
    // A row that is locked stops it there, wherever that is.
    for (const [account, done] of [
      ['acc_000500', 400],
      ['acc_001999', 1800],
    ] as const) {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      await client.query('begin');
      await client.query('select 1 from data_keys where account_id = $1 for update', [account]);
      const child = start();
      await expect.poll(() => countBy('2'), SOON).toBeGreaterThanOrEqual(done);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await client.end();
      expect(await readAll([next, old])).toEqual(keys);
      expect(await countBy('1')).toBeGreaterThan(0);
    }
    const { output, exitCode } = await finish();
    expect(output).toContain('master key 2: 3000 data keys');
    expect(output).toContain('No other master key is needed');
    expect(exitCode).toBe(0);
    expect(await readAll([next])).toEqual(keys);
  });

  it('refuses while a gateway runs that does not accept the new master key', async () => {
    await fill(1);
    const accepts = (ids: readonly string[]) => JSON.stringify({ peppers: ['1'], masterKeys: ids });
    await query(database.url, `insert into runs (id, seen_at, accepts) values ('a', now() + '1 hour', $1)`, [
      accepts(['1']),
    ]);
    const refused = await finish();
    expect(refused.exitCode).toBe(2);
    expect(refused.output).toContain('1 running gateway cannot read what the master key "2" wraps');
    expect(await countBy('1')).toBe(1);
    await query(database.url, 'update runs set accepts = $1', [accepts(['2', '1'])]);
    expect((await finish()).exitCode).toBe(0);
  });

  it('refuses another new master key than the gateways have, and says so where a key remains', async () => {
    await fill(1);
    expect((await finish()).exitCode).toBe(0);
    const slip = await finish(newMasterKey('2'));
    expect(slip.exitCode).toBe(2);
    expect(slip.output).toMatch(/^rewrap: KISSAPI_DATA_KEY is not/m);
    const other = newMasterKey('0');
    const key = secretKey(randomBytes(32));
    const wrapped = wrapDataKey(other, 'acc_other', key);
    await query(database.url, `insert into data_keys values ('acc_other', $1, '0')`, [wrapped]);
    const remains = await finish();
    expect(remains).toMatchObject({ exitCode: 1, output: expect.stringContaining('keep the master key 0') as unknown });
  });
});
