import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/cli/terminal/open-database.ts';
import { findRunningBundledPostgres, startBundledPostgres } from '../../src/gateway/start/bundled-postgres.ts';
import { decode } from '../../src/eventstore/journal/codec.ts';
import { createDataKeys } from '../../src/eventstore/secrets/data-keys.ts';
import { createVault } from '../../src/eventstore/journal/personal-data.ts';
import { secretKey } from '../../src/eventstore/secrets/sealed-bytes.ts';
import { writeLocalSecret } from '../../src/config/local-secrets.ts';
import { migratePostgresStore } from '../../src/eventstore/postgres/postgres.ts';
import { openLog } from '../support/stores/log.ts';
import { createDatabase } from '../../src/projections/database.ts';
import { migrateProjections, projections } from '../../src/projections/rows/live.ts';
import { LIVE } from '../../src/projections/projection.ts';
import { bringUpToDate } from '../../src/projections/rebuild/rebuild.ts';
import { applyEvents } from '../../src/projections/rows/rows.ts';
import { runCommand, spawnCommand, type Ran } from '../support/command.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { storeEnv } from '../support/stores/store-env.ts';
import { ACCOUNT, ada, writeLedger } from './ledger.ts';

const run = (script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> =>
  runCommand(script, args, { env });

const MASTER_KEY = randomBytes(32);
const masterKey = secretKey(MASTER_KEY);

/** A database with a log and all projections, as a gateway leaves it. */
const fill = async (url: string): Promise<void> => {
  await migratePostgresStore(url);
  await migrateProjections(url);
  const store = openLog(url);
  const database = createDatabase(url);
  const dataKeys = createDataKeys(url, [{ id: '1', key: masterKey }]);
  await writeLedger(store, await createVault(dataKeys).seal(ACCOUNT, ada));
  await dataKeys.close();
  await bringUpToDate(database, store, projections, () => undefined);
  const events = (await store.readAll(0, 1000)).map(decode);
  for (const projection of projections) await applyEvents(database, projection, LIVE, events);
  await store.close();
  await database.$pool.end();
};

let database: TestDatabase;
/** No key is there. */
const NOWHERE = join(tmpdir(), 'kissapi-nowhere');
let env: { DATABASE_URL: string; KISSAPI_DATA: string };
beforeAll(async () => {
  database = await createTestDatabase();
  env = { DATABASE_URL: database.url, KISSAPI_DATA: NOWHERE };
  await fill(database.url);
});
afterAll(() => database.drop());

describe('replay', () => {
  it("tells an account's story and sums it up", async () => {
    const { code, stdout, stderr } = await run('replay', [ACCOUNT], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').filter((line) => line.includes('  #'))).toHaveLength(19);
    expect(stdout).toContain('After 19 events');
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('h4sh');
  });

  it('tells who it is of to those who have the master key, and the money to everybody', async () => {
    const known = { code: 0, stderr: '', stdout: expect.stringContaining('Ada <ada@example.com>') as unknown };
    const sealed = { code: 0, stderr: '', stdout: expect.stringMatching(/\[sealed\][^]*\[sealed\]/) as unknown };
    const key = MASTER_KEY.toString('base64');
    expect(await run('replay', [ACCOUNT], { ...env, KISSAPI_DATA_KEY: key })).toEqual(known);
    expect(await run('replay', [ACCOUNT], env)).toEqual(sealed);
    // Of a gateway in production a command needs the database, and nothing else.
    expect(await run('replay', [ACCOUNT], { ...env, NODE_ENV: 'production' })).toEqual(sealed);
    const other = await run('replay', [ACCOUNT], { ...env, KISSAPI_DATA_KEY: randomBytes(32).toString('hex') });
    expect(other).toEqual({ ...sealed, stderr: expect.stringMatching(/^replay: KISSAPI_DATA_KEY is not /) as unknown });

    const folder = await mkdtemp(join(tmpdir(), 'kissapi-cli-key-'));
    await writeLocalSecret(folder, 'data-key', MASTER_KEY.toString('base64url'));
    expect(await run('replay', [ACCOUNT], { ...env, KISSAPI_DATA: folder })).toEqual(known);
    await rm(folder, { recursive: true });
  });

  it('tells it up to an event, as JSON', async () => {
    const { stdout } = await run('replay', [ACCOUNT, '--revision', '7', '--json'], env);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(9);
    expect(lines[7]).toMatchObject({ revision: 7, type: 'CreditsReserved', balance_usd: '0.01', held_usd: '0.0035' });
    expect(lines[8]).toMatchObject({ summary: { revision: 7, available_usd: '0.0065', open_holds: 2 } });
  });

  it.each([
    [['acc_nobody'], /no account acc_nobody/],
    [[ACCOUNT, '--at', '2020-01-01T00:00:00Z'], /did not exist at that time/],
    [[ACCOUNT, '--at', '2100-01-01T00:00:00Z'], /yet to come/],
    [[ACCOUNT, '--at', 'yesterday'], /ISO 8601/],
    [[ACCOUNT, '--revision', '19'], /has not come to revision 19/],
    [[ACCOUNT, '--revision', 'x'], /whole number/],
    [[ACCOUNT, '--revision', '1', '--at', '2026-01-01T00:00:00Z'], /not both/],
    [[], /missing required argument/],
  ])('exits with 2 and says why: %j', async (args, words) => {
    const { code, stderr } = await run('replay', args, env);
    expect(code).toBe(2);
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('explain', () => {
  it.each(['gen-1', 'gen-2', 'gen-4'])('works the charge of %s out again', async (id) => {
    const { code, stdout, stderr } = await run('explain', [id], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('The recomputation agrees with the log.');
    expect(stdout).toContain('ok     charged in the projection of requests');
    expect(stdout).not.toContain('\u001b');
  });

  it('takes the id that the provider gave, too', async () => {
    expect((await run('explain', ['chatcmpl-1'], env)).stdout).toMatch(/^gen-\d of account acc_1/);
  });

  it('explains all generations that a provider gave one id, and says so', async () => {
    const { code, stdout, stderr } = await run('explain', ['chatcmpl-1'], env);
    expect(code).toBe(0);
    for (const id of ['gen-1', 'gen-2', 'gen-4']) {
      expect(stdout).toContain(`${id} of account ${ACCOUNT}`);
      expect(stderr).toContain(id);
    }
    expect(stderr).toMatch(/^explain: the provider gave this id to 3 generations/);
  });

  it('says plainly that a request which left nothing in the log was not charged', async () => {
    const id = 'req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d';
    for (const script of ['explain', 'replay']) {
      const { code, stdout, stderr } = await run(script, [id], env);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Nothing was charged\. The log has nothing of req_0198f3c2/);
    }
  });

  it.each(['explain', 'replay'])('%s never repeats a key that was pasted', async (script) => {
    const key = 'kiss_live_8dK2sQ0aBcDeFgHiJkLmNoPqRsTuVwXyZ';
    for (const args of [[key], [`--${key}`], ['gen-1', key, `--at=${key}`]]) {
      const { code, stdout, stderr } = await run(script, args, env);
      expect(code).toBe(2);
      expect(stdout + stderr).not.toContain(key);
    }
  });

  it('says that nothing was charged, or not yet', async () => {
    expect((await run('explain', ['gen-3'], env)).stdout).toMatch(/Nothing was charged\.\n$/);
    expect((await run('explain', ['gen-5'], env)).stdout).toMatch(/still under way/);
  });

  it('exits with 2 where there is no such generation', async () => {
    const { code, stderr } = await run('explain', ['gen-9'], env);
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'explain: There is no generation gen-9. Check the id.\n' });
  });

  it('exits with 1 where the rows say otherwise; rebuild finds it too, and mends it', async () => {
    const rows = createDatabase(database.url);
    await rows.none(`update ${LIVE}.requests set charged = charged + 1 where request_id = 'gen-1'`);
    await rows.$pool.end();
    const explained = await run('explain', ['gen-1'], env);
    expect(explained.code).toBe(1);
    expect(explained.stdout).toMatch(/WRONG {2}charged in the projection of requests: recorded 0\.002026252/);
    const rebuilt = await run('rebuild', ['requests'], env);
    expect(rebuilt.code).toBe(1);
    expect(rebuilt.stdout).toMatch(
      /^requests: 5 rows up to event 20, md5 [0-9a-f]{32}; .*; NOT the same as the live rows, which are replaced: 1 row differs/,
    );
    expect((await run('explain', ['gen-1'], env)).code).toBe(0);
  });
});

describe('rebuild', () => {
  it('builds all of them to the same bytes', async () => {
    const { code, stdout } = await run('rebuild', ['--all'], env);
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => line.split(':')[0])).toEqual(projections.map(({ name }) => name));
    for (const line of lines)
      expect(line).toMatch(
        /: \d+ rows? up to event 20, md5 [0-9a-f]{32}; 20 events at \d+ events\/s, .*; the same as the live rows\.$/,
      );
  });

  it.each([[['nothing']], [[]], [['balances', '--all']]])('exits with 2 and lists the names: %j', async (args) => {
    const { code, stderr } = await run('rebuild', args, env);
    expect(code).toBe(2);
    if (args.length < 2) expect(stderr).toContain('balances, requests, daily_usage');
  });
});

describe('every command', () => {
  it('says what is wrong with its database, and never its password', async () => {
    const gone = new URL(database.url);
    gone.port = '1';
    gone.password = 'h1dden';
    const answer = await run('replay', [ACCOUNT], { DATABASE_URL: gone.href });
    expect(answer.code).toBe(2);
    expect(answer.stderr).toMatch(/^replay: The database at 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/);
    expect(answer.stderr).not.toContain('h1dden');
    const misnamed = await run('replay', [ACCOUNT], { DATABASE_URL: 'mysql://x' });
    expect(misnamed.stderr).toContain('DATABASE_URL');
    const empty = await createTestDatabase();
    const unknown = await run('replay', [ACCOUNT], { DATABASE_URL: empty.url });
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('no KissAPI log yet') as unknown });
    await empty.drop();
  });
});

