import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import { openLog } from '../../support/stores/log.ts';
import { checkSettledBooks, projectionsCaughtUp } from '../../support/events/account-history.ts';
import { dumpDatabase, dumpFolder, isIn } from '../../support/canary.ts';
import { ADMIN_TOKEN, createPremises, DATA_KEY, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { chat, errorOf, send, wordsOf, type Sent, type Wish } from '../../support/traffic.ts';

/** What customers say and models answer. Short, so that no log cuts it in two. */
const CANARY = `canary${randomBytes(8).toString('hex')}`;
const PEPPER = `pepper-${randomBytes(24).toString('hex')}`;
const UPSTREAM_KEY = `sk-${randomBytes(24).toString('hex')}`;

let premises: Premises;
let dataDir: string;
const gateways: RunningGateway[] = [];
beforeAll(async () => {
  premises = await createPremises();
  dataDir = await mkdtemp(join(tmpdir(), 'kissapi-privacy-'));
});
afterAll(async () => {
  await premises.close();
  await rm(dataDir, { recursive: true, force: true });
});

const start = async (): Promise<RunningGateway> => {
  const gateway = await premises.startGateway({
    KISSAPI_LOG: 'debug',
    KISSAPI_DATA: dataDir,
    KISSAPI_KEY_PEPPER: PEPPER,
    OPENAI_API_KEY: UPSTREAM_KEY,
    OPENAI_UPSTREAM_URL: 'http://127.0.0.1:9/v1',
  });
  gateways.push(gateway);
  return gateway;
};

const logs = (): string => gateways.map(({ process }) => process.output()).join('\n');
/** What goes to standard error; the rest is what a person at the terminal is told. */
const logLines = (): string =>
  logs()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .join('\n');

const expectNowhere = async (...texts: readonly string[]): Promise<void> => {
  const places = { database: await dumpDatabase(premises.databaseUrl), logs: logs(), files: await dumpFolder(dataDir) };
  const found = texts.flatMap((text) =>
    Object.entries(places).flatMap(([name, place]) => (isIn(place, text) ? [name] : [])),
  );
  expect(found).toEqual([]);
};

const prompt = `Tell nobody: ${CANARY} ${CANARY}`;
const echo = { echo: true };
const tool = {
  type: 'function',
  function: {
    name: 'remember',
    description: `What ${CANARY} is`,
    parameters: { type: 'object', properties: { what: { const: CANARY } }, required: ['what'] },
  },
};

describe('what customers say and models answer', () => {
  let gateway: RunningGateway;
  let apiKey: string;
  let accountId: string;
  beforeAll(async () => {
    gateway = await start();
    ({ apiKey, accountId } = await gateway.openAccount());
  });

  const said = (wish: Wish = {}): Sent => chat(gateway, apiKey, { content: prompt, ...wish });
  const to = (path: string, body: unknown): Sent => send(gateway, apiKey, path, body);

  it('is found by this search, were it anywhere', async () => {
    const known = `known${randomBytes(8).toString('hex')}`;
    // The name of a key is the customer's free text, and stays as it is.
    await gateway.manage('POST', `/accounts/${accountId}/keys`, { name: `on ${known}` });
    expect(isIn(await dumpDatabase(premises.databaseUrl), known)).toBe(true);
    expect(isIn(logs(), gateway.demoKey)).toBe(true);
    expect(isIn(logLines(), 'the gateway is open')).toBe(true);
    expect(isIn(await dumpFolder(dataDir), gateway.demoKey)).toBe(true);

    await query(premises.databaseUrl, 'create schema elsewhere; create table elsewhere.kept (bytes bytea)');
    await query(premises.databaseUrl, 'insert into elsewhere.kept values ($1)', [Buffer.from(`.${known}2.`)]);
    expect(isIn(await dumpDatabase(premises.databaseUrl), `${known}2`)).toBe(true);
    for (const shift of ['', 'x', 'xy', 'xyz']) {
      expect(isIn(Buffer.from(`${shift}${known} and more`).toString('base64'), known)).toBe(true);
    }
    expect(isIn(Buffer.from('something else altogether').toString('base64'), known)).toBe(false);
  });

  it('is kept nowhere after success', async () => {
    const whole = await said({ simulate: echo }).answer;
    expect(whole.body).toContain(CANARY);
    expect(wordsOf(await said({ simulate: echo, stream: true }).answer)).toContain(CANARY);
    // Where nothing is reported, the words are counted here.
    expect(wordsOf(await said({ simulate: { ...echo, usage: 'missing' }, stream: true }).answer)).toContain(CANARY);

    const calls = [
      { id: 'call_1', type: 'function', function: { name: 'remember', arguments: `{"what":"${CANARY}"}` } },
    ];
    const messages = [
      { role: 'system', content: prompt },
      { role: 'user', name: CANARY, content: [{ type: 'text', text: prompt }] },
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: 'call_1', content: prompt },
      { role: 'user', content: `remember ${CANARY}` },
    ];
    const more = { messages, tools: [tool], user: CANARY, metadata: { about: CANARY }, stop: [`${CANARY}!`] };
    const called = await said({ more: { ...more, tool_choice: 'required' } }).answer;
    expect(called.body).toContain(CANARY);
    expect((await said({ stream: true, more: { ...more, tool_choice: 'required' } }).answer).body).toContain('[DONE]');

    const legacy = { model: 'simulated-completion', prompt, suffix: CANARY, simulate: echo };
    expect((await to('/completions', legacy).answer).body).toContain(CANARY);
    const embedding = { model: 'simulated-embedding', input: [prompt, CANARY] };
    expect((await to('/embeddings', embedding).answer).status).toBe(200);
    await expectNowhere(CANARY);
  });

  it('is kept nowhere where credits are short and the prompt is counted', async () => {
    const poor = await gateway.openAccount('0.0001');
    const answer = await chat(gateway, poor.apiKey, { content: prompt, maxTokens: 16_000 }).answer;
    expect(answer.status).toBe(402);
    await expectNowhere(CANARY);
  });

  it('is kept nowhere after a request that is refused', async () => {
    const refused = await said({ simulate: { status: 400, message: `What is ${CANARY}?` } }).answer;
    expect(errorOf(refused).message).toContain(CANARY);
    const bodies = [
      `{"model":"simulated-chat","messages":[{"role":"user","content":"${CANARY}`,
      `${CANARY}`,
      { model: CANARY, messages: [{ role: 'user', content: prompt }] },
      { model: 'simulated-chat', messages: CANARY },
      { model: 'simulated-chat', messages: [{ role: 'user', content: prompt }], n: CANARY },
      { model: 'simulated-chat', messages: [{ role: 'user', content: { [CANARY]: prompt } }], service_tier: CANARY },
      { model: 'simulated-chat', messages: [{ role: CANARY, content: 7 }] },
    ];
    for (const body of bodies) {
      const { status } = await to('/chat/completions', body).answer;
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
    const headers = { authorization: `Bearer ${apiKey}` };
    for (const path of [`/v1/generation?id=${CANARY}`, `/v1/${CANARY}`, `/v1/models/${CANARY}`, `/${CANARY}%`]) {
      expect((await fetch(`${gateway.url}${path}`, { headers })).status).toBeLessThan(500);
    }
    await sendRaw(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n${CANARY}\r\n\r\n`);
    await expectNowhere(CANARY);
  });

  it('is kept nowhere after a failure of the provider', async () => {
    for (const status of [401, 408, 429, 500, 503]) {
      const { status: told } = await said({ simulate: { status, message: `${CANARY} is too much` } }).answer;
      expect(told).toBeGreaterThanOrEqual(500);
    }
    expect((await said({ more: { model: 'gpt-4o-mini' } }).answer).status).toBe(502);
    expect((await said({ simulate: { resetBeforeHead: true } }).answer).status).toBe(502);
    const broken = [{ breakAfter: 3 }, { errorMidStream: 3 }, { done: false }, { chunkBytes: 7 }] as const;
    for (const simulate of broken) {
      const answer = await said({ stream: true, simulate: { ...echo, ...simulate } }).answer;
      expect(answer.body).toContain(CANARY);
    }
    expect((await said({ simulate: { ...echo, breakAfter: 1 } }).answer).status).toBe(502);
    await expectNowhere(CANARY);
  });

  it('is kept nowhere after the customer left', async () => {
    const mid = said({ stream: true, maxTokens: 100, simulate: { text: `${CANARY} `.repeat(50), tokenMs: 20 } });
    await expect.poll(() => mid.words(), SOON).toBeGreaterThan(2);
    mid.leave();
    const before = said({ simulate: { hang: 'beforeHead' } });
    await sleep(100);
    before.leave();
    const holds = async (): Promise<unknown> =>
      (await gateway.manage<{ open_holds: unknown }>('GET', `/accounts/${accountId}`)).open_holds;
    await expect.poll(holds, SOON).toEqual([]);
    await projectionsCaughtUp(premises.databaseUrl);
    await expectNowhere(CANARY);
  });

  it('is kept nowhere after the gateway was killed', async () => {
    const streams = Array.from({ length: 5 }, () =>
      said({ stream: true, maxTokens: 500, simulate: { text: `${CANARY} `.repeat(400), tokenMs: 20 } }),
    );
    await expect.poll(() => Math.min(...streams.map((stream) => stream.words())), SOON).toBeGreaterThan(2);
    await gateway.process.stop('SIGKILL');
    await Promise.all(streams.map(({ answer }) => answer));
    gateway = await start();
    await expect
      .poll(
        async () => (await gateway.manage<{ open_holds: unknown[] }>('GET', `/accounts/${accountId}`)).open_holds,
        SOON,
      )
      .toEqual([]);
    await checkSettledBooks(gateway, accountId);
    await projectionsCaughtUp(premises.databaseUrl);
    await expectNowhere(CANARY);
  });

  const sendRaw = async (bytes: string): Promise<void> => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(bytes);
    socket.resume();
    await once(socket, 'close');
  };
});

describe('who a customer is', () => {
  const name = `Nora${randomBytes(6).toString('hex')}`;
  const surname = `Vault${randomBytes(6).toString('hex')}`;
  const mailbox = `nora${randomBytes(6).toString('hex')}`;
  const domain = `${randomBytes(6).toString('hex')}.example.com`;
  const account = { name: `${name} ${surname}`, email: `${mailbox}@${domain}`, adult: true };

  it('is told to the administrator, and is in neither the database, nor the logs, nor the files', async () => {
    const gateway = gateways.at(-1) ?? (await start());
    const key = { 'idempotency-key': randomUUID() };
    const body = { ...account, accept_terms: '2026-11-30' };
    const { account_id } = await gateway.manage<{ account_id: string }>('POST', '/accounts', body, key);
    const path = `/accounts/${account_id}`;
    const { name, email } = account;
    expect(await gateway.manage('POST', '/accounts', body, key)).toMatchObject({ account_id, name, email });
    expect(await gateway.manage('GET', path)).toMatchObject({ name, email });
    expect(await gateway.manage('GET', `${path}/events`)).toMatchObject({ data: [{ data: { name, email } }, {}] });

    await gateway.manage('POST', `${path}/grants`, { usd: '1.00', reason: 'test' });
    const { secret } = await gateway.manage<{ secret: string }>('POST', `${path}/keys`, { name: 'test' });
    expect((await chat(gateway, secret).answer).status).toBe(200);
    // What is refused is not kept either.
    const refused = [
      { ...body, adult: false },
      { ...body, email: `${email}@` },
      { ...body, accept_terms: name },
    ];
    for (const wrong of refused) await expect(gateway.manage('POST', '/accounts', wrong)).rejects.toThrow(/: 40[03]/);
    await expect(gateway.manage('POST', '/accounts', { ...body, name: 'X' }, key)).rejects.toThrow('409');
    await projectionsCaughtUp(premises.databaseUrl);
    await expectNowhere(surname, mailbox, domain, email, account.name);
  });
});

describe('secrets', () => {
  it('are in neither the database nor the logs', async () => {
    const gateway = gateways.at(-1) ?? (await start());
    const { accountId, apiKey, keyId } = await gateway.openAccount();
    await chat(gateway, apiKey).answer;
    await chat(gateway, apiKey, { more: { model: 'gpt-4o-mini' } }).answer;
    await gateway.manage('DELETE', `/accounts/${accountId}/keys/${keyId}`);
    // As people misplace them: after revocation, mistyped, in the wrong header, in an address, with the wrong API.
    for (const authorization of [`Bearer ${apiKey}`, `Bearer ${apiKey}x`, apiKey, `Bearer ${ADMIN_TOKEN}`]) {
      for (const path of [
        '/v1/credits',
        `/v1/generation?id=${apiKey}`,
        `/v1/${ADMIN_TOKEN}`,
        `/api/accounts/${apiKey}`,
      ]) {
        expect((await fetch(`${gateway.url}${path}`, { headers: { authorization } })).status).toBeLessThan(500);
      }
    }
    await projectionsCaughtUp(premises.databaseUrl);
    const database = await dumpDatabase(premises.databaseUrl);
    for (const secret of [apiKey, gateway.demoKey, ADMIN_TOKEN, PEPPER, DATA_KEY, UPSTREAM_KEY]) {
      expect(isIn(database, secret)).toBe(false);
      expect(isIn(logLines(), secret)).toBe(false);
    }
    const { password } = new URL(premises.databaseUrl);
    expect(password).not.toBe('');
    expect(isIn(logs(), password)).toBe(false);
  });
});

describe('an error that nobody expected', () => {
  it('says nothing of what was said', async () => {
    const gateway = gateways.at(-1) ?? (await start());
    const { accountId, apiKey } = await gateway.openAccount();
    const stream = chat(gateway, apiKey, {
      ...{ content: prompt, stream: true, maxTokens: 100 },
      simulate: { text: `${CANARY} `.repeat(60), tokenMs: 20 },
    });
    await expect.poll(() => stream.words(), SOON).toBeGreaterThan(2);

    // The account cannot be read any more, in the midst of its stream.
    const store = openLog(premises.databaseUrl);
    const { length } = await store.readStream(accountStream(accountId), 0, 1000);
    const unheard = { id: randomUUID(), type: 'Unheard', version: 1, data: '{}', metadata: '{}' };
    await store.append([{ stream: accountStream(accountId), expected: { revision: length - 1 }, events: [unheard] }]);
    await store.close();

    const broken = await stream.answer;
    expect(broken.whole).toBe(false);
    expect(broken.body).not.toContain('[DONE]');
    const answer = await chat(gateway, apiKey, { content: prompt, simulate: echo }).answer;
    expect(answer.status).toBe(500);
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(answer.body).not.toContain('Unheard');
    expect(logLines()).toContain('a request failed');
    await expectNowhere(CANARY);
  });
});
