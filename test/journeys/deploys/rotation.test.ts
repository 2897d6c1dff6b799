import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import { runCommand, type Ran } from '../../support/command.ts';
import { checkSettledBooks, isCharge, readHistory } from '../../support/events/account-history.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { chatBody, send, type Answer } from '../../support/traffic.ts';

const [OLD_PEPPER, NEW_PEPPER] = ['old-pepper-0123456789-0123456789-012', 'new-pepper-0123456789-0123456789-012'];
const [OLD_KEY, NEW_KEY] = ['a1'.repeat(32), 'b2'.repeat(32)];
const before = {
  ...{ KISSAPI_KEY_PEPPER: OLD_PEPPER, KISSAPI_KEY_PEPPER_ID: '1' },
  ...{ KISSAPI_DATA_KEY: OLD_KEY, KISSAPI_DATA_KEY_ID: '1' },
};
const after = {
  ...{ KISSAPI_KEY_PEPPER: NEW_PEPPER, KISSAPI_KEY_PEPPER_ID: '2' },
  ...{ KISSAPI_DATA_KEY: NEW_KEY, KISSAPI_DATA_KEY_ID: '2' },
};
const both = { ...after, KISSAPI_KEY_PEPPERS_OLD: `1=${OLD_PEPPER}`, KISSAPI_DATA_KEYS_OLD: `1=${OLD_KEY}` };

type Customer = { readonly accountId: string; readonly apiKey: string; readonly keyId: string };

let premises: Premises;
let [one, two]: RunningGateway[] = [];
let customer: Customer;
beforeAll(async () => {
  premises = await createPremises();
  [one, two] = [await premises.startGateway(before), await premises.startGateway(before)];
  customer = await gatewayOf(one).openAccount('5.00');
});
afterAll(() => premises.close());

const gatewayOf = (gateway: RunningGateway | undefined): RunningGateway => {
  if (!gateway) throw new Error('It is not running.');
  return gateway;
};

const complete = (gateway: RunningGateway, apiKey: string, idempotencyKey?: string): Promise<Answer> =>
  send(
    gateway,
    apiKey,
    '/chat/completions',
    chatBody({ maxTokens: 10 }),
    idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey },
  ).answer;

/** A key that was just issued on one gateway is known to the others a moment later. */
const known = (gateway: RunningGateway | undefined, apiKey: string): Promise<void> =>
  expect.poll(async () => (await complete(gatewayOf(gateway), apiKey)).status, SOON).toBe(200);

/** Traffic without pauses would take the processor from the gateways that start. */
const PAUSE_MS = 30;

/** Completions, and looks at the account's holder, on whichever gateways serve. */
const traffic = () => {
  const serving = new Set<RunningGateway>();
  const underWay = new Map<RunningGateway, number>();
  const count = (gateway: RunningGateway, by: number): void =>
    void underWay.set(gateway, (underWay.get(gateway) ?? 0) + by);
  const statuses = new Map<number | undefined, number>();
  const names = new Set<unknown>();
  let [busy, turn] = [true, 0];
  const work = async (): Promise<void> => {
    while (busy) {
      const gateways = [...serving];
      const gateway = gatewayOf(gateways[turn++ % gateways.length]);
      count(gateway, 1);
      const { status } = await complete(gateway, customer.apiKey);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      names.add((await gateway.manage<AccountView>('GET', `/accounts/${customer.accountId}`)).name);
      count(gateway, -1);
      await sleep(PAUSE_MS);
    }
  };
  let workers: Promise<void>[] = [];
  return {
    start: (...gateways: readonly RunningGateway[]): void => {
      for (const gateway of gateways) serving.add(gateway);
      workers = Array.from({ length: 2 }, work);
    },
    /** Takes a gateway out of the balancer, waits for its requests, and puts its successor in. */
    replace: async (gateway: RunningGateway, env: Readonly<Record<string, string>>): Promise<RunningGateway> => {
      serving.delete(gateway);
      await expect.poll(() => underWay.get(gateway), SOON).toBe(0);
      await gateway.process.stop();
      const next = await premises.startGateway(env);
      serving.add(next);
      return next;
    },
    stop: async () => {
      busy = false;
      await Promise.all(workers);
      return { statuses: [...statuses.keys()], names: [...names] };
    },
  };
};

