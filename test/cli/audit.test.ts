import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requests } from '../../src/projections/rows/requests.ts';
import { topUp } from '../domain/account/examples.ts';
import { openBusyHouse, type BusyHouse } from '../projections/busy.ts';
import { runCommand, type Ran } from '../support/command.ts';
import { ACCOUNT, writeLedger } from './ledger.ts';

let house: BusyHouse;
beforeAll(async () => {
  house = await openBusyHouse();
  await writeLedger(house.store);
  await house.traffic.open('acc_2');
  await house.caughtUp();
});
afterAll(() => house.close());

const audit = (...args: readonly string[]): Promise<Ran> =>
  runCommand('audit', args, { env: { DATABASE_URL: house.url } });

const tamper = (sql: string): Promise<unknown> => house.database.none(sql);

describe('audit', () => {
  it('exits with 0 where all is as the log says', async () => {
    const head = await house.store.head();
    expect(await audit()).toEqual({
      code: 0,
      stdout: `All as the log says: 2 accounts, 5 requests, up to event ${head}.\n`,
      stderr: '',
    });
    expect(await audit('--account', ACCOUNT)).toEqual({
      code: 0,
      stdout: `All as the log says: 1 account, 5 requests, up to event ${head}.\n`,
      stderr: '',
    });
  });

  it('exits with 2 where it cannot be done, and says why', async () => {
    const complaint = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await audit(...args);
      expect([code, stdout]).toEqual([2, '']);
      return stderr;
    };
    expect(await complaint('--account', 'acc_nobody')).toBe('audit: There is no account acc_nobody. Check the id.\n');
    expect(await complaint('--acount', 'acc_1')).toMatch(/unknown option '--acount'/);
    expect(await complaint('acc_1')).toMatch(/too many arguments/);
    await tamper(`update projections.checkpoints set version = 99 where name = 'requests'`);
    expect(await complaint()).toMatch(/^audit: projection requests is at version 99, and this software makes/);
    await tamper(`update projections.checkpoints set version = ${requests.version} where name = 'requests'`);
  });

  it('helps', async () => {
    const { code, stdout } = await audit('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('npm run audit -- --account acc_');
    expect(stdout).toContain('nano-USD');
    // An event that was changed together with its row is found by verify alone.
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /changed together with its row .*not found here: npm run verify finds it/,
    );
  });
});

describe('audit of rows that were changed by hand', () => {
  beforeEach(() => tamper(`update projections.balances set charged = charged + 7 where account_id = '${ACCOUNT}'`));
  afterAll(() => tamper(`update projections.balances set charged = charged - 14 where account_id = '${ACCOUNT}'`));

  it('exits with 1 and tells each difference', async () => {
    await tamper(
      `update projections.requests set status = 'settled', ended = E'\\u001b[31m' where request_id = 'gen-5'`,
    );
    const { code, stdout, stderr } = await audit();
    await tamper(`update projections.requests set status = 'open', ended = null where request_id = 'gen-5'`);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout.split('\n')).toEqual([
      `${ACCOUNT}  balances.charged: the log says 10000000, the row 10000007`,
      'all accounts  sum of balances.charged: the log says 10000000, the row 10000007',
      `${ACCOUNT}  requests.gen-5.status: the log says open, the row settled`,
      `${ACCOUNT}  requests.gen-5.ended: the log says null, the row ·[31m`,
      expect.stringMatching(/^4 differences: 2 accounts, 5 requests, up to event \d+\.$/),
      '',
    ]);
  });

  it('tells of one account only what is its own', async () => {
    expect(await audit('--account', 'acc_2')).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout } = await audit('--account', ACCOUNT);
    expect(code).toBe(1);
    expect(stdout).toContain(`${ACCOUNT}  balances.charged:`);
    expect(stdout).toContain(`${ACCOUNT}  sum of balances.charged:`);
  });
});

describe('audit of rows that nobody moves on', () => {
  it('exits with 2 and audits as far as they are', async () => {
    await house.pause();
    const head = await house.store.head();
    await house.node.execute('acc_2', topUp(1n, 'lot_9'));
    const { code, stdout, stderr } = await audit();
    expect(code).toBe(2);
    expect(stdout).toBe(`All as the log says: 2 accounts, 5 requests, up to event ${head}.\n`);
    expect(stderr).toMatch(/^audit: balances is 1 event behind, requests is 1 event behind, .*Start the gateway/);
    house.resume();
    await house.caughtUp();
    expect(await audit()).toMatchObject({ code: 0 });
  });
});
