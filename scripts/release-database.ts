/**
 * Writes test/journeys/upgrade/release-before.{sql,json}: a database as a release leaves it, and what that release shows of
 * it. Checks the release out, drives its gateway over HTTP, and kills the gateway while holds are open.
 *
 *     DATABASE_URL=postgres://user@host/empty node scripts/release-database.ts <commit>
 *
 * Needs `pg_dump` of the server's version or later. The database must be empty, and is left as the release leaves it.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  ENVIRONMENT,
  USED_ONCE,
  type AccountBefore,
  type Json,
  type KeyBefore,
  type ReleaseBefore,
} from '../test/journeys/upgrade/environment.ts';

const FIXTURE = new URL('../test/journeys/upgrade/release-before', import.meta.url);
const OPEN = /OPENAI_BASE_URL=http:\/\/localhost:(\d+)\/v1/;

type Release = {
  readonly url: string;
  readonly gateway: ChildProcess;
};

const startRelease = async (folder: string, databaseUrl: string, dataDir: string): Promise<Release> => {
  const gateway = spawn(process.execPath, ['src/main.ts'], {
    cwd: folder,
    env: { ...process.env, ...ENVIRONMENT, DATABASE_URL: databaseUrl, KISSAPI_DATA: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const text of gateway.stdout.setEncoding('utf8')) {
    output += text as string;
    const [, port] = OPEN.exec(output) ?? [];
    if (port === undefined) continue;
    gateway.stdout.resume();
    return { url: `http://127.0.0.1:${port}`, gateway };
  }
  throw new Error(`the gateway of the release ended:\n${output}`);
};

/** Polls until the result is truthy. */
const until = async <T>(what: () => Promise<T>): Promise<T> => {
  for (;;) {
    const result = await what();
    if (result) return result;
    await sleep(100);
  }
};

const request = async (
  url: string,
  token: string,
  method: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
) => {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

type Story = {
  readonly accountId: string;
  readonly keys: readonly KeyBefore[];
  readonly generations: readonly string[];
};

/** Registers accounts and makes requests, until everything that the test of the upgrade looks at is in the database. */
const fill = async ({ url }: Release): Promise<readonly Story[]> => {
  const manage = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const { status, text } = await request(`${url}/api${path}`, ENVIRONMENT.KISSAPI_ADMIN_TOKEN, method, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text) as Json;
  };
  const open = async (name: string, ...grants: readonly string[]): Promise<string> => {
    const email = `${name.toLowerCase()}@example.com`;
    const account = await manage('POST', '/accounts', { name, email, adult: true, accept_terms: '2026-11-30' });
    const accountId = String(account['account_id']);
    for (const usd of grants) await manage('POST', `/accounts/${accountId}/grants`, { usd, reason: 'Welcome' });
    return accountId;
  };
  const issue = async (accountId: string, name: string, limits?: Json): Promise<KeyBefore> => {
    const body = { name, ...(limits ? { limits } : {}) };
    const key = await manage('POST', `/accounts/${accountId}/keys`, body);
    return { keyId: String(key['key_id']), secret: String(key['secret']), state: 'works' };
  };
  const generate = async (
    key: KeyBefore,
    body: Json,
    path = '/chat/completions',
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const answer = await request(`${url}/v1${path}`, key.secret, 'POST', body, headers);
    return [answer.headers.get('x-generation-id') ?? ''].filter((id) => id !== '');
  };
  const chat = (simulate: Json, more: Json = {}): Json => ({
    ...{ model: 'simulated-chat', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 100, simulate },
    ...more,
  });

  const ada = await open('Ada', '5.00', '2.50');
  const app = await issue(ada, 'app');
  const limited = await issue(ada, 'limited', {
    requests_per_minute: 600,
    spending_usd: { day: '3.00', total: '6.00' },
    models: ['simulated-chat'],
    expires_at: '2099-01-01T00:00:00Z',
  });
  const revoked = await issue(ada, 'revoked');
  await manage('DELETE', `/accounts/${ada}/keys/${revoked.keyId}`);
  await manage('PUT', `/accounts/${ada}/limits`, { tokens_per_minute: 1_000_000, concurrent_requests: 50 });
  const generations: string[] = [];
  // Enough events for a snapshot.
  for (let n = 0; n < 30; n++)
    generations.push(...(await generate(app, chat({ outputTokens: n + 1, cachedTokens: 2 }))));
  for (const body of [
    chat({ outputTokens: 40 }, { stream: true, stream_options: { include_usage: true } }),
    chat({ outputTokens: 40, breakAfter: 20 }, { stream: true }),
    chat({ status: 500 }),
    chat({ reasoningTokens: 10 }),
  ]) {
    generations.push(...(await generate(limited, body)));
  }
  const idempotent = { 'idempotency-key': USED_ONCE.key };
  generations.push(...(await generate(app, USED_ONCE.body, '/chat/completions', idempotent)));
  generations.push(...(await generate(app, { model: 'simulated-embedding', input: 'Hello' }, '/embeddings')));

  const grace = await open('Grace', '0.10');
  const suspended = await issue(grace, 'suspended');
  const paid = await generate(suspended, chat({ outputTokens: 7 }));
  await manage('POST', `/accounts/${grace}/suspend`, { reason: 'Resale of access' });

  const alan = await open('Alan', '1.00');
  const holding = await issue(alan, 'holding');
  const settled = await generate(holding, chat({ outputTokens: 5 }));
  // These are under way when the gateway is killed.
  for (const body of [chat({ outputTokens: 100, tokenMs: 600_000 }, { stream: true }), chat({ hang: 'beforeHead' })]) {
    generate(holding, body).catch(() => undefined);
  }
  await until(async () => ((await manage('GET', `/accounts/${alan}`))['open_holds'] as unknown[]).length === 2);

  return [
    { accountId: ada, keys: [app, limited, { ...revoked, state: 'revoked' }], generations },
    { accountId: grace, keys: [suspended], generations: paid },
    { accountId: alan, keys: [holding], generations: settled },
  ];
};