const issue = async (gateway: RunningGateway): Promise<{ secret: string; pepperId: unknown }> => {
  const path = `/accounts/${customer.accountId}`;
  const { secret, key_id } = await gateway.manage<{ secret: string; key_id: string }>('POST', `${path}/keys`, {
    name: 'next',
  });
  const history = await readHistory(gateway, customer.accountId);
  const issued = history.map(({ event }) => event).find((event) => 'keyId' in event && event.keyId === key_id);
  return { secret, pepperId: issued?.type === 'KeyIssued' ? issued.pepperId : undefined };
};

const run = (command: string, env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ran> =>
  runCommand(command, args, { env: { ...env, DATABASE_URL: premises.databaseUrl } });

const rehashed = async (gateway: RunningGateway): Promise<readonly string[]> =>
  (await readHistory(gateway, customer.accountId)).flatMap(({ event }) =>
    event.type === 'KeyRehashed' ? [`${event.keyId} ${event.pepperId}`] : [],
  );

const masterKeyOf = async (accountId: string): Promise<unknown> =>
  (await query(premises.databaseUrl, 'select master_key_id from data_keys where account_id = $1', [accountId]))[0]?.[
    'master_key_id'
  ];

const register = async (gateway: RunningGateway): Promise<AccountView> =>
  gateway.manage<AccountView>('POST', '/accounts', { name: 'Grace', email: 'grace@example.com', adult: true });

const metric = async ({ url }: RunningGateway): Promise<string> =>
  (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).text();

describe('pepper and master key, changed under two gateways while completions run', () => {
  it('cost nobody a 401, a name, or a second charge', { timeout: 300_000 }, async () => {
    await known(two, customer.apiKey);
    const load = traffic();
    load.start(gatewayOf(one), gatewayOf(two));
    const first = await complete(gatewayOf(one), customer.apiKey, 'order');
    expect(first.status).toBe(200);
    const repeat = async (gateway: RunningGateway): Promise<unknown> => {
      const { status, body } = await complete(gateway, customer.apiKey, 'order');
      return [status, (JSON.parse(body) as { error: { code: string } }).error.code];
    };

    // One gateway accepts the new secrets, the other does not: nothing uses them yet.
    two = await load.replace(gatewayOf(two), both);
    expect(await repeat(two)).toEqual([409, 'idempotency_key_used']);
    const early = await issue(two);
    expect(early.pepperId).toBe('1');
    await known(one, early.secret);
    const grace = await register(two);
    expect(await masterKeyOf(grace.account_id)).toBe('1');
    expect(await gatewayOf(one).manage('GET', `/accounts/${grace.account_id}`)).toMatchObject({ name: 'Grace' });
    expect(await rehashed(two)).toEqual([]);

    // Both accept them.
    const newest = await load.replace(gatewayOf(one), both);
    one = newest;
    const gateways = [newest, two];
    for (const gateway of gateways) {
      await expect.poll(() => gateway.process.output(), SOON).toContain('"pepperId":"2","masterKeyId":"2"');
      expect(await repeat(gateway)).toEqual([409, 'idempotency_key_used']);
    }
    const late = await issue(newest);
    expect(late.pepperId).toBe('2');
    await known(two, late.secret);
    expect(await masterKeyOf((await register(two)).account_id)).toBe('2');
    await expect.poll(() => rehashed(two as RunningGateway), SOON).toContain(`${customer.keyId} 2`);
    await known(newest, early.secret);

    // The data keys of before are wrapped anew.
    const rewrapped = await run('rewrap', both);
    expect(rewrapped.stdout).toMatch(/master key 2: \d+ data keys\nNo other master key is needed/);
    expect(rewrapped.code).toBe(0);

    // The old secrets are taken away.
    one = await load.replace(newest, after);
    expect(await repeat(one)).toEqual([409, 'idempotency_key_used']);
    const { statuses, names } = await load.stop();
    expect(statuses).toEqual([200]);
    expect(names).toEqual(['Ada']);
    expect(await gatewayOf(one).manage('GET', `/accounts/${grace.account_id}`)).toMatchObject({ name: 'Grace' });
    expect((await complete(gatewayOf(one), late.secret)).status).toBe(200);
    expect((await rehashed(two)).filter((each) => each === `${customer.keyId} 2`)).toHaveLength(1);
    const { events } = await checkSettledBooks(two, customer.accountId);
    const generations = events.filter(isCharge).map(({ requestId }) => requestId);
    expect(new Set(generations).size).toBe(generations.length);
  });

  it('are counted until the old one can go', async () => {
    // The demo key has not been used since.
    const counted = await run('peppers', {});
    expect(counted.stdout).toMatch(/^pepper 2: \d+ live keys; accepted by 2 of 2 gateways$/m);
    expect(counted.stdout).toMatch(/^pepper 1: 1 live key; accepted by 1 of 2 gateways$/m);
    expect(counted).toMatchObject({ code: 1, stderr: expect.stringContaining('they get 401 there') as unknown });
    const text = await metric(gatewayOf(two));
    expect(text).toMatch(/kissapi_live_keys\{pepper="2"\} [1-9]/);
    const unused = await run('peppers', {}, '--keys', '1');
    expect(unused.stdout).toMatch(/^acc_demo key_demo_\w+\n$/);
    expect(gatewayOf(one).process.output()).toMatch(
      /API keys that stop working on this gateway: 1\. They need the pepper/,
    );
    expect(gatewayOf(one).process.output()).toContain('add it to KISSAPI_KEY_PEPPERS_OLD');
  });

  it.each([
    ['KISSAPI_KEY_PEPPER', { KISSAPI_KEY_PEPPER: OLD_PEPPER }],
    ['KISSAPI_DATA_KEY', { KISSAPI_DATA_KEY: OLD_KEY }],
    ['KISSAPI_KEY_PEPPERS_OLD', { KISSAPI_KEY_PEPPERS_OLD: `1=${NEW_PEPPER}` }],
    ['KISSAPI_DATA_KEYS_OLD', { KISSAPI_DATA_KEYS_OLD: `1=${NEW_KEY}` }],
  ])('keep a gateway from starting that has another %s under a known id', async (name, wrong) => {
    const start = premises.startGateway({ ...after, ...wrong });
    await expect(start).rejects.toThrow(
      new RegExp(`ended with 1:\\n[^]*^${name}[^\\n]* is not [^\\n]*Set it to [^\\n]*$`, 'm'),
    );
    await expect(start).rejects.not.toThrow(/ at .*\.ts:\d/);
  });
});

describe('a new signing key', () => {
  it('is logged with the ids of both keys, and verify needs both public keys', { timeout: 180_000 }, async () => {
    const premises = await createPremises();
    const folder = await mkdtemp(join(tmpdir(), 'kissapi-keys-'));
    const pairs = ['old', 'new'].map((name) => ({ ...generateKeyPairSync('ed25519'), file: join(folder, name) }));
    try {
      for (const { privateKey, publicKey, file } of pairs) {
        await writeFile(file, publicKey.export({ type: 'spki', format: 'pem' }));
        const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
        const gateway = await premises.startGateway({ KISSAPI_SIGNING_KEY: pem });
        const isNew = gateway.process
          .output()
          .includes('KISSAPI_SIGNING_KEY is a new key: it signs the log from now on.');
        expect(isNew).toBe(file.endsWith('new'));
        await gateway.openAccount();
        expect(await gateway.process.stop()).toBe(0);
      }
      const verify = (...names: readonly string[]) =>
        runCommand(
          'verify',
          names.flatMap((name) => ['--public-key', join(folder, name)]),
          { env: { DATABASE_URL: premises.databaseUrl } },
        );
      expect((await verify('old', 'new')).stdout).toContain('every signature is good');
      expect((await verify('new')).code).toBe(1);
    } finally {
      await premises.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