describe('the embedded database', () => {
  let dataDir: string;
  beforeAll(async () => (dataDir = await mkdtemp(join(tmpdir(), 'kissapi-cli-'))));
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  it('is used while a gateway runs it, and started for the moment where none does', async () => {
    const quiet = { dataDir, log: () => undefined };
    const none = await run('replay', [ACCOUNT], { KISSAPI_DATA: dataDir });
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("no gateway's database in") as unknown });

    const gateway = await startBundledPostgres(quiet);
    await fill(gateway.url);
    expect(await findRunningBundledPostgres(dataDir)).toBe(gateway.url);
    const beside = await openDatabase({
      ...quiet,
      databaseUrl: undefined,
      eventStoreUrl: storeEnv()['EVENT_STORE_URL'],
    });
    expect(beside.url).toBe(gateway.url);
    await beside.close();
    expect(await findRunningBundledPostgres(dataDir)).toBe(gateway.url);
    await gateway.stop();

    expect(await findRunningBundledPostgres(dataDir)).toBeUndefined();
    const alone = await spawnCommand('replay', [ACCOUNT, '--revision', '3'], { env: { KISSAPI_DATA: dataDir } });
    expect(alone.code).toBe(0);
    expect(alone.stdout).toContain('After 4 events');
    expect(alone.stderr).toBe('replay: No gateway is running: starting its database for this command.\n');
    expect(await findRunningBundledPostgres(dataDir)).toBeUndefined();
  });
});