/** Waits for what the gateway writes later: a snapshot, rows up to the head, and a checkpoint of the head. */
const settled = async (databaseUrl: string): Promise<void> => {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await until(async () => {
    const { rows } = await client.query<{ done: boolean }>(
      `select exists (select from snapshots)
         and (select position from log_head) = (select max(position) from log_checkpoints)
         and (select position from log_head) = (select min(position) from projections.checkpoints) as done`,
    );
    return rows[0]?.done;
  });
  await client.end();
};

const readAccount = async (
  { url }: Release,
  { accountId, keys, generations }: Story,
): Promise<Omit<AccountBefore, 'replay'>> => {
  const [key] = keys;
  const get = async (path: string, token: string): Promise<Json> =>
    JSON.parse((await request(`${url}${path}`, token, 'GET')).text) as Json;
  const receipts: Json[] = [];
  for (const id of generations) receipts.push(await get(`/v1/generation?id=${id}`, key?.secret ?? ''));
  const account = await get(`/api/accounts/${accountId}`, ENVIRONMENT.KISSAPI_ADMIN_TOKEN);
  return { account: account as AccountBefore['account'], keys, receipts };
};

const writeFixture = async (folder: string, commit: string, databaseUrl: string, dataDir: string): Promise<void> => {
  const release = await startRelease(folder, databaseUrl, dataDir);
  const accounts: Omit<AccountBefore, 'replay'>[] = [];
  try {
    const stories = await fill(release);
    await settled(databaseUrl);
    for (const story of stories) accounts.push(await readAccount(release, story));
  } finally {
    const ended = once(release.gateway, 'exit');
    release.gateway.kill('SIGKILL');
    await ended;
  }
  const replay = (accountId: string): readonly Json[] =>
    execFileSync(process.execPath, ['src/cli/replay.ts', accountId, '--json'], {
      cwd: folder,
      env: { ...process.env, ...ENVIRONMENT, DATABASE_URL: databaseUrl, KISSAPI_DATA: dataDir },
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Json);
  const before: ReleaseBefore = {
    commit,
    accounts: accounts.map((one) => ({ ...one, replay: replay(one.account.account_id) })),
  };
  const dump = execFileSync(
    'pg_dump',
    ['--inserts', '--rows-per-insert=100', '--no-owner', '--no-privileges', databaseUrl],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  // Lines that begin with a backslash are for psql alone.
  writeFileSync(`${FIXTURE.pathname}.sql`, dump.replaceAll(/^\\.*\n/gm, ''));
  writeFileSync(`${FIXTURE.pathname}.json`, `${JSON.stringify(before, null, 2)}\n`);
};

const [revision = ''] = process.argv.slice(2);
const databaseUrl = process.env['DATABASE_URL'];
if (revision === '' || !databaseUrl) throw new Error('usage: DATABASE_URL=… node scripts/release-database.ts <commit>');
const commit = execFileSync('git', ['rev-parse', '--verify', `${revision}^{commit}`], { encoding: 'utf8' }).trim();
const folder = mkdtempSync(join(tmpdir(), 'kissapi-release-'));
const checkout = join(folder, 'checkout');
try {
  execFileSync('git', ['worktree', 'add', '--detach', checkout, commit], { stdio: 'inherit' });
  execFileSync('npm', ['ci'], { cwd: checkout, stdio: 'inherit' });
  await writeFixture(checkout, commit, databaseUrl, join(folder, 'data'));
} finally {
  execFileSync('git', ['worktree', 'remove', '--force', checkout], { stdio: 'inherit' });
  rmSync(folder, { recursive: true, force: true });
}
