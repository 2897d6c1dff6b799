import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPremises, type Premises } from '../../support/gateway.ts';
import { createGate } from '../../support/postgres/gate.ts';
import { KEY_PEPPER } from '../../support/nodes/running-gateway.ts';
import { SOON } from '../../support/soon.ts';
import { takeAway } from '../../support/sql.ts';
import { chat, errorOf } from '../../support/traffic.ts';

const signingKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
let premises: Premises;
const children: ChildProcess[] = [];
beforeAll(async () => {
  premises = await createPremises();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await premises.close();
});

type Start = { output(): string; readonly ended: Promise<number | null>; kill(): Promise<void> };

/** A start that may wait or fail. */
const start = (databaseUrl: string, waitMs: number, env: Readonly<Record<string, string>> = {}): Start => {
  const own = { DATABASE_URL: databaseUrl, DATABASE_WAIT_MS: String(waitMs), PORT: '0', KISSAPI_DATA: '/nonexistent' };
  const secrets = { KISSAPI_ADMIN_TOKEN: 'admin-token-of-the-tests-0123456789', KISSAPI_KEY_PEPPER: KEY_PEPPER };
  const production = {
    ...{ NODE_ENV: 'production', KISSAPI_DATA_KEY: '0123456789abcdef'.repeat(4) },
    KISSAPI_SIGNING_KEY: signingKey,
    // In production, EventStoreDB must have TLS. These starts are about the database.
    EVENT_STORE_URL: '',
  };
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { ...process.env, ...own, ...secrets, ...production, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    output: () => output,
    ended,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
};

const LONG_MS = 120_000;

describe('a gateway that starts while its database restarts', () => {
  it('waits for it, and says for what', async () => {
    const gate = await createGate(premises.databaseUrl);
    const { output, kill } = start(gate.url, LONG_MS);
    await expect.poll(output, SOON).toMatch(/ECONNREFUSED.*the database does not respond: retrying for \d+ s/);
    await gate.refuse('57P03', 'the database system is starting up');
    await expect.poll(output, SOON).toContain('the database system is starting up');
    await gate.open();
    await expect.poll(output, { ...SOON, timeout: 60_000 }).toContain('the gateway is open');
    expect(output()).not.toContain('    at ');
    // Otherwise it would connect to what next listens on the port of the gate, and take another log for its own.
    await kill();
    gate.close();
  });

  it.each([
    ['57P01', 'terminating connection due to administrator command'],
    ['57P03', 'the database system is shutting down'],
    ['53300', 'sorry, too many clients already'],
  ])('waits for a bounded time: %s', async (code, words) => {
    const gate = await createGate(premises.databaseUrl);
    await gate.refuse(code, words);
    const { output, ended } = start(gate.url, 300);
    expect(await ended).toBe(1);
    expect(output()).toContain(`The database cannot be reached: ${words}. Check DATABASE_URL.`);
    expect(output()).not.toContain('    at ');
    gate.close();
  });

  it('does not wait if waiting cannot help', async () => {
    const wrong = new URL(premises.databaseUrl);
    wrong.pathname = '/no_such_database';
    const { output, ended } = start(wrong.href, LONG_MS);
    expect(await ended).toBe(1);
    expect(output()).toMatch(/The database cannot be reached: .*"no_such_database" does not exist/);
    expect(output()).not.toContain('trying again');
  });

  it.each(['require', 'verify-full'])('names TLS if sslmode=%s meets a server without it', async (mode) => {
    const { output, ended } = start(`${premises.databaseUrl}?sslmode=${mode}`, LONG_MS);
    expect(await ended).toBe(1);
    expect(output()).toMatch(
      /^The server at \S+ does not offer TLS, and sslmode in DATABASE_URL requires it\. .*sslmode=disable\.$/m,
    );
    expect(output()).not.toContain('    at ');
    expect(
      output()
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('{')),
    ).toHaveLength(1);
  });
});

describe('a gateway that starts while another session migrates', () => {
  it('names that session, and waits for it for a bounded time', async () => {
    const fresh = await createPremises({ empty: true });
    const other = new pg.Client({ connectionString: fresh.databaseUrl, application_name: 'other' });
    await other.connect();
    await other.query('select pg_advisory_lock(7241977)');
    const { output, ended } = start(fresh.databaseUrl, 1000);
    expect(await ended).toBe(1);
    expect(output()).toMatch(
      /The database could not be migrated within 1 s: .*pid \d+, other, idle.*pg_terminate_backend/,
    );
    expect(output()).not.toContain('    at ');
    const patient = start(fresh.databaseUrl, LONG_MS);
    await expect.poll(patient.output, SOON).toMatch(/pid \d+, other, idle.*a migration of the database waits/);
    await other.end();
    await expect.poll(patient.output, { ...SOON, timeout: 60_000 }).toContain('the gateway is open');
    await patient.kill();
    await fresh.close();
  });
});

describe('an outage', () => {
  it('is one line when it begins and one when it ends, whatever fails meanwhile', async () => {
    const own = await createPremises();
    const gateway = await own.startGateway();
    const { apiKey } = await gateway.openAccount();
    const ask = async () => {
      const answer = await chat(gateway, apiKey).answer;
      return answer.status === 200 ? 'answered' : errorOf(answer);
    };
    await expect.poll(ask, SOON).toBe('answered');
    const before = gateway.process.output().length;
    const giveBack = await takeAway(own.databaseUrl);
    const lines = (): readonly string[] =>
      gateway.process
        .output()
        .slice(before)
        .split('\n')
        .filter((line) => /"level":(40|50|60)/.test(line) && !line.includes('"msg":"not ready"'));
    await expect.poll(lines, SOON).toHaveLength(1);
    // Longer than every retry: each of a heartbeat, two followers, checkpoints, orphans, audits has failed meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 7000));
    await ask();
    await giveBack();
    await expect.poll(lines, SOON).toHaveLength(2);
    expect(lines()[0]).toContain('the database does not answer');
    expect(lines()[1]).toMatch(/the database answers again, after \d+ s/);
    expect(gateway.process.output().slice(before)).not.toContain('"stack"');
    await expect.poll(ask, SOON).toBe('answered');
    expect(lines()).toHaveLength(2);
    await own.close();
  });
});
