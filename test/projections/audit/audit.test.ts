import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import type { AccountCommand } from '../../../src/domain/account/decide.ts';
import { emptyWallet, evolveWallet, type Wallet } from '../../../src/domain/account/wallet.ts';
import { anyAccount, auditAccount, recentAccount } from '../../../src/projections/audit/audit-account.ts';
import { auditLog } from '../../../src/projections/audit/audit-log.ts';
import { brokenPromises, type Difference } from '../../../src/projections/audit/audit.ts';
import { balances } from '../../../src/projections/rows/balances.ts';
import { rebuild } from '../../../src/projections/rebuild/rebuild.ts';
import { requests } from '../../../src/projections/rows/requests.ts';
import {
  AT,
  chargeLate,
  drawn,
  release,
  reserve,
  reserved,
  settle,
  toppedUp,
  topUp,
} from '../../domain/account/examples.ts';
import { pay } from '../../domain/account/refunds/examples.ts';
import { openBusyHouse, type BusyHouse } from '../busy.ts';
import { asProjection } from '../log.ts';

const ACCOUNTS = ['acc_1', 'acc_2', 'acc_3'];

let house: BusyHouse;
/** For each of the following its own, so that each log is short. */
const useHouse = (): void => {
  beforeAll(async () => {
    house = await openBusyHouse();
    for (const account of ACCOUNTS) await house.traffic.open(account);
  });
  afterAll(() => house.close());
};

/** Rows that are further behind are not judged. */
const MAX_BEHIND = 100;

const look = (accountId: string, window?: number): Promise<readonly Difference[] | undefined> =>
  auditAccount(
    {
      database: house.database,
      store: house.store,
      readAccount: (id) => house.node.commands.read(accountStream(id)),
      maxBehind: MAX_BEHIND,
      ...(window === undefined ? {} : { window }),
    },
    accountId,
  );

/** In small pages, so that what happens to a request is in several of them. */
const auditAll = async (accountId?: string) => {
  const found: Difference[] = [];
  const { database, store } = house;
  const audited = await auditLog({
    ...{ database, store, accountId, page: accountId === undefined ? 200 : 2, progress: () => undefined },
    found: (one) => found.push(one),
  });
  return { found, ...audited };
};

/** What differs, by the look at one account, by that with next to no events, and by the audits of one and of all. */
const findAll = async (accountId: string) => {
  const what = (all: readonly Difference[] = []): string[] =>
    all.filter((one) => !one.what.startsWith('sum')).map((one) => one.what);
  return {
    look: what(await look(accountId)),
    short: what(await look(accountId, 2)),
    one: what((await auditAll(accountId)).found),
    all: what((await auditAll()).found),
  };
};

const inAll = (...what: readonly string[]) => ({ look: what, short: what, one: what, all: what });

