import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkProjections, checkSettledBooks } from '../../support/events/account-history.ts';
import { createPremises, type Premises } from '../../support/gateway.ts';
import { hasPgBouncer, startPgBouncer, type PgBouncer } from '../../support/postgres/pgbouncer.ts';
import { SOON } from '../../support/soon.ts';
import { chat } from '../../support/traffic.ts';

if (!hasPgBouncer) console.warn('skipped: pgbouncer is not installed (Debian: apt-get install pgbouncer)');

describe.skipIf(!hasPgBouncer)('a gateway behind PgBouncer (needs the program pgbouncer)', () => {
  let premises: Premises;
  const poolers: PgBouncer[] = [];
  beforeAll(async () => {
    premises = await createPremises();
  });
  afterEach(async () => {
    for (const pooler of poolers.splice(0)) await pooler.close();
  });
  afterAll(() => premises.close());

  const behind = async (settings: Readonly<Record<string, string>>): Promise<string> => {
    const pooler = await startPgBouncer(premises.databaseUrl, settings);
    poolers.push(pooler);
    return pooler.url;
  };
  /** What a gateway writes that does not start. */
  const refusal = async (databaseUrl: string): Promise<string> => {
    const failed: unknown = await premises.startGateway({ DATABASE_URL: databaseUrl }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(Error);
    const said = (failed as Error).message;
    expect(said).toContain('ended with 1');
    expect(said).not.toContain('trying again');
    expect(said).not.toContain('    at ');
    return said;
  };

  it.each([
    ['transaction mode', { pool_mode: 'transaction' }],
    ['transaction mode, all connections in turn', { pool_mode: 'transaction', server_round_robin: '1' }],
    ['statement mode', { pool_mode: 'statement' }],
  ])('is refused at once in %s, with words that name the remedy', async (_, settings) => {
    expect(await refusal(await behind(settings))).toMatch(/pooler in transaction mode.*pool_mode = session/);
  });

  it('is refused if the pooler has a single connection', async () => {
    expect(await refusal(await behind({ pool_mode: 'transaction', default_pool_size: '1' }))).toMatch(
      /pool_mode = session/,
    );
  });

  it('leaves nothing locked when it is refused', async () => {
    await refusal(await behind({ pool_mode: 'transaction' }));
    const gateway = await premises.startGateway();
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
    await gateway.process.stop();
  });

  it('is refused by the pool size that PgBouncer comes with, with the size that is needed', async () => {
    const said = await refusal(await behind({}));
    expect(said).toMatch(/gives this gateway 20 connections.*needs up to 54.*session mode.*default_pool_size/s);
  });

  it('is refused with the name of a startup parameter that PgBouncer does not know', async () => {
    const url = `${await behind({ pool_mode: 'session', default_pool_size: '40' })}?statement_timeout=5000`;
    expect(await refusal(url)).toMatch(/rejects the startup parameter statement_timeout.*ignore_startup_parameters/);
  });

  it('serves in session mode, two gateways side by side', async () => {
    const url = await behind({ pool_mode: 'session', default_pool_size: '120', max_client_conn: '200' });
    const one = await premises.startGateway({ DATABASE_URL: url });
    const two = await premises.startGateway({ DATABASE_URL: url });
    const { accountId, apiKey } = await one.openAccount();
    await expect.poll(async () => (await chat(two, apiKey).answer).status, SOON).toBe(200);
    await Promise.all(
      [one, two, one, two].map(async (node) => expect((await chat(node, apiKey).answer).status).toBe(200)),
    );
    await checkProjections(premises.databaseUrl, accountId, await checkSettledBooks(two, accountId));
    await Promise.all([one, two].map((node) => node.process.stop()));
  });

  it('tells a command line the same', async () => {
    const DATABASE_URL = await behind({ pool_mode: 'transaction' });
    const child = spawn(process.execPath, ['src/cli/verify.ts'], { env: { ...process.env, DATABASE_URL } });
    const said = await text(child.stderr);
    expect(said).toMatch(/^verify: .*pool_mode = session/);
  });
});
