import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startSelfAudit, type Difference, type SelfAuditOptions } from '../../src/reactions/self-audit.ts';

const differs = (what: string): Difference => ({ what, log: '1', row: '2' });

/** Accounts whose rows tests change; reports are kept. */
const createWorld = (over: Partial<SelfAuditOptions> = {}) => {
  const world = {
    accounts: ['acc_1'],
    /** By account: what differs at each look, the last of them from then on. */
    wrong: new Map<string, (readonly Difference[] | undefined)[]>(),
    looks: [] as string[],
    results: [] as string[],
    alarms: [] as (readonly [string, readonly string[]])[],
    mended: [] as string[],
    failures: [] as unknown[],
  };
  let turn = 0;
  const audit = startSelfAudit({
    pick: () => Promise.resolve(world.accounts[turn++ % world.accounts.length]),
    audit: (accountId) => {
      world.looks.push(accountId);
      const left = world.wrong.get(accountId) ?? [[]];
      return Promise.resolve(left.length > 1 ? left.shift() : left[0]);
    },
    sampled: (result) => world.results.push(result),
    alarm: (accountId, differences) => world.alarms.push([accountId, differences.map(({ what }) => what)]),
    mended: (accountId) => world.mended.push(accountId),
    failed: (error) => world.failures.push(error),
    everyMs: 100,
    confirmAfterMs: 50,
    ...over,
  });
  return { world, audit };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const after = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('the self-audit', () => {
  it('audits one account after another at its interval', async () => {
    const { world, audit } = createWorld();
    world.accounts = ['acc_1', 'acc_2'];
    await after(99);
    expect(world.looks).toEqual([]);
    await after(401);
    expect(world.looks).toEqual(['acc_1', 'acc_2', 'acc_1', 'acc_2', 'acc_1']);
    expect(world.results).toEqual(Array.from({ length: 5 }, () => 'agreed'));
    expect(world.alarms).toEqual([]);
    await audit.close();
  });

  it('raises an alarm after a second audit, and not again for the same differences', async () => {
    const { world, audit } = createWorld();
    world.wrong.set('acc_1', [[differs('balances.charged')]]);
    await after(149);
    expect(world.looks).toEqual(['acc_1']);
    expect([world.alarms, world.results]).toEqual([[], []]);
    await after(1);
    expect(world.alarms).toEqual([['acc_1', ['balances.charged']]]);
    expect(world.results).toEqual(['disagreed']);
    expect(audit.disagreeing).toBe(1);

    await after(1000);
    expect(world.results.length).toBeGreaterThan(5);
    expect(world.alarms).toHaveLength(1);
    world.wrong.set('acc_1', [[differs('balances.charged'), differs('balances.held')]]);
    await after(300);
    expect(world.alarms.slice(1)).toEqual([['acc_1', ['balances.charged', 'balances.held']]]);
    await audit.close();
  });

  it('raises no alarm if the second audit finds nothing, or other differences', async () => {
    const { world, audit } = createWorld();
    world.wrong.set('acc_1', [[differs('balances.charged')], []]);
    await after(200);
    expect(world.results).toEqual(['agreed']);
    world.wrong.set('acc_1', [[differs('balances.charged')], [differs('balances.held')], []]);
    await after(150);
    expect(world.results).toEqual(['agreed', 'skipped']);
    world.wrong.set('acc_1', [[differs('a'), differs('b')], [differs('b'), differs('c')], []]);
    await after(150);
    expect(world.alarms).toEqual([['acc_1', ['b']]]);
    await audit.close();
  });

  it('audits a wrong account again, and reports when it is correct', async () => {
    const { world, audit } = createWorld();
    world.wrong.set('acc_1', [[differs('balances.charged')]]);
    await after(160);
    world.accounts = Array.from({ length: 100 }, (_, n) => `acc_${n + 2}`);
    await after(300);
    expect(world.looks.filter((id) => id === 'acc_1').length).toBeGreaterThan(2);
    world.wrong.clear();
    await after(500);
    expect(world.mended).toEqual(['acc_1']);
    expect(audit.disagreeing).toBe(0);
    const looks = world.looks.filter((id) => id === 'acc_1').length;
    await after(1000);
    expect(world.looks.filter((id) => id === 'acc_1')).toHaveLength(looks);

    world.accounts = ['acc_1'];
    world.wrong.set('acc_1', [[differs('balances.charged')]]);
    await after(500);
    expect(world.alarms).toHaveLength(2);
    await audit.close();
  });

  it('skips if there is no account, if nothing can be compared, and if the database is unreachable', async () => {
    const { world, audit } = createWorld();
    world.accounts = [];
    await after(100);
    world.accounts = ['acc_1'];
    world.wrong.set('acc_1', [undefined]);
    await after(100);
    world.wrong.set('acc_1', [[differs('balances.charged')], undefined]);
    await after(150);
    expect(world.results).toEqual(['skipped', 'skipped', 'skipped']);
    expect([world.alarms, world.failures]).toEqual([[], []]);
    await audit.close();

    let away = true;
    const down = (): Promise<never> => Promise.reject(new Error('down'));
    for (const over of [{ pick: down }, { audit: () => (away ? down() : Promise.resolve([])) }]) {
      away = true;
      const broken = createWorld(over);
      await after(250);
      expect(broken.world.results).toEqual(['skipped', 'skipped']);
      expect(broken.world.failures).toHaveLength(2);
      away = false;
      await after(100);
      expect(broken.world.results[2]).toBe('audit' in over ? 'agreed' : 'skipped');
      expect(broken.world.alarms).toEqual([]);
      await broken.audit.close();
    }
  });

  it('runs one audit at a time, and finishes the audit under way when it is closed', async () => {
    const finish: (() => void)[] = [];
    const { world, audit } = createWorld({ audit: () => new Promise((resolve) => finish.push(() => resolve([]))) });
    await after(1000);
    expect(finish).toHaveLength(1);
    const closed = vi.fn();
    const closing = audit.close().then(closed);
    await after(100);
    expect(closed).not.toHaveBeenCalled();
    finish[0]?.();
    await closing;
    expect(world.results).toEqual(['agreed']);
    await after(1000);
    expect(finish).toHaveLength(1);
  });

  it('does not wait for a second audit or the next interval when it is closed', async () => {
    const { world, audit } = createWorld({ confirmAfterMs: 1_000_000 });
    world.wrong.set('acc_1', [[differs('balances.charged')]]);
    await after(150);
    await audit.close();
    expect([world.results, world.alarms]).toEqual([['skipped'], []]);
    const idle = createWorld({ everyMs: 1_000_000 });
    await idle.audit.close();
    expect(idle.world.results).toEqual([]);
  });
});
