import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { countTokens } from 'gpt-tokenizer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSettledBooks, isCharge } from '../../support/events/account-history.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { npmStart, processesWith, type NpmStarted } from '../../support/nodes/npm-start.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import {
  chat,
  chatBody,
  costUsdOf,
  errorChunkOf,
  errorOf,
  generationOf,
  wordsOf,
  type Wish,
} from '../../support/traffic.ts';

const stream = (outputTokens: number, tokenMs: number): Wish => ({
  stream: true,
  maxTokens: outputTokens,
  simulate: { outputTokens, tokenMs },
});

describe('a gateway that is told to stop', () => {
  let premises: Premises;
  /** It runs all the time, and reads the accounts of the gateways that stop. */
  let other: RunningGateway;
  beforeAll(async () => {
    premises = await createPremises();
    other = await premises.startGateway();
  });
  afterAll(() => premises.close());

  /** Every account's holds, from outside. */
  const openHolds = async (): Promise<number> => {
    const [row] = await query<{ held: number }>(
      premises.databaseUrl,
      `select count(*) filter (where type = 'CreditsReserved')::int
            - count(*) filter (where type in ('HoldSettled', 'HoldReleased'))::int as held from events`,
    );
    return row?.held ?? -1;
  };

  it('completes running requests and refuses new ones, at SIGTERM', async () => {
    const gateway = await premises.startGateway();
    const { accountId, apiKey } = await gateway.openAccount();
    const running = [chat(gateway, apiKey, stream(50, 20)), chat(gateway, apiKey, { simulate: { firstByteMs: 1000 } })];
    await expect.poll(() => running[0]?.words(), SOON).toBeGreaterThan(2);
    const ended = gateway.process.stop('SIGTERM');
    await expect.poll(() => gateway.process.output(), SOON).toContain('stopping');

    const refused = await chat(gateway, apiKey).answer;
    expect(refused.status).toBe(503);
    expect(errorOf(refused).code).toBe('draining');
    expect(refused.headers.get('x-should-retry')).toBe('true');
    expect(Number(refused.headers.get('retry-after-ms'))).toBeGreaterThan(0);
    // A load balancer sends nobody here any more.
    expect((await fetch(`${gateway.url}/health`)).status).toBe(503);

    for (const { answer } of running) expect(costUsdOf(await answer)).toBeDefined();
    expect(await ended).toBe(0);
    expect(await openHolds()).toBe(0);
    expect(await query(premises.databaseUrl, 'select id from runs')).toHaveLength(1);
    await expect(fetch(gateway.url)).rejects.toThrow();

    const { events } = await checkSettledBooks(other, accountId);
    expect(events.filter(isCharge)).toHaveLength(2);
  });

  it('ends streams that outlast the grace period, and charges what was delivered, at SIGINT', async () => {
    const gateway = await premises.startGateway({ DRAIN_TIMEOUT_MS: '300' });
    const { accountId, apiKey } = await gateway.openAccount();
    const streams = [chat(gateway, apiKey, stream(2000, 20)), chat(gateway, apiKey, stream(2000, 20))];
    const silent = chat(gateway, apiKey, { simulate: { hang: 'beforeHead' } });
    await expect.poll(() => Math.min(...streams.map((one) => one.words())), SOON).toBeGreaterThan(5);
    expect(await gateway.process.stop('SIGINT')).toBe(0);
    const answers = await Promise.all(streams.map(({ answer }) => answer));
    for (const answer of answers) {
      expect(answer.whole).toBe(true);
      expect(errorChunkOf(answer)).toMatchObject({ code: 'draining' });
      expect(answer.body).not.toContain('[DONE]');
    }
    const { status, headers } = await silent.answer;
    expect(status).toBe(503);
    expect(headers.get('x-should-retry')).toBe('true');

    const charges = (await checkSettledBooks(other, accountId)).events.filter(isCharge);
    expect(charges).toHaveLength(answers.length);
    for (const answer of answers) {
      const charge = charges.find(({ requestId }) => requestId === generationOf(answer));
      expect(charge).toMatchObject({ delivery: { ended: 'drained', usageSource: 'metered' } });
      expect(charge?.usage.output).toBe(countTokens(wordsOf(answer)));
    }
  });

  it('does not wait for clients that neither read nor send, at SIGHUP', async () => {
    const gateway = await premises.startGateway({ DRAIN_TIMEOUT_MS: '300' });
    const { accountId, apiKey } = await gateway.openAccount();
    const { port } = new URL(gateway.url);
    const [deaf, mute, stutterer] = await Promise.all([open(port), open(port), open(port)]);
    // Far more than the buffers on the way hold.
    const body = JSON.stringify(chatBody({ ...stream(10_000, 0), more: { n: 20 } }));
    deaf.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${apiKey}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await once(deaf, 'readable');
    stutterer.write('POST /v1/chat/completions HTTP/1.1\r\nhost: te');
    expect(await gateway.process.stop('SIGHUP')).toBe(0);
    for (const socket of [deaf, mute, stutterer]) socket.destroy();

    const { events } = await checkSettledBooks(other, accountId);
    expect(events.filter(isCharge)).toMatchObject([{ delivery: { ended: 'drained' } }]);
  });

  it('opens no debugger at SIGUSR1, and continues to serve', async () => {
    process.kill(other.process.pid, 'SIGUSR1');
    await expect.poll(() => other.process.output(), SOON).toMatch(/SIGUSR1 is ignored|Debugger listening/);
    expect(other.process.output()).not.toContain('Debugger listening');
    expect((await fetch(`${other.url}/health/live`)).status).toBe(200);
  });

  const open = async (port: string): Promise<Socket> => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
});

