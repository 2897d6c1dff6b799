import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NO_CHECKPOINT, signCheckpoint, type Checkpoint } from '../../../src/eventstore/integrity/checkpoint.ts';
import { createCheckpointLog, readCheckpoints } from '../../../src/eventstore/integrity/checkpoint-log.ts';
import { verifyDatabase, type VerifyOptions } from '../../../src/eventstore/integrity/verify/verify-database.ts';
import pg from 'pg';
import { query } from '../../support/sql.ts';
import { aKey, AT_ONCE, createSignedLog, REHASH, tamper } from '../signed-logs.ts';

const BATCHES = 6;
const EVENTS = 10 * BATCHES;
const TABLES = ['events', 'log_head', 'log_checkpoints'];

let log: Awaited<ReturnType<typeof createSignedLog>>;
let kept: readonly Checkpoint[];

const readAllCheckpoints = async (): Promise<readonly Checkpoint[]> => {
  const client = new pg.Client({ connectionString: log.url });
  await client.connect();
  return readCheckpoints(client, 1, 1_000_000).finally(() => client.end());
};

beforeAll(async () => {
  log = await createSignedLog(BATCHES);
  kept = await readAllCheckpoints();
  for (const table of TABLES) await query(log.url, `create table good_${table} as table ${table}`);
});
afterAll(() => log.close());
/** Everything as it was. */
const restore = (): Promise<unknown> =>
  tamper(
    log.url,
    ...TABLES.flatMap((table) => [`truncate ${table}`, `insert into ${table} select * from good_${table}`]),
  );

/** In parts of seven events, so that every kind of seam is somewhere. */
const verify = (options: Partial<VerifyOptions> = {}) =>
  verifyDatabase(log.url, { publicKeys: [log.key.publicKey], kept: [], partSize: 7, threads: 1, ...options });

const sign = (over: Partial<Checkpoint>, key = log.key.privateKey) => {
  const last = kept.at(-1);
  if (!last) throw new Error('nothing was signed');
  return signCheckpoint({ ...last, ...over }, key);
};
const insertCheckpoint = ({ position, time, hash, previous, keyId, signature }: Checkpoint): string =>
  `insert into log_checkpoints values (${position}, '${time.toISOString()}', decode('${hash}', 'hex'),
   decode('${previous}', 'hex'), '${keyId}', decode('${signature}', 'base64'))`;

describe('an unchanged log', () => {
  it('is verified', async () => {
    const verdict = await verify({ kept });
    expect(verdict).toMatchObject({ flaw: undefined, first: 1, events: EVENTS, streams: 5 });
    expect(verdict.last).toMatchObject({ position: EVENTS });
    expect(verdict.signatures).toEqual({ good: BATCHES, unchecked: 0 });
  });

  it('is verified with any parts and threads', async () => {
    for (const partSize of [1, 10, 13, 1000])
      expect(await verify({ partSize })).toMatchObject({ flaw: undefined, events: EVENTS });
    const seen: number[] = [];
    const verdict = await verify({ threads: 2, progress: (done, total) => void seen.push(done / total) });
    expect(verdict).toEqual(await verify());
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
  });

  it('can be verified from an event on, and without a key', async () => {
    expect(await verify({ from: 25 })).toMatchObject({ flaw: undefined, first: 25, events: EVENTS - 24 });
    expect((await verify({ publicKeys: [] })).signatures).toEqual({ good: 0, unchecked: BATCHES });
  });

  it('may grow during the verification', async () => {
    const verifying = verify({ partSize: 3 });
    await log.append();
    await log.checkpoints.sign(AT_ONCE);
    expect((await verifying).flaw).toBeUndefined();
    expect(await verify()).toMatchObject({ flaw: undefined, events: EVENTS + 10 });
    await restore();
  });

  it('may be empty', async () => {
    const empty = await createSignedLog(0);
    const verdict = await verifyDatabase(empty.url, { publicKeys: [], kept: [] });
    expect(verdict).toMatchObject({ flaw: undefined, events: 0, first: undefined, last: undefined });
    await empty.close();
  });
});