describe('rows that are as the log says', () => {
  useHouse();

  it('agree while requests go on and tables are rebuilt and taken over', async () => {
    const traffic = house.traffic.start(ACCOUNTS);
    const looks = { agreed: 0, untold: 0 };
    let busy = true;
    const sampler = async (window: number): Promise<void> => {
      for (let n = 0; busy; n++) {
        const found = await look(ACCOUNTS[n % ACCOUNTS.length] ?? '', window);
        if (found) looks.agreed++;
        else looks.untold++;
        expect(found ?? []).toEqual([]);
      }
    };
    const samplers = Promise.all([sampler(300), sampler(5)]);
    samplers.catch(() => undefined); // It is awaited below.
    const { database, store } = house;
    for (let n = 0; n < 2; n++) {
      const all = await auditAll();
      expect(all.found).toEqual([]);
      expect((await auditAll('acc_2')).found).toEqual([]);
      for (const projection of [balances, requests].map(asProjection)) {
        await rebuild({ database, store, projection, progress: () => undefined });
      }
    }
    await traffic.stop();
    busy = false;
    await samplers;
    expect(looks.agreed).toBeGreaterThan(20);
    expect(looks.untold).toBe(0);

    await house.caughtUp();
    const { found, positions, accounts } = await auditAll();
    expect(found).toEqual([]);
    expect(accounts).toBe(ACCOUNTS.length);
    expect(positions.requests).toBe(await store.head());
    expect(house.failures).toEqual([]);
  });

  it('agree while they are behind, and are not judged where they are far behind', async () => {
    await house.pause();
    for (let n = 0; n < 15; n++) await house.traffic.request('acc_1');
    for (const account of ACCOUNTS) expect(await look(account, 5)).toEqual([]);
    expect((await auditAll()).found).toEqual([]);
    const topUps = Array.from({ length: 3 * MAX_BEHIND }, (_, n) =>
      house.node.execute('acc_1', topUp(1n, `lot_far_${n}`)),
    );
    await Promise.all(topUps);
    expect(await look('acc_1', 5)).toBeUndefined();
    expect(await look('acc_2', 5)).toEqual([]);
    house.resume();
    await house.caughtUp();
    expect(await look('acc_1', 5)).toEqual([]);
  });

  it('are not judged where they are of another version', async () => {
    const become = (version: number): Promise<unknown> =>
      house.database.none(`update projections.checkpoints set version = $1 where name = 'requests'`, [version]);
    await become(requests.version + 1);
    expect(await look('acc_1')).toBeUndefined();
    await expect(auditAll()).rejects.toThrow(
      `at version ${requests.version + 1}, and this software makes version ${requests.version}`,
    );
    await become(requests.version);
  });

  it('agree if a charge is reversed once more after its row was found correct', async () => {
    await house.traffic.open('acc_4');
    const execute = (command: AccountCommand) => house.node.execute('acc_4', command);
    await execute(reserve(100n, 'gen-back'));
    await execute(settle(2_000_000, 'gen-back')); // Some of it is written off.
    await execute(reversal('gen-back', 3n, 100n));
    for (let n = 0; n < 3; n++) await execute(topUp(1n, `lot_later_${n}`));
    await house.caughtUp();
    let isReversed = false;
    const store = {
      ...house.store,
      readStream: async (stream: string, from: number, limit: number) => {
        const page = await house.store.readStream(stream, from, limit);
        if (page.length === limit || isReversed) return page;
        isReversed = true;
        await execute(reversal('gen-back', 4n, 100n));
        await house.caughtUp();
        return page;
      },
    };
    const found: Difference[] = [];
    const { database } = house;
    const all = { database, store, accountId: 'acc_4', page: 2, progress: () => undefined };
    await auditLog({ ...all, found: (one) => found.push(one) });
    expect(isReversed).toBe(true);
    expect(found).toEqual([]);
  });

  it('are found by any id, or among the last events', async () => {
    const seen = async (pick: (random: () => number) => Promise<string | undefined>): Promise<Set<unknown>> => {
      const picked = Array.from({ length: 40 }, (_, n) => pick(() => n / 40));
      return new Set(await Promise.all(picked));
    };
    // Ids of tests are no hashes: all but the greatest random number come before them.
    expect(await anyAccount(house.database, () => 0)).toBe('acc_1');
    expect(await anyAccount(house.database, () => 0.999999)).toBe('acc_1');
    expect(await seen((random) => recentAccount(house.store, random, 100))).toContain('acc_1');
  });
});

const reversal = (requestId: string, amount: bigint, charged: bigint): AccountCommand => ({
  ...{ type: 'ReverseCharge', requestId, amount, reason: 'wrong model', charged, drawn: [drawn(charged)] },
  ...{ chargedAt: AT, at: AT },
});

/** What the pages after the end of a request contain, when its row has been looked at. `gen-all` was written off in part. */
const refundsAndReversals: readonly AccountCommand[] = [
  pay(1000n, 'lot_2b'),
  reversal('gen-settled', 10n, 60n),
  reversal('gen-settled', 5n, 60n),
  reversal('gen-all', 7n, 900_000n),
  { type: 'HoldForRefund', refunds: [{ refundId: 'ref_1', lotId: 'lot_2b', amount: 300n }], reason: 'other' },
  { type: 'HoldForRefund', refunds: [{ refundId: 'ref_2', lotId: 'lot_2b', amount: 100n }], reason: 'other' },
  { type: 'RecordRefund', lotId: 'lot_2b', reference: 'tran_1', refundId: 'ref_1', amount: 300n },
  pay(500n, 'lot_2c'),
  { type: 'FreezeLot', lotId: 'lot_2c', disputeId: 'disp_1' },
  { type: 'RecordChargeback', lotId: 'lot_2c', disputeId: 'disp_1', amount: 520n },
  pay(5n, 'lot_2d'),
];

