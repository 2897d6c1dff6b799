import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startEventStoreDbStandIn, type EventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { streamsOf } from '../../src/eventstore/eventstoredb/begin.ts';
import { newestEvent } from '../../src/eventstore/eventstoredb/copy/newest-event.ts';
import { acquireSessions } from '../../src/eventstore/eventstoredb/connection/sessions.ts';
import { runCommand, type Ran } from '../support/command.ts';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';
import { createPremises, DATA_KEY, type Premises, type RunningGateway } from '../support/gateway.ts';
import { query } from '../support/sql.ts';
import { createSignedLog } from '../eventstore/signed-logs.ts';

let server: EventStoreDbStandIn;
beforeAll(async () => void (server = await startEventStoreDbStandIn()));
afterAll(() => server.close());

describe('a log that is moved to EventStoreDB and back', () => {
  let premises: Premises;
  let before: RunningGateway;
  let account: { readonly accountId: string; readonly apiKey: string };
  const inPostgres = { EVENT_STORE_URL: '' };
  const inEventStore = (): Readonly<Record<string, string>> => ({ EVENT_STORE_URL: server.url });
  beforeAll(async () => {
    premises = await createPremises();
    await query(premises.databaseUrl, 'update log_head set log_id = gen_random_uuid()');
    before = await premises.startGateway(inPostgres);
    account = await before.openAccount('5.00');
    await complete(before);
  });
  afterAll(() => premises.close());

  const complete = (gateway: RunningGateway) =>
    gateway
      .client(account.apiKey)
      .chat.completions.create({ model: 'simulated-chat', messages: [{ role: 'user', content: 'Hello' }] });
  const command = (script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> => {
    const { databaseUrl, dataDir } = premises;
    const all = { DATABASE_URL: databaseUrl, KISSAPI_DATA: dataDir, KISSAPI_DATA_KEY: DATA_KEY, ...env };
    return runCommand(script, args, { env: all });
  };
  const migrate = (store: string): Promise<Ran> => command('migrate-log', ['--to', store], inEventStore());

  it('is copied and compared while a gateway runs, and switched once it is stopped', async () => {
    const first = await migrate('eventstoredb');
    expect(first).toMatchObject({ code: 1, stdout: expect.stringContaining('Stop all gateways, and run this again') });
    await complete(before);
    await before.process.stop();
    const replayed = await command('replay', [account.accountId], inPostgres);

    const second = await migrate('eventstoredb');
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('EventStoreDB commits the log now') });
    expect(await command('replay', [account.accountId], inEventStore())).toEqual(replayed);
    expect(await migrate('eventstoredb')).toMatchObject({ code: 2, stderr: expect.stringContaining('already') });
  });

  it('is served, verified and audited there, and by no gateway without EVENT_STORE_URL', async () => {
    await expect(premises.startGateway(inPostgres)).rejects.toThrow('Set EVENT_STORE_URL');
    const gateway = await premises.startGateway(inEventStore());
    await complete(gateway);
    expect(await command('verify', [], inEventStore())).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('every signature is good'),
    });
    expect(await command('audit', [], inEventStore())).toMatchObject({ code: 0 });
    expect(await command('migrate-log', ['--verify-only'], inEventStore())).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Both stores have the same'),
    });
    expect(await migrate('postgres')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('Stop all gateways, and run this again'),
    });
    await gateway.process.stop();
  });

  it('is served from PostgreSQL again after the way back', async () => {
    expect(await migrate('postgres')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('PostgreSQL commits the log now'),
    });
    await expect(premises.startGateway(inEventStore())).rejects.toThrow('unset EVENT_STORE_URL');
    const gateway = await premises.startGateway(inPostgres);
    await complete(gateway);
    const { stdout } = await command('replay', [account.accountId], inPostgres);
    expect(stdout.match(/gen-/g)?.length).toBeGreaterThanOrEqual(4);
    expect(await command('verify', [], inPostgres)).toMatchObject({ code: 0 });
    expect(await command('audit', [], inPostgres)).toMatchObject({ code: 0 });
    await gateway.process.stop();
  });
});

describe('the command', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    await query(database.url, 'update log_head set log_id = gen_random_uuid()');
  });
  afterAll(() => database.drop());
  const env = (url: string) => ({ DATABASE_URL: database.url, EVENT_STORE_URL: url });
  const run = (args: readonly string[], url = server.url) => runCommand('migrate-log', args, { env: env(url) });

  it('needs EVENT_STORE_URL, a store, and a log with events', async () => {
    expect(await run(['--to', 'postgres'], '')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Set EVENT_STORE_URL'),
    });
    expect(await run([])).toMatchObject({ code: 2, stderr: expect.stringContaining('--to or --verify-only') });
    expect(await run(['--to', 'mysql'])).toMatchObject({ code: 2, stderr: expect.stringContaining('eventstoredb') });
    expect(await run(['--to', 'eventstoredb'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no events'),
    });
    expect(await run(['--to', 'postgres'])).toMatchObject({ code: 2, stderr: expect.stringContaining('already') });
  });

  it('is resumed after SIGKILL, and nothing is lost or doubled', async () => {
    const log = await createSignedLog(200, database);
    const sessions = acquireSessions(server.url);
    const [{ id = '' } = {}] = await query<{ id: string }>(database.url, 'select log_id as id from log_head');
    /** How far the server has the log. */
    const copied = async (): Promise<number> => {
      const entry = { session: await sessions.open(), streams: streamsOf(id) };
      return (await newestEvent(entry, -1))?.at?.position ?? 0;
    };
    server.delayMs = 20;
    for (let kills = 0, from = 0; kills < 2; kills++, from = await copied()) {
      const child = spawn(process.execPath, ['src/cli/stores/migrate-log.ts', '--to', 'eventstoredb'], {
        env: { ...process.env, ...env(server.url) },
        stdio: 'ignore',
      });
      const ended = once(child, 'exit');
      while ((await copied()) < from + 200) await new Promise((resolve) => setTimeout(resolve, 5));
      child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
    }
    server.delayMs = 0;
    expect(await copied()).toBeLessThan(2000);
    await sessions.release();
    expect(await run(['--to', 'eventstoredb'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Both stores have the 2000 before'),
    });
    expect(await run(['--verify-only'])).toMatchObject({ code: 0 });
    await log.close();
  });
});
