import { readFile } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBundledPostgres, type EmbeddedPostgres } from '../../../src/gateway/start/bundled-postgres.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { processesWith } from '../../support/nodes/npm-start.ts';
import { startGatewayOn } from '../../support/nodes/running-gateway.ts';
import { SOON } from '../../support/soon.ts';
import { takeAway } from '../../support/sql.ts';
import { usesEventStoreDb } from '../../support/stores/store-env.ts';
import { chat } from '../../support/traffic.ts';

const CHECKS = [
  ...['log', 'head', 'rows', 'look_ups', 'clock'],
  ...(usesEventStoreDb() ? ['event_store'] : []),
  'history',
];

type Ready = { readonly status: string; readonly checks: Readonly<Record<string, { readonly ok: boolean }>> };

const ask = async ({ url }: RunningGateway, path = '/health/ready') => {
  const sentAt = performance.now();
  const response = await fetch(`${url}${path}`);
  const body = (await response.json()) as Ready;
  const failing = Object.entries(body.checks ?? {}).flatMap(([name, { ok }]) => (ok ? [] : [name]));
  return { status: response.status, failing, tookMs: performance.now() - sentAt };
};
const becomes = (gateway: RunningGateway, status: number) =>
  expect.poll(async () => (await ask(gateway)).status, SOON).toBe(status);

describe('ready', () => {
  let premises: Premises;
  let gateway: RunningGateway;
  beforeAll(async () => {
    premises = await createPremises();
    gateway = await premises.startGateway();
  });
  afterAll(() => premises.close());

  it('is 200 with every check while all is well, also under the name of before', async () => {
    for (const path of ['/health/ready', '/health']) {
      const response = await fetch(`${gateway.url}${path}`);
      const { status, checks } = (await response.json()) as Ready;
      expect([response.status, status]).toEqual([200, 'ok']);
      expect(Object.keys(checks)).toEqual(CHECKS);
    }
  });

  it('is 503 while the database is away, and live is not', async () => {
    const giveBack = await takeAway(premises.databaseUrl);
    await becomes(gateway, 503);
    expect((await ask(gateway)).failing).toContain('log');
    expect((await ask(gateway, '/health/live')).status).toBe(200);
    await giveBack();
    await becomes(gateway, 200);
    expect(gateway.process.output()).toMatch(/"check":"log".*"not ready"[^]*"check":"log".*"ready again"/);
  });

  it('is 503 while the rows cannot be written', async () => {
    const { apiKey } = await gateway.openAccount();
    const lock = new pg.Client({ connectionString: premises.databaseUrl });
    await lock.connect();
    await lock.query('begin; lock table projections.requests in access exclusive mode');
    expect((await chat(gateway, apiKey).answer).status).toBe(200);
    await becomes(gateway, 503);
    expect((await ask(gateway)).failing).toEqual(['rows']);
    await lock.query('commit');
    await lock.end();
    await becomes(gateway, 200);
  });
});

describe('ready, on a server that hangs', () => {
  let dataDir: string;
  let postgres: EmbeddedPostgres;
  let gateway: RunningGateway;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'kissapi-hang-'));
    postgres = await startBundledPostgres({ dataDir, log: () => undefined });
    gateway = await startGatewayOn({ databaseUrl: postgres.url, dataDir });
  });
  afterAll(async () => {
    await gateway.process.stop('SIGKILL');
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** The postmaster and all its children. */
  const processes = async (): Promise<readonly number[]> => {
    const [postmaster = ''] = (await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
    const all = await processesWith('postgres');
    const parents = await Promise.all(
      all.map(async ({ pid }) => [pid, await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')] as const),
    );
    const children = parents.filter(([, stat]) => / \S (\d+) /.exec(stat)?.[1] === postmaster);
    return [Number(postmaster), ...children.map(([pid]) => pid)];
  };

  it.skipIf(process.platform !== 'linux')('is 503, every probe is answered at once, and it recovers', async () => {
    const stopped = await processes();
    expect(stopped.length).toBeGreaterThan(5);
    const took: number[] = [];
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    try {
      await expect
        .poll(async () => {
          const { status, tookMs } = await ask(gateway);
          took.push(tookMs);
          return status;
        }, SOON)
        .toBe(503);
      for (let n = 0; n < 20; n++) took.push((await ask(gateway)).tookMs);
    } finally {
      for (const pid of stopped) process.kill(pid, 'SIGCONT');
    }
    // Far less than a check may take, which none of them waited for.
    expect(took.sort((a, b) => a - b)[Math.floor(took.length / 2)]).toBeLessThan(1000);
    await becomes(gateway, 200);
  });
});
