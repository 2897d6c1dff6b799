import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkedMasterKeys, type MasterKey } from '../../../src/eventstore/secrets/data-keys.ts';
import { openLog } from '../../support/stores/log.ts';
import { secretKey } from '../../../src/eventstore/secrets/sealed-bytes.ts';
import {
  checkSecrets,
  isKnownAs,
  knownSecretIds,
  type CheckedSecret,
} from '../../../src/eventstore/secrets/secret-checks.ts';
import { obtainSharedSecrets, rewrapSharedSecrets } from '../../../src/eventstore/secrets/shared-secrets.ts';
import { noticeSigningKey } from '../../../src/eventstore/secrets/signing-keys.ts';
import { keyIdOf, publicKeyPem } from '../../../src/eventstore/integrity/checkpoint.ts';
import { createMigratedDatabase, emptyDatabase, type TestDatabase } from '../../support/database.ts';
import { query } from '../../support/sql.ts';
import { anEvent, aStream, slice } from '../logs.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
beforeEach(() => emptyDatabase(database));
afterAll(() => database.drop());

const newMasterKey = (id: string): MasterKey => ({ id, key: secretKey(randomBytes(32)) });
const pepper = (id: string, secret: string): CheckedSecret => ({
  ...{ kind: 'key_pepper', id, secret, variable: 'KISSAPI_KEY_PEPPER', remedy: 'Set it to the other one.' },
});
const [OLD, NEXT] = ['the-old-pepper-0123456789-0123456789', 'the-next-pepper-0123456789-012345678'];

describe('a secret', () => {
  it('is what the first node says, and another under the same id is refused by name', async () => {
    await checkSecrets(database.url, [pepper('1', OLD)]);
    await checkSecrets(database.url, [pepper('2', NEXT), pepper('1', OLD)]);
    await expect(checkSecrets(database.url, [pepper('1', NEXT)])).rejects.toThrow(
      'KISSAPI_KEY_PEPPER is not the secret that this database knows by the id "1". Set it to the other one.',
    );
    await expect(checkSecrets(database.url, [pepper('2', NEXT), pepper('1', NEXT)])).rejects.toThrow('"1"');
    expect(await knownSecretIds(database.url, 'key_pepper')).toEqual(['2', '1']);
  });

  it('is the same for nodes that start at once: the others are refused', async () => {
    const all = [OLD, NEXT, OLD, NEXT].map((secret) => checkSecrets(database.url, [pepper('1', secret)]));
    const ends = (await Promise.allSettled(all)).map(({ status }) => status);
    expect(ends.filter((end) => end === 'fulfilled')).toHaveLength(2);
  });

  it('is refused as a master key under the id of another, before any account has a data key', async () => {
    await checkSecrets(database.url, checkedMasterKeys([newMasterKey('1')]));
    const [newest, old] = [newMasterKey('2'), newMasterKey('1')];
    await expect(checkSecrets(database.url, checkedMasterKeys([old]))).rejects.toThrow(/^KISSAPI_DATA_KEY is not/);
    await expect(checkSecrets(database.url, checkedMasterKeys([newest, old]))).rejects.toThrow(
      /^KISSAPI_DATA_KEYS_OLD \(1\) is not/,
    );
  });

  it('is recognised under another id', async () => {
    await checkSecrets(database.url, [pepper('1', OLD)]);
    expect(await isKnownAs(database.url, 'key_pepper', '1', [NEXT, OLD])).toBe(true);
    expect(await isKnownAs(database.url, 'key_pepper', '1', [NEXT])).toBe(false);
    expect(await isKnownAs(database.url, 'key_pepper', '3', [OLD])).toBe(false);
  });

  it('is the newest also where it comes with its predecessor at the first start', async () => {
    await checkSecrets(database.url, [pepper('2', NEXT), pepper('1', OLD)]);
    expect(await knownSecretIds(database.url, 'key_pepper')).toEqual(['2', '1']);
  });

  it('leaves nothing in the database that is the same for the same secret elsewhere', async () => {
    const other = await createMigratedDatabase();
    const rows: unknown[] = [];
    for (const { url } of [database, other]) {
      await checkSecrets(url, [pepper('1', OLD)]);
      const [row] = await query<{ mac: string }>(url, `select encode(mac, 'hex') as mac from secret_checks`);
      rows.push(row?.mac);
    }
    expect(rows[0]).not.toBe(rows[1]);
    await other.drop();
  });
});

