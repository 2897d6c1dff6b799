import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createDataKeys,
  DestroyedKey,
  WrongMasterKey,
  type MasterKey,
  type PostgresDataKeys,
} from '../../../src/eventstore/secrets/data-keys.ts';
import { StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { secretKey, type SecretKey } from '../../../src/eventstore/secrets/sealed-bytes.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { query } from '../../support/sql.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
const opened: PostgresDataKeys[] = [];
afterAll(async () => {
  await Promise.all(opened.map((keys) => keys.close()));
  await database.drop();
});

const newMasterKey = (id = '1'): MasterKey => ({ id, key: secretKey(randomBytes(32)) });
const masterKey = newMasterKey();
/** What one process of the gateway has. */
const createNode = (by = masterKey, url = database.url): PostgresDataKeys => {
  const node = createDataKeys(url, [by]);
  opened.push(node);
  return node;
};
const bytesOf = (key: SecretKey | undefined): string | undefined => key?.export().toString('hex');
const sql = (text: string, ...values: unknown[]) => query<Record<string, unknown>>(database.url, text, values);

describe('data keys in PostgreSQL', () => {
  it('are made once, found by every node, and different for each account', async () => {
    const [one, other] = [createNode(), createNode()];
    expect(await one.find('acc_1')).toBeUndefined();
    const key = bytesOf(await one.obtain('acc_1'));
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    for (const found of [one.obtain('acc_1'), one.find('acc_1'), other.obtain('acc_1'), other.find('acc_1')]) {
      expect(bytesOf(await found)).toBe(key);
    }
    expect(bytesOf(await one.obtain('acc_2'))).not.toBe(key);
  });

  it('are made once where nodes ask at the same time', async () => {
    const [one, two, three] = [createNode(), createNode(), createNode()];
    for (let round = 0; round < 10; round++) {
      const asked = Array.from({ length: 4 }, () => [one, two, three].map((node) => node.obtain(`acc_busy_${round}`)));
      const keys = await Promise.all(asked.flat());
      expect(new Set(keys.map(bytesOf)).size).toBe(1);
    }
    expect(await sql(`select count(*)::int as n from data_keys where account_id like 'acc_busy_%'`)).toEqual([
      { n: 10 },
    ]);
  });

  it('are kept wrapped only', async () => {
    const key = (await createNode().obtain('acc_kept')).export();
    const [row] = await sql('select * from data_keys where account_id = $1', 'acc_kept');
    expect(row).toMatchObject({ master_key_id: '1', created_at: expect.any(Date) as unknown });
    const wrapped = row?.['wrapped'] as Buffer;
    expect(wrapped).toHaveLength(12 + 32 + 16);
    expect(wrapped.includes(key)).toBe(false);
  });

  it('that were destroyed are gone at once on every node, and are not made again', async () => {
    const [one, other] = [createNode(), createNode()];
    await one.obtain('acc_gone');
    await other.find('acc_gone');
    await sql('update data_keys set wrapped = null where account_id = $1', 'acc_gone');
    for (const node of [one, other]) {
      expect(await node.find('acc_gone')).toBeUndefined();
      await expect(node.obtain('acc_gone')).rejects.toThrow(DestroyedKey);
    }
    await sql('delete from data_keys where account_id = $1', 'acc_gone');
    expect(await one.find('acc_gone')).toBeUndefined();
  });

  it('are destroyed for ever, as often as it is asked, and also if there was none', async () => {
    const [one, other] = [createNode(), createNode()];
    const sealedWith = bytesOf(await one.obtain('acc_erased'));
    for (const node of [one, other, one]) await node.destroy('acc_erased');
    await other.destroy('acc_never');
    for (const account of ['acc_erased', 'acc_never']) {
      expect(await other.find(account)).toBeUndefined();
      await expect(one.obtain(account)).rejects.toThrow(DestroyedKey);
      expect(await sql('select wrapped from data_keys where account_id = $1', account)).toEqual([{ wrapped: null }]);
    }
    expect(sealedWith).toBeDefined();
    expect((await one.wrappedBy()).get('1')).toBe(
      (await sql(`select 1 from data_keys where wrapped is not null and master_key_id = '1'`)).length,
    );
  });

  it('destroyed while they are asked for are made by nobody', async () => {
    const nodes = [createNode(), createNode()];
    for (let round = 0; round < 10; round++) {
      const account = `acc_race_${round}`;
      await Promise.allSettled(
        nodes.flatMap((node) => [node.obtain(account), node.destroy(account), node.obtain(account)]),
      );
      for (const node of nodes) expect(await node.find(account)).toBeUndefined();
    }
  });

  it('cannot be put in the place of one another', async () => {
    const node = createNode();
    await node.obtain('acc_a');
    await node.obtain('acc_b');
    await sql(`update data_keys set wrapped = (select wrapped from data_keys where account_id = 'acc_a')
               where account_id = 'acc_b'`);
    await expect(node.find('acc_b')).rejects.toThrow(WrongMasterKey);
    await sql(`delete from data_keys where account_id in ('acc_a', 'acc_b')`);
  });

  it('are refused where they were changed', async () => {
    const node = createNode();
    await node.obtain('acc_changed');
    await sql(`update data_keys set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)
               where account_id = 'acc_changed'`);
    await expect(node.find('acc_changed')).rejects.toThrow(WrongMasterKey);
    await sql(`delete from data_keys where account_id = 'acc_changed'`);
  });

  it('say so where they cannot be reached', async () => {
    const gone = new URL(database.url);
    gone.port = '1';
    await expect(createNode(masterKey, gone.href).obtain('acc_1')).rejects.toThrow(StoreUnavailable);
  });
});

describe('the master key', () => {
  it('is found out before it does harm', async () => {
    await createNode().obtain('acc_1');
    await createNode().check();
    const wrong = createNode(newMasterKey());
    await expect(wrong.check()).rejects.toThrow(WrongMasterKey);
    await expect(wrong.check()).rejects.toThrow('KISSAPI_DATA_KEY');
    await expect(wrong.find('acc_1')).rejects.toThrow(WrongMasterKey);
  });

  it('of another name may begin, and says whose keys it cannot read', async () => {
    await createNode().obtain('acc_1');
    const next = createNode(newMasterKey('2027'));
    await next.check();
    await expect(next.find('acc_1')).rejects.toThrow('wrapped by the master key "1"');
    const key = bytesOf(await next.obtain('acc_2027'));
    expect(bytesOf(await next.find('acc_2027'))).toBe(key);
    await expect(createNode().find('acc_2027')).rejects.toThrow('"2027"');
  });
});
