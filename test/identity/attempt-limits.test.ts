import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAttemptLimits, RATES, type AttemptLimits, type Rates } from '../../src/identity/attempt-limits.ts';
import { createIdentityDatabase, type IdentityDatabase } from '../../src/identity/database.ts';
import { query } from '../support/sql.ts';
import { HOUR_MS, openNodes, type Nodes } from './nodes.ts';

let nodes: Nodes;
let databases: readonly IdentityDatabase[];
beforeAll(async () => {
  nodes = await openNodes();
  databases = [createIdentityDatabase(nodes.url), createIdentityDatabase(nodes.url)];
});
afterAll(() => Promise.all([nodes, ...databases].map((one) => one.close())));

const rates: Rates = {
  account: { burst: 3, refillMs: 1000 },
  address: { burst: 6, refillMs: 1000 },
  addressFromNetwork: { burst: 2, refillMs: 10_000 },
  network: { burst: 4, refillMs: 1000 },
};
/** Two nodes that count by these rates. */
const limitsOf = (sendCode: Rates): readonly AttemptLimits[] =>
  databases.map((database) =>
    createAttemptLimits({ database, now: nodes.now, rates: { ...RATES, send_code: sendCode } }),
  );

let account: string;
let addressHash: string;
let network: string;
beforeEach(() => {
  [account, addressHash, network] = [nodes.person(), nodes.person(), nodes.person()];
});
const allowed = { kind: 'allowed' };
const wait = (retryAfterMs: number) => ({ kind: 'wait', retryAfterMs });

describe('attempts', () => {
  type Keys = Parameters<AttemptLimits['allow']>[0]['keys'];
  const nodeOf = (n: number) => ({
    try: async (keys: Keys, some = rates) => limitsOf(some)[n]?.allow({ action: 'send_code', keys }),
  });
  const [one, other] = [nodeOf(0), nodeOf(1)];

  it('are allowed up to the burst on both nodes together, and then one per refill', async () => {
    for (const node of [one, other, one]) expect(await node.try({ account })).toEqual(allowed);
    expect(await other.try({ account })).toEqual(wait(1000));
    nodes.forward(400);
    expect(await one.try({ account })).toEqual(wait(600));
    nodes.forward(600);
    expect(await one.try({ account })).toEqual(allowed);
    expect(await other.try({ account })).toEqual(wait(1000));
  });

  it('that are refused do not prolong the wait', async () => {
    for (let n = 0; n < 3; n++) await one.try({ account });
    for (let n = 0; n < 50; n++) expect(await other.try({ account })).toEqual(wait(1000));
    nodes.forward(1000);
    expect(await other.try({ account })).toEqual(allowed);
  });

  it('are counted exactly when a hundred arrive at once on two nodes', async () => {
    const keys = { account, addressHash, network };
    const loose: Rates = { ...rates, addressFromNetwork: { burst: 50, refillMs: 1000 } };
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? one : other).try(keys, loose)),
    );
    expect(results.filter((result) => result?.kind === 'allowed')).toHaveLength(3);
  });

  it('with the same keys in different company neither deadlock nor lose a count', async () => {
    const upTo = (burst: number): Rates => {
      const rate = { burst, refillMs: HOUR_MS };
      return { account: rate, address: rate, network: rate };
    };
    const company = [
      { account, network },
      { addressHash, network },
      { account, addressHash },
    ];
    await Promise.all(
      Array.from({ length: 90 }, (_, n) => (n % 2 === 0 ? one : other).try(company[n % 3] ?? {}, upTo(500))),
    );
    // Each key was in 60 of them.
    for (const keys of [{ account }, { addressHash }, { network }]) {
      expect(await one.try(keys, upTo(60))).toEqual(wait(HOUR_MS));
      expect(await one.try(keys, upTo(61))).toEqual(allowed);
    }
  });

  it('that one key refuses count against none of the others', async () => {
    for (let n = 0; n < 4; n++) await one.try({ network });
    for (let n = 0; n < 20; n++) expect(await one.try({ account, network })).toEqual(wait(1000));
    for (let n = 0; n < 3; n++) expect(await one.try({ account })).toEqual(allowed);
  });

  it('from one network do not use up the attempts of the owner of an address elsewhere', async () => {
    const attacker = nodes.person();
    for (let n = 0; n < 2; n++) expect(await one.try({ addressHash, network: attacker })).toEqual(allowed);
    for (let n = 0; n < 20; n++) expect(await one.try({ addressHash, network: attacker })).toEqual(wait(10_000));
    for (let n = 0; n < 2; n++) expect(await other.try({ addressHash, network })).toEqual(allowed);
  });

  it('against one address are bounded, from however many networks they come', async () => {
    const results: unknown[] = [];
    for (let n = 0; n < 8; n++) results.push(await one.try({ addressHash, network: nodes.person() }));
    expect(results).toEqual([...Array<unknown>(6).fill(allowed), wait(1000), wait(1000)]);
  });

  it('wait for the slowest of the keys', async () => {
    for (let n = 0; n < 2; n++) await one.try({ addressHash, network });
    nodes.forward(500);
    expect(await one.try({ addressHash, network })).toEqual(wait(9500));
  });

  it('of different actions, and keys with the same text, are counted apart', async () => {
    const [limits] = limitsOf(rates);
    for (let n = 0; n < 3; n++) await one.try({ account });
    expect(await limits?.allow({ action: 'passkey', keys: { account } })).toEqual(allowed);
    expect(await one.try({ network: account })).toEqual(allowed);
    expect(await one.try({ addressHash: account })).toEqual(allowed);
  });

  it('without a key that has a rate are allowed', async () => {
    for (let n = 0; n < 10; n++) expect(await one.try({})).toEqual(allowed);
  });

  it('leave only hashes in the table, which are deleted when the bucket is full again', async () => {
    await one.try({ account, addressHash, network });
    const dump = await nodes.dump();
    for (const key of [account, addressHash, network]) expect(dump).not.toContain(key);
    const rows = () => query(nodes.url, 'select key from attempt_limits where full_at > $1', [nodes.now()]);
    const count = (await rows()).length;
    expect(count).toBeGreaterThanOrEqual(4);
    await nodes.one.attemptLimits.deleteExpired();
    expect(await rows()).toHaveLength(count);
    nodes.forward(10_000);
    expect(await nodes.one.attemptLimits.deleteExpired()).toBeGreaterThanOrEqual(4);
    expect(await one.try({ account })).toEqual(allowed);
  });
});

describe('the rates of every action', () => {
  it.each(Object.entries(RATES))('%s never delay a person for more than ten minutes', (_, given) => {
    for (const { refillMs } of Object.values(given)) expect(refillMs).toBeLessThanOrEqual(600_000);
  });

  it('leave an address open to its owner while one network uses up all that it may', () => {
    for (const { address, addressFromNetwork } of Object.values(RATES)) {
      if (!address || !addressFromNetwork) continue;
      expect(addressFromNetwork.burst).toBeLessThan(address.burst / 2);
      expect(addressFromNetwork.refillMs).toBeGreaterThan(address.refillMs * 2);
    }
  });
});