describe('a row that is not as the log says', () => {
  useHouse();
  beforeAll(async () => {
    await house.traffic.open('acc_9');
    const steps = [
      reserve(100n, 'gen-settled'),
      settle(60, 'gen-settled'),
      reserve(100n, 'gen-late'),
      release('gen-late'),
      reserve(999_800n, 'gen-all'),
      settle(1_500_000, 'gen-all'), // Some of it is written off.
      topUp(1_000_000n, 'lot_2'),
      reserve(100n, 'gen-released'),
      release('gen-released'),
      chargeLate(40, 'gen-late'), // Some pages after it was released, when its row has been looked at.
      reserve(300n, 'gen-open'),
      reserve(400n, 'gen-open-2'),
      ...refundsAndReversals,
    ];
    for (const step of steps) await house.node.execute('acc_9', step);
    await house.caughtUp();
    for (const { name } of [balances, requests])
      await house.database.none(`create table ${name} as table projections.${name}`);
  });
  beforeEach(async () => {
    for (const { name } of [balances, requests]) {
      await house.database.none(`delete from projections.${name}; insert into projections.${name} table ${name}`);
    }
  });

  const tamper = (sql: string): Promise<unknown> => house.database.none(sql);
  const balance = (set: string): Promise<unknown> =>
    tamper(`update projections.balances set ${set} where account_id = 'acc_9'`);
  const request = (id: string, set: string): Promise<unknown> =>
    tamper(`update projections.requests set ${set} where request_id = '${id}'`);

  it('is looked for in vain before', async () => {
    expect(await findAll('acc_9')).toEqual(inAll());
    expect((await auditAll()).found).toEqual([]);
  });

  it.each([
    ...['topped_up', 'charged', 'reversed', 'repaid', 'refunded', 'charged_back', 'expired', 'forfeited', 'waived'],
    ...['held', 'held_for_refund', 'frozen', 'debt', 'open_holds', 'revision'],
  ])('is found by its %s', async (column) => {
    await balance(`${column} = ${column} + 1`);
    expect(await findAll('acc_9')).toEqual(inAll(`balances.${column}`));
    await balance(`${column} = ${column} - 2`);
    expect(await findAll('acc_9')).toEqual(inAll(`balances.${column}`));
  });

  it('is found by what was written off, by looking at a few events only where there are no more', async () => {
    await balance('written_off = written_off - 1');
    expect(await findAll('acc_9')).toEqual({ ...inAll('balances.written_off'), short: [] });
  });

  it('is found where there is none, or one too many', async () => {
    await tamper(`delete from projections.balances where account_id = 'acc_9'`);
    expect(await findAll('acc_9')).toEqual(inAll('balances'));
    const row = { topped_up: 1, expired: 1, charged: 0, written_off: 0, held: 0, open_holds: 0, revision: 0 };
    await tamper(
      `insert into projections.balances (account_id, ${Object.keys(row).join(', ')})
       values ('acc_x', ${Object.values(row).join(', ')})`,
    );
    expect(await look('acc_x')).toMatchObject([{ what: 'balances', log: 'no row', row: 'a row' }]);
    // One row is missing, the other has values in these columns only.
    const lost = ['topped_up', 'charged', 'reversed', 'repaid', 'refunded', 'charged_back', 'expired', 'written_off'];
    const sums = [...lost, 'debt'].map((column) => `sum of balances.${column}`);
    expect((await auditAll()).found.map(({ what }) => what)).toEqual(['balances', 'balances', ...sums]);
  });

  it('is found where an open request is not there', async () => {
    await tamper(`delete from projections.requests where request_id = 'gen-open'`);
    expect(await findAll('acc_9')).toEqual(inAll('requests.gen-open'));
  });

  it('is found where a request has ended in one and not in the other', async () => {
    await request('gen-open', `status = 'released'`);
    expect(await findAll('acc_9')).toEqual(inAll('requests.gen-open.status'));
    await request('gen-open', `status = 'open'`);
    await request('gen-settled', `status = 'open'`);
    expect(await findAll('acc_9')).toEqual(inAll('requests.gen-settled.status'));
  });

  it.each([
    ['held', '301'],
    ['held', '299'],
    ['key_id', `'key_2'`],
    ['run_id', `'run_2'`],
    ['price_version', '2'],
  ])('is found where an open request is of another %s', async (column, value) => {
    await request('gen-open', `${column} = ${value}`);
    expect(await findAll('acc_9')).toEqual(inAll(`requests.gen-open.${column}`));
  });

  it.each([
    ['gen-settled', 'status', `'released'`],
    ['gen-settled', 'charged', '61'],
    ['gen-settled', 'output_tokens', '0'],
    ['gen-settled', 'cost', '59'],
    ['gen-settled', 'ended_revision', '3'],
    ['gen-all', 'written_off', '0'],
    ['gen-all', 'reversed', '0'],
    ['gen-settled', 'reversed', '10'],
    ['gen-late', 'status', `'released'`],
    ['gen-late', 'charged', '0'],
    ['gen-released', 'charged', '1'],
    ['gen-released', 'status', `'settled'`],
    ['gen-released', 'held', '99'],
  ])('is found where %s has ended otherwise: %s', async (id, column, value) => {
    await request(id, `${column} = ${value}`);
    const what = `requests.${id}.${column}`;
    expect(await findAll('acc_9')).toEqual({ ...inAll(what), short: [] });
  });

  it('is found where it never took in the late charge of a request that had been released', async () => {
    const [release] = (await house.store.readStream('account-acc_9', 0, 100)).filter(
      ({ type, data }) => type === 'HoldReleased' && data.includes('gen-late'),
    );
    const nothing = ['usage_source', 'ended', 'finish_reason', 'upstream_id', 'first_byte_ms', 'total_ms'];
    await request(
      'gen-late',
      `status = 'released', cost = 0, charged = 0, output_tokens = 0, ended_revision = ${release?.revision},
       ended_at = '${release?.time.toISOString()}', ${nothing.map((column) => `${column} = null`).join(', ')}`,
    );
    const columns = ['status', 'cost', 'charged', 'output_tokens', 'usage_source', 'ended'];
    const { look, one, all } = await findAll('acc_9');
    for (const what of [look, one, all]) {
      expect(what).toEqual(expect.arrayContaining(columns.map((column) => `requests.gen-late.${column}`)));
    }
  });

  it('is found where a request belongs to somebody else', async () => {
    await request('gen-open', `account_id = 'acc_2'`);
    expect(await findAll('acc_9')).toEqual(inAll('requests.gen-open.account_id'));
    expect((await findAll('acc_2')).look).toEqual(['requests.gen-open.status']);
    expect((await findAll('acc_2')).one).toEqual(['requests.gen-open']);
  });

  it('is found where nobody made the request', async () => {
    const columns = Object.keys(requests.columns).slice(1).join(', ');
    const copy = (id: string, of: string): Promise<unknown> =>
      tamper(
        `insert into projections.requests select '${id}', ${columns} from projections.requests where request_id = '${of}'`,
      );
    await copy('gen-x', 'gen-open');
    expect(await findAll('acc_9')).toEqual({
      ...inAll('requests.gen-x'),
      look: ['requests.gen-x.status'],
      short: ['requests.gen-x.status'],
    });
    await tamper(`delete from projections.requests where request_id = 'gen-x'`);
    await copy('gen-y', 'gen-settled');
    // Among millions of requests that have ended, only the audit of all finds it.
    expect(await findAll('acc_9')).toEqual({ look: [], short: [], one: ['requests.gen-y'], all: ['requests.gen-y'] });
  });

  it('is found where the sums are not the same', async () => {
    await tamper(`update projections.daily_usage set charged = charged + 1 where account_id = 'acc_9'`);
    const all = [{ accountId: null, what: 'sum of daily_usage.charged' }];
    expect((await auditAll()).found).toMatchObject(all);
    expect((await auditAll('acc_1')).found).toEqual([]);
    expect((await auditAll('acc_9')).found).toMatchObject([{ ...all[0], accountId: 'acc_9' }]);
    await tamper(`update projections.daily_usage set charged = charged - 1 where account_id = 'acc_9'`);
  });
});