describe('a changed log', () => {
  afterEach(restore);
  const at = 24;
  const change = (set: string): string => `update events set ${set} where position = ${at}`;

  it.each<[string, number, RegExp, ...string[]]>([
    ['the data', at, /hash/, change(`data = replace(data::text, 'n', 'm')::json`)],
    ['white space in the data', at, /hash/, change(`data = (data::text || ' ')::json`)],
    ['the metadata', at, /hash/, change(`metadata = replace(metadata::text, 'test', 'tesu')::json`)],
    [
      'where the data ends',
      at,
      /hash/,
      change(`data = (data::text || ' ')::json, metadata = ltrim(metadata::text)::json`),
    ],
    ['the type', at, /hash/, change(`type = 'SomethingElse'`)],
    ['the version', at, /hash/, change('version = 2')],
    ['the id', at, /hash/, change('id = gen_random_uuid()')],
    ['the stream', at, /hash/, change(`stream = 'stream-x'`)],
    ['the revision', at, /hash/, change('revision = 1000')],
    ['the time', at, /hash/, change(`time = time + interval '1 millisecond'`)],
    ['the time, by less than its hash tells', at, /milliseconds/, change(`time = time + interval '1 microsecond'`)],
    ['the time, to none', at, /milliseconds/, change(`time = 'infinity'`)],
    ['the hash', at, /hash/, change(`hash = set_byte(hash, 31, get_byte(hash, 31) # 1)`)],
    ['the position', EVENTS, /missing/, `update events set position = 1000 where position = ${EVENTS}`],
    [
      'the position, to far away',
      EVENTS,
      /missing/,
      `update events set position = 900000000000000 where position = ${EVENTS}`,
      'update log_head set position = 900000000000000',
    ],
    ['a row that is gone', at, /missing/, `delete from events where position = ${at}`],
    ['the first row gone', 1, /missing/, 'delete from events where position = 1'],
    [
      'a row before the first',
      0,
      /before the first/,
      'insert into events select 0, stream, 1000, gen_random_uuid(), type, version, data, metadata, time, hash from events where position = 1',
    ],
    [
      'two that were swapped',
      at,
      /hash/,
      `update events set position = case position when ${at} then -1 else -2 end where position in (${at}, ${at + 1})`,
      `update events set position = case position when -1 then ${at + 1} else ${at} end where position < 0`,
    ],
    ['the last one gone', EVENTS, /log ends/, `delete from events where position = ${EVENTS}`],
    ['the head behind', EVENTS - 1, /goes on/, 'update log_head set position = position - 2'],
    ['the head ahead', EVENTS + 1, /log ends/, 'update log_head set position = position + 1'],
    ['the hash of the head', EVENTS, /head/, `update log_head set hash = sha256('')`],
    ['the time of the head', EVENTS, /head/, `update log_head set time = time + interval '1 second'`],
    ['all of it gone', 1, /log ends/, 'truncate events'],
    ['a checkpoint gone', 40, /does not follow/, 'delete from log_checkpoints where position = 30'],
    ['the first checkpoint gone', 20, /does not follow/, 'delete from log_checkpoints where position = 10'],
    ['a checkpoint elsewhere', 31, /signature/, 'update log_checkpoints set position = 31 where position = 30'],
    [
      'a checkpoint before the first event',
      0,
      /before the first/,
      'update log_checkpoints set position = 0 where position = 10',
    ],
    [
      'the time of a checkpoint',
      30,
      /signature/,
      `update log_checkpoints set time = time + interval '1 millisecond' where position = 30`,
    ],
    ['the hash of a checkpoint', 30, /signature/, `update log_checkpoints set hash = sha256('') where position = 30`],
    [
      'what a checkpoint follows',
      30,
      /signature/,
      `update log_checkpoints set previous = sha256('') where position = 30`,
    ],
    [
      'the key of a checkpoint',
      30,
      /not given/,
      `update log_checkpoints set key_id = '0123456789abcdef' where position = 30`,
    ],
    [
      'a signature',
      30,
      /signature/,
      'update log_checkpoints set signature = set_byte(signature, 63, get_byte(signature, 63) # 1) where position = 30',
    ],
  ])('is found out by %s', async (_, position, what, ...statements) => {
    await tamper(log.url, ...statements);
    const { flaw } = await verify();
    expect(flaw).toMatchObject({ position, what: expect.stringMatching(what) as unknown });
    expect(flaw?.expected).not.toBe(flaw?.found);
    expect(await verify({ partSize: 1000 })).toMatchObject({
      flaw: { position, what: expect.stringMatching(what) as unknown },
    });
  });

  it('is detected by the signature if all hashes were recomputed', async () => {
    await tamper(log.url, change(`data = '{"text":"数😀","n":0}'`), REHASH(at));
    expect((await verify({ publicKeys: [] })).flaw).toMatchObject({
      position: 30,
      what: expect.stringMatching(/signed/) as unknown,
    });
    await tamper(log.url, 'delete from log_checkpoints');
    expect((await verify()).flaw).toBeUndefined(); // REHASH does make a log that is whole in itself,
    const elsewhere = await verify({ kept: kept.slice(2, 3) });
    expect(elsewhere.flaw).toMatchObject({ position: 30, what: expect.stringMatching(/kept elsewhere/) as unknown }); // but another one.
  });

  it('is detected by the signature if an event was inserted and all hashes were recomputed', async () => {
    await tamper(
      log.url,
      `update events set position = -position - 1 where position >= ${at}`,
      'update events set position = -position where position < 0',
      `insert into events select ${at}, 'stream-x', 0, gen_random_uuid(), type, version, data, metadata, time, hash from events where position = ${at - 1}`,
      REHASH(at),
    );
    expect((await verify()).flaw).toMatchObject({
      position: 30,
      what: expect.stringMatching(/not the one that was signed/) as unknown,
    });
  });

  // The first event of its stream, the first of its stream in a part, and one after another of its stream.
  it.each([1, 23, 24])(
    'is found out by a revision that does not follow at %i, though every hash fits',
    async (position) => {
      const set = `update events set revision = revision + 1000 where position = ${position}`;
      await tamper(log.url, 'delete from log_checkpoints', set, REHASH(position));
      for (const partSize of [1, 7, 1000]) {
        const { flaw } = await verify({ partSize });
        expect(flaw).toMatchObject({ position, what: expect.stringMatching(/revision/) as unknown });
      }
    },
  );

  it('is detected by a decreasing time, even if all hashes match', async () => {
    await tamper(log.url, 'delete from log_checkpoints', change(`time = time - interval '1 hour'`), REHASH(at));
    const { flaw } = await verify();
    expect(flaw).toMatchObject({ position: at, what: expect.stringMatching(/time is before/) as unknown });
  });

  it('is detected by a checkpoint kept elsewhere if the end was removed', async () => {
    const cut = [
      'delete from events where position > 35',
      REHASH(1),
      'delete from log_checkpoints where position > 35',
    ];
    await tamper(log.url, ...cut);
    expect((await verify()).flaw).toBeUndefined();
    expect((await verify({ kept })).flaw).toMatchObject({
      position: 36,
      what: expect.stringMatching(/ends here/) as unknown,
    });
    await restore();
    await tamper(log.url, ...cut.slice(0, 2)); // The checkpoints that an attacker leaves show it.
    expect((await verify()).flaw).toMatchObject({ position: 36, what: expect.stringMatching(/checkpoint/) as unknown });
  });

  it('is detected by a checkpoint kept elsewhere if the last checkpoint is missing or different', async () => {
    await tamper(log.url, `delete from log_checkpoints where position = ${EVENTS}`);
    expect((await verify()).flaw).toBeUndefined();
    const gone = { position: EVENTS, what: expect.stringMatching(/kept elsewhere is not in the log/) as unknown };
    expect((await verify({ kept })).flaw).toMatchObject(gone);
    await tamper(log.url, insertCheckpoint(sign({ time: new Date(Date.now() + 1000) })));
    expect((await verify()).flaw).toBeUndefined();
    expect((await verify({ kept })).flaw).toMatchObject(gone);
  });

  it('is detected by a checkpoint of another key', async () => {
    const forged = sign({}, aKey().privateKey);
    await tamper(log.url, `delete from log_checkpoints where position = ${EVENTS}`, insertCheckpoint(forged));
    expect((await verify()).flaw).toMatchObject({
      position: EVENTS,
      what: expect.stringMatching(/not given/) as unknown,
    });
  });

  it('is detected by a chain of checkpoints that starts again', async () => {
    await tamper(log.url, `delete from log_checkpoints`, insertCheckpoint(sign({ previous: NO_CHECKPOINT })));
    expect((await verify()).flaw).toBeUndefined();
    expect((await verify({ kept: kept.slice(0, 1) })).flaw).toMatchObject({ position: 10 });
  });
});

describe('a changed signing key', () => {
  it('is verified with its public key, and the earlier key with its own', async () => {
    const next = aKey();
    const signer = createCheckpointLog(log.url, next.privateKey);
    log.store.forgetHistory(); // What earlier tests changed and put back is no concern here.
    await log.append();
    expect(await signer.sign(AT_ONCE)).toMatchObject({ kind: 'signed' });
    await signer.close();
    expect((await verify({ publicKeys: [log.key.publicKey, next.publicKey] })).flaw).toBeUndefined();
    expect((await verify()).flaw).toMatchObject({
      position: EVENTS + 10,
      what: expect.stringMatching(/not given/) as unknown,
    });
    await restore();
  });
});
