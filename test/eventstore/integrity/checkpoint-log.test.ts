import { verify } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  digestOf,
  isSignedBy,
  keyIdOf,
  NO_CHECKPOINT,
  publicKeyOf,
  signedText,
} from '../../../src/eventstore/integrity/checkpoint.ts';
import { createCheckpointLog } from '../../../src/eventstore/integrity/checkpoint-log.ts';
import { createMigratedDatabase, emptyDatabase, type TestDatabase } from '../../support/database.ts';
import { query, takeAway } from '../../support/sql.ts';
import { aKey, AT_ONCE, createSignedLog, tamper } from '../signed-logs.ts';

let log: Awaited<ReturnType<typeof createSignedLog>>;
let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
beforeEach(async () => {
  await emptyDatabase(database);
  log = await createSignedLog(2, database);
});
afterEach(() => log.close());
afterAll(() => database.drop());

const signed = async () => {
  const outcome = await log.checkpoints.sign(AT_ONCE);
  if (outcome.kind !== 'signed') throw new Error(`it was not signed: ${JSON.stringify(outcome)}`);
  return outcome.checkpoint;
};

describe('the head of the log', () => {
  it('is signed, each time after the last', async () => {
    const before = await log.checkpoints.newest();
    if (!before) throw new Error('nothing was signed');
    await log.append();
    const checkpoint = await signed();
    const [event] = await log.store.readAll(29, 1);
    expect(checkpoint).toMatchObject({ position: 30, hash: event?.hash, previous: digestOf(before) });
    expect(checkpoint.keyId).toBe(keyIdOf(log.key.privateKey));
    expect(await log.checkpoints.newest()).toEqual(checkpoint);
    const key = publicKeyOf(log.key.privateKey);
    expect(verify(null, Buffer.from(signedText(checkpoint)), key, Buffer.from(checkpoint.signature, 'base64'))).toBe(
      true,
    );
    expect(isSignedBy({ ...checkpoint, position: 31 }, key)).toBe(false);
    const [first] = await query<{ previous: string }>(
      log.url,
      `select encode(previous, 'hex') as previous from log_checkpoints where position = 10`,
    );
    expect(first?.previous).toBe(NO_CHECKPOINT);
  });

  it('is signed when it is due, by number or by age, and not where it did not move', async () => {
    expect(await log.checkpoints.sign(AT_ONCE)).toEqual({ kind: 'nothing' });
    await log.append();
    expect(await log.checkpoints.sign({ events: 11, ms: 3_600_000 })).toEqual({ kind: 'nothing' });
    expect(await log.checkpoints.sign({ events: 10, ms: 3_600_000 })).toMatchObject({ kind: 'signed' });
    await log.append();
    expect(await log.checkpoints.sign({ events: 11, ms: 0 })).toMatchObject({ kind: 'signed' });
  });

  it('is signed once by however many at once', async () => {
    const others = Array.from({ length: 4 }, () => createCheckpointLog(log.url, log.key.privateKey));
    for (let round = 0; round < 5; round++) {
      await log.append();
      const outcomes = await Promise.all(others.map((one) => one.sign(AT_ONCE)));
      expect(outcomes.filter(({ kind }) => kind === 'signed')).toHaveLength(1);
      expect(outcomes.filter(({ kind }) => kind === 'nothing')).toHaveLength(3);
    }
    await Promise.all(others.map((one) => one.close()));
    expect(await query(log.url, 'select from log_checkpoints')).toHaveLength(7);
  });

  it('cannot be signed twice after the same checkpoint, nor a checkpoint be changed', async () => {
    await log.append();
    await signed();
    const copy = `insert into log_checkpoints select position + 1, time, hash, previous, key_id, signature from log_checkpoints where position = 30`;
    await expect(query(log.url, copy)).rejects.toThrow(/unique/);
    for (const change of [
      'update log_checkpoints set position = 1',
      'delete from log_checkpoints',
      'truncate log_checkpoints',
    ]) {
      await expect(query(log.url, change)).rejects.toThrow(/append-only/);
    }
  });

  it.each<[string, number, string]>([
    ['the event has another hash', 20, `update events set hash = sha256('') where position = 20`],
    ['the event is gone', 20, 'delete from events where position = 20'],
    ['the head went back', 11, 'update log_head set position = 10'],
    ['the head has another hash', 30, `update log_head set hash = sha256('')`],
    [
      'the signature is another',
      20,
      `update log_checkpoints set signature = set_byte(signature, 0, get_byte(signature, 0) # 1) where position = 20`,
    ],
    [
      'the time of the checkpoint is finer',
      20,
      `update log_checkpoints set time = time + interval '1 microsecond' where position = 20`,
    ],
    ['the checkpoint is gone', 20, 'delete from log_checkpoints where position = 20'],
  ])('is not signed where %s', async (_, position, change) => {
    await log.append();
    await tamper(log.url, change);
    expect(await log.checkpoints.sign(AT_ONCE)).toMatchObject({ kind: 'tampered', position });
    expect(await query(log.url, 'select from log_checkpoints where position > 20')).toEqual([]);
  });

  it('is signed behind a checkpoint of the key before, but not where that hides a broken one of our own', async () => {
    await log.append();
    const other = createCheckpointLog(log.url, aKey().privateKey);
    expect(await other.sign(AT_ONCE)).toMatchObject({ kind: 'signed' });
    await log.append();
    const fresh = createCheckpointLog(log.url, log.key.privateKey);
    expect(await fresh.sign(AT_ONCE)).toMatchObject({ kind: 'signed' });
    await log.append();
    await other.sign(AT_ONCE);
    await tamper(log.url, `update events set hash = sha256('') where position = 40`);
    const another = createCheckpointLog(log.url, log.key.privateKey);
    await log.append();
    expect(await another.sign(AT_ONCE)).toMatchObject({ kind: 'tampered', position: 40 });
    await Promise.all([other, fresh, another].map((one) => one.close()));
  });

  it('is signed again once the database is back', async () => {
    await log.append();
    const giveBack = await takeAway(log.url);
    await expect(log.checkpoints.sign(AT_ONCE)).rejects.toThrow();
    await giveBack();
    expect(await signed()).toMatchObject({ position: 30 });
  });
});
