import { describe, expect, it } from 'vitest';
import { agrees, arithmetic, check, verdict, type Charge } from '../../../src/cli/account-history/arithmetic.ts';
import { findInLog, listedLines, tellRequest } from '../../../src/cli/account-history/charge.ts';
import type { AccountCommand } from '../../../src/domain/account/decide.ts';
import { noUsage } from '../../../src/domain/money.ts';
import { linesOf } from '../../../src/domain/prices/lines.ts';
import { createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import { ACCOUNT, goOn, price, settle, writeLedger } from '../ledger.ts';

const charge = async (requestId: string, more: readonly AccountCommand[] = []): Promise<Charge> => {
  const store = createInMemoryStore();
  await writeLedger(store);
  await goOn(store, more);
  const told = await tellRequest(store, ACCOUNT, requestId);
  if (!told.charge) throw new Error('it was charged');
  return { ...told.charge, listed: await listedLines(store, price), projected: undefined };
};

const wrong = (changed: Charge): string[] =>
  check(changed)
    .filter((one) => !agrees(one))
    .map(({ what }) => what);

describe('the arithmetic of a charge', () => {
  it('agrees with what the log says: from two lots, late, and beyond the balance', async () => {
    for (const requestId of ['gen-1', 'gen-2', 'gen-4']) expect(wrong(await charge(requestId))).toEqual([]);
  });

  it('goes from tokens to money, and rounds once', async () => {
    const text = arithmetic(await charge('gen-1'));
    expect(text.split('\n')).toEqual([
      'class         tokens  x USD per million     = pico-USD',
      'input            101           0.250001     25,250,101',
      'cached input      40              0.025      1,000,000',
      'cache write        0               0.25              0',
      'output         1,000               2.00  2,000,000,000',
      'reasoning          0               2.00              0',
      'sum                                      2,026,250,101',
      '',
      '2,026,250,101 pico-USD = 2,026,251 nano-USD (rounded up once, by 899 pico-USD) = 0.002026251 USD',
      '',
      'cost            0.002026251 USD',
      'charged         0.002026251 USD',
      'written off            0.00 USD',
      'balance before         0.01 USD',
      'balance after   0.007973749 USD',
      'drawn: 0.001 from lot_1, 0.001026251 from lot_2',
    ]);
  });

  it('shows what was written off', async () => {
    const { writtenOff, balanceAfter, event } = await charge('gen-4');
    expect({ writtenOff, balanceAfter, cost: event.cost }).toEqual({
      writtenOff: 12_072_502n,
      balanceAfter: 0n,
      cost: 20_026_251n,
    });
  });

  it('knows that a limit on spending kept the charge within the hold', async () => {
    const limits = { spending: { day: 1n } };
    const limited = await charge('gen-5', [{ type: 'SetKeyLimits', keyId: 'key_1', limits }, settle('gen-5', 2000)]);
    expect(limited.event.charged).toBe(1_000_000n);
    expect(limited.balanceBefore).toBe(5_000_000n);
    expect(wrong(limited)).toEqual([]);
  });

  it('agrees with a charge after the account was closed, before what ends with its hold', async () => {
    const closed = await charge('gen-5', [{ type: 'CloseAccount', reason: 'asked' }, settle('gen-5', 400)]);
    expect(wrong(closed)).toEqual([]);
    expect(closed).toMatchObject({ held: 1_000_000n, balanceBefore: 1_000_000n, available: 0n });
    expect(closed.balanceAfter).toBe(1_000_000n - closed.event.charged);
  });

  it('shows what was given back of the charge later, whatever came in between, and recomputes the charge as before', async () => {
    const { event } = await charge('gen-1');
    const reversal = (amount: bigint): AccountCommand => ({
      ...{ type: 'ReverseCharge', requestId: 'gen-1', amount, reason: 'wrong', charged: event.charged },
      ...{ drawn: event.drawn, chargedAt: 0, at: 0 },
    });
    const reversed = await charge('gen-1', [reversal(26_251n), settle('gen-5', 1), reversal(1_000_000n)]);
    expect(reversed).toMatchObject({ event, reversed: 1_026_251n, balanceAfter: 7_973_749n });
    expect(wrong(reversed)).toEqual([]);
    expect(arithmetic(reversed)).toMatch(/\nreversed later +0\.001026251 USD\ncharged in the end +0\.001 USD\n/);
    const projected = { cost: event.cost, charged: event.charged, written_off: 0n, reversed: 1_026_251n };
    expect(wrong({ ...reversed, projected })).toEqual([]);
    expect(wrong({ ...reversed, projected: { ...projected, reversed: 26_251n } })).toEqual([
      'reversed in the projection of requests',
    ]);
  });

  it('shows what was written off because nobody had asked for it', async () => {
    const beyond = await charge('gen-5', [
      { ...settle('gen-5', 400), beyond: { ...noUsage, output: 1500 } } as AccountCommand,
    ]);
    expect(wrong(beyond)).toEqual([]);
    expect(arithmetic(beyond)).toMatch(/\nof that 1,500 tokens beyond the bounds of the request +0.003 USD\n/);
    expect(wrong({ ...beyond, beyond: { ...noUsage, output: 1499 } })).toEqual([
      'written off: the rest of the cost, and what was beyond the bounds',
    ]);
  });

  it('finds every figure that is not as it should be', async () => {
    const good = await charge('gen-1');
    const { event } = good;
    if (event.type !== 'HoldSettled') throw new Error('it was settled');
    const rates = { ...price.rates, output: 1n };
    const cases: readonly [Charge, string][] = [
      [{ ...good, event: { ...event, cost: event.cost + 1n } }, 'cost'],
      [
        { ...good, event: { ...event, charged: event.charged - 1n } },
        'charged: the cost, up to what was held and free',
      ],
      [{ ...good, event: { ...event, held: 1n } }, 'held'],
      [{ ...good, event: { ...event, released: 0n } }, 'released: what the hold kept beyond the charge'],
      [{ ...good, event: { ...event, drawn: event.drawn.slice(1) } }, 'lots drawn, the oldest first'],
      [{ ...good, writtenOff: 1n }, 'written off: the rest of the cost'],
      [{ ...good, balanceAfter: 0n }, 'balance after'],
      [{ ...good, listed: undefined }, 'rates as in the price book'],
      [{ ...good, listed: linesOf(rates) }, 'rates as in the price book'],
      [{ ...good, pinned: { ...price, version: 2 } }, 'price as pinned by the hold'],
      [{ ...good, pinned: { ...price, rates } }, 'rates as pinned by the hold'],
      [
        { ...good, projected: { cost: 0n, charged: event.charged, written_off: 0n, reversed: 0n } },
        'cost in the projection of requests',
      ],
    ];
    for (const [changed, what] of cases) expect(wrong(changed)).toEqual([what]);
    expect(wrong({ ...good, event: { ...event, usage: { ...event.usage, output: 1001 } } })).toContain('cost');
    expect(wrong({ ...good, pinned: undefined })).toHaveLength(2);
  });

  it('says what differs, and that it does', async () => {
    const good = await charge('gen-1');
    expect(verdict(check(good))).toMatch(/ok {5}cost\n[^]*The recomputation agrees with the log\.$/);
    const bad = verdict(check({ ...good, event: { ...good.event, cost: 1n } }));
    expect(bad).toContain('WRONG  cost: recorded 0.000000001, recomputed 0.002026251');
    expect(bad).toMatch(/does NOT agree with the log: 1 of \d+ figures differ\.$/);
  });
});

describe('a request', () => {
  it('is found in the log by its id, and told from beginning to end', async () => {
    const store = createInMemoryStore();
    await writeLedger(store);
    expect(await findInLog(store, ['gen-3', 'gen-9'], 0)).toEqual([{ accountId: ACCOUNT, requestId: 'gen-3' }]);
    expect(await findInLog(store, ['gen-9'], 0)).toEqual([]);
    expect(await findInLog(store, ['gen-1'], await store.head())).toEqual([]);
    const types = async (requestId: string) =>
      (await tellRequest(store, ACCOUNT, requestId)).events.map(({ event }) => event.type);
    expect(await types('gen-1')).toEqual(['CreditsReserved', 'HoldExtended', 'HoldSettled']);
    expect(await types('gen-2')).toEqual(['CreditsReserved', 'HoldReleased', 'LateUsageCharged']);
    expect(await types('gen-4')).toEqual(['CreditsReserved', 'HoldSettled', 'UsageWrittenOff']);
    expect(await tellRequest(store, ACCOUNT, 'gen-3')).toMatchObject({ charge: undefined, released: true });
    expect(await tellRequest(store, ACCOUNT, 'gen-5')).toMatchObject({ charge: undefined, released: false });
    const lost = { type: 'WriteOffLateUsage', requestId: 'gen-3', usage: { ...noUsage, output: 10 }, price } as const;
    await goOn(store, [lost]);
    expect(await tellRequest(store, ACCOUNT, 'gen-3')).toMatchObject({ charge: undefined, released: true });
  });
});