describe('a wallet', () => {
  const wallet = (): Wallet => [toppedUp(100n), reserved(40n)].reduce(evolveWallet, emptyWallet());
  const broken = (over: Partial<Wallet>): string[] =>
    brokenPromises('acc_1', { ...wallet(), ...over }).map(({ what }) => what);

  it('keeps its promises', () => expect(broken({})).toEqual([]));

  it.each([
    [{ toppedUp: 99n }, ['account.balance']],
    [{ charged: 1n }, ['account.balance']],
    [{ expired: 1n }, ['account.balance']],
    [{ balance: 101n }, ['account.balance', 'account.lots']],
    [{ lots: new Map() }, ['account.lots']],
    [{ held: 41n }, ['account.holds']],
    [{ held: 101n }, ['account.holds', 'account.available >= 0']],
    [{ locked: 1n }, ['account.locked']],
    [{ repaid: 1n, forfeited: 2n }, ['account.balance']],
    [{ refunds: new Map([['ref_1', { lotId: 'lot_1', amount: 1n }]]) }, ['account.refunds']],
  ])('breaks them where it is %o', (over, what) => expect(broken(over)).toEqual(what));

  it('breaks them if a lot does not add up', () => {
    const { lots } = wallet();
    for (const lot of lots.values()) lot.used += 1n;
    expect(broken({ lots })).toEqual(['account.lots that do not add up']);
  });
});