describe('npm start', () => {
  let dataDir: string;
  const started: NpmStarted[] = [];
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'kissapi-npm-start-'));
  });
  afterAll(async () => {
    // Where all is well, nothing is left to be killed.
    for (const one of started) one.kill();
    for (const { pid } of await processesWith(dataDir)) process.kill(pid, 'SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });

  const start = (env: Readonly<Record<string, string>> = {}): NpmStarted => {
    const none = {
      DATABASE_URL: '',
      KISSAPI_ADMIN_TOKEN: '',
      KISSAPI_KEY_PEPPER: '',
      KISSAPI_DATA_KEY: '',
      OPENAI_API_KEY: '',
    };
    const one = npmStart({ ...none, NODE_ENV: 'development', PORT: '0', KISSAPI_DATA: dataDir, ...env });
    started.push(one);
    return one;
  };

  const expectNothingLeft = async (): Promise<void> => {
    await expect.poll(() => processesWith(dataDir), SOON).toEqual([]);
  };

  const credits = async ({ url, apiKey }: Awaited<NpmStarted['open']>): Promise<unknown> =>
    (await fetch(`${url}/v1/credits`, { headers: { authorization: `Bearer ${apiKey}` } })).json();

  let before: unknown;

  it('ends at Ctrl-C when its streams have, and takes its PostgreSQL along', async () => {
    const gateway = start();
    const at = await gateway.open;
    expect(await processesWith(dataDir)).not.toEqual([]);
    const running = chat(at, at.apiKey, stream(50, 20));
    await expect.poll(() => running.words(), SOON).toBeGreaterThan(2);
    // A terminal tells the whole group, and npm then tells its child once more.
    gateway.signal('SIGINT', 'group');
    expect(costUsdOf(await running.answer)).toBeDefined();
    expect(await gateway.ended).toBe(0);
    await expectNothingLeft();
  });

  it('finds its key and balance again, and leaves at once at the second signal, with its PostgreSQL', async () => {
    const gateway = start();
    const at = await gateway.open;
    before = await credits(at);
    expect(before).toMatchObject({ data: { total_credits_usd: '5.00' } });
    expect(before).not.toMatchObject({ data: { total_usage: '0.00' } });
    const endless = chat(at, at.apiKey, stream(5000, 20));
    await expect.poll(() => endless.words(), SOON).toBeGreaterThan(2);
    gateway.signal('SIGTERM', 'npm');
    await expect.poll(() => gateway.output(), SOON).toContain('stopping');
    await sleep(1000); // Sooner, it may be the same wish that came by two ways.
    gateway.signal('SIGTERM', 'npm');
    expect(await gateway.ended).toBe(1);
    await expectNothingLeft();
    await endless.answer;
  });

  it('leaves nothing when it is stopped while it starts', async () => {
    const gateway = start();
    await expect.poll(() => processesWith(`${dataDir}/postgres`), { ...SOON, interval: 5 }).not.toEqual([]);
    gateway.signal('SIGINT', 'group');
    expect(await gateway.ended).toBe(0);
    expect(gateway.output()).not.toMatch(/\n {4}at /);
    await expectNothingLeft();
  });

  it('leaves nothing when its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const gateway = start({ PORT: String(port) });
    expect(await gateway.ended).toBe(1);
    taken.close();
    expect(gateway.output()).toMatch(new RegExp(`Port ${port} of 127\\.0\\.0\\.1 is taken[^]*PORT`));
    expect(gateway.output()).not.toMatch(/\n {4}at /);
    await expectNothingLeft();
  });

  it('has lost nothing by all this, and ends if only npm gets the signal', async () => {
    const gateway = start();
    const at = await gateway.open;
    // The stream that was left at once costs nothing, and its hold is given back as those of any dead run.
    await expect.poll(() => credits(at), SOON).toEqual(before);
    gateway.signal('SIGTERM', 'npm');
    expect(await gateway.ended).toBe(0);
    await expectNothingLeft();
  });
});

describe('a gateway whose database is not there', () => {
  const start = async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kissapi-no-database-'));
    const env = {
      ...process.env,
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      DATABASE_WAIT_MS: '500',
      KISSAPI_DATA: dataDir,
      PORT: '0',
    };
    const child = spawn(process.execPath, ['src/main.ts'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    return { child, ended: once(child, 'exit').finally(() => rm(dataDir, { recursive: true, force: true })) };
  };

  it('says so in words, and ends', async () => {
    const { child, ended } = await start();
    const said = await text(child.stderr);
    expect(await ended).toEqual([1, null]);
    expect(said).toMatch(/^The database cannot be reached: connect ECONNREFUSED .*Check DATABASE_URL\.$/m);
    expect(said).not.toContain('    at ');
  });

  it('ends also where nobody reads what it says any more', async () => {
    const { child, ended } = await start();
    child.stdout.destroy();
    child.stderr.destroy();
    expect(await ended).toEqual([1, null]);
  });
});