describe('the secrets that outlive the peppers', () => {
  const masterKey = newMasterKey('1');
  const obtain = (masterKeys: readonly [MasterKey, ...MasterKey[]], ...peppers: readonly [string, ...string[]]) =>
    obtainSharedSecrets({ databaseUrl: database.url, masterKeys, peppers });
  const append = async (): Promise<void> => {
    const store = openLog(database.url);
    await store.append([slice(aStream(), -1, anEvent())]);
    await store.close();
  };

  it('are the pepper itself for a log of the release before, and stay so when the pepper changes', async () => {
    await append();
    const before = await obtain([masterKey], OLD);
    expect(before).toMatchObject({ idempotency: OLD, snapshots: OLD });
    // Newer than that release.
    expect(before.oneTimeCodes).not.toBe(OLD);
    expect(await obtain([masterKey], NEXT, OLD)).toEqual(before);
    expect(await obtain([masterKey], NEXT)).toEqual(before);
  });

  it('are the oldest pepper for such a log, if the pepper is changed by the upgrade', async () => {
    await append();
    expect(await obtain([masterKey], NEXT, OLD)).toMatchObject({ idempotency: OLD, snapshots: OLD });
  });

  it('are four of their own for a new log, the same on nodes that start at once', async () => {
    const [one, two] = await Promise.all([obtain([masterKey], OLD), obtain([masterKey], NEXT)]);
    expect(one).toEqual(two);
    expect(new Set([...Object.values(one), OLD, NEXT]).size).toBe(6);
  });

  it('include one that the release before lacked, for a database that has the others', async () => {
    const before = await obtain([masterKey], OLD);
    await query(database.url, `delete from shared_secrets where name = 'one_time_codes'`);
    expect(await obtain([masterKey], OLD)).toEqual(before);
    expect(await obtain([masterKey], NEXT)).toEqual(before);
  });

  it('survive a lost master key as long as the pepper is the same', async () => {
    const before = await obtain([masterKey], OLD);
    const next = newMasterKey('2');
    expect(await obtain([next], OLD)).toEqual(before);
    // Wrapped by the new one from then on, so the pepper may change.
    expect(await obtain([next], NEXT)).toEqual(before);
  });

  it('are refused to a node that can open them by neither, which is told what to do', async () => {
    await obtain([masterKey], OLD);
    await expect(obtain([newMasterKey('2')], NEXT)).rejects.toThrow(
      /wrapped by the master key "1"\. Add that key to KISSAPI_DATA_KEYS_OLD/,
    );
  });

  it('are wrapped anew with the data keys, and then the old master key is of no use', async () => {
    const before = await obtain([masterKey], OLD);
    const next = newMasterKey('2');
    expect(await obtain([next, masterKey], NEXT)).toEqual(before);
    await rewrapSharedSecrets(database.url, [next, masterKey]);
    const rows = await query(database.url, 'select distinct master_key_id from shared_secrets');
    expect(rows).toEqual([{ master_key_id: '2' }]);
    expect(await obtain([next], NEXT)).toEqual(before);
    await expect(obtain([masterKey], NEXT)).rejects.toThrow('wrapped by the master key "2"');
  });
});

describe('a signing key', () => {
  it('is noticed when it is new, and when it is not the newest', async () => {
    const [one, two] = [0, 1].map(() => generateKeyPairSync('ed25519').privateKey);
    if (!one || !two) throw new Error('There are two.');
    const notice = (key: typeof one) => noticeSigningKey(database.url, key);
    expect(await notice(one)).toEqual({ id: keyIdOf(one), kind: 'first', others: [] });
    expect(await notice(one)).toMatchObject({ kind: 'first' });
    expect(await notice(two)).toEqual({ id: keyIdOf(two), kind: 'new', others: [keyIdOf(one)] });
    expect(await notice(two)).toMatchObject({ kind: 'known' });
    expect(await notice(one)).toEqual({ id: keyIdOf(one), kind: 'superseded', others: [keyIdOf(two)] });
    const rows = await query(database.url, 'select id, public_key from signing_keys order by first_used_at');
    expect(rows).toEqual([one, two].map((key) => ({ id: keyIdOf(key), public_key: publicKeyPem(key) })));
  });
});
