import { describe, expect, it } from 'vitest';
import { accountOfStream, accountStream, evolveAccount, initialAccount } from '../../../src/domain/account/account.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { draws } from '../../../src/domain/account/lots.ts';
import { available } from '../../../src/domain/account/wallet.ts';
import {
  customer,
  drawn,
  extended,
  given,
  lateCharged,
  released,
  reserved,
  settle,
  settled,
  topUp,
  toppedUp,
} from './examples.ts';

const walletAfter = (...events: AccountEvent[]) =>
  [...customer, ...events].reduce(evolveAccount, initialAccount()).wallet;

describe('TopUp', () => {
  it('adds a lot of credits', () => given().when(topUp(10n)).then(toppedUp(10n)));
  it('adds it once, however often it is announced', () => given(toppedUp(10n)).when(topUp(10n)).then());
  it('adds it once, though some of it is spent', () =>
    given(toppedUp(10n), reserved(4n), settled(4, { held: 4n, charged: 4n, released: 0n, drawn: [drawn(4n)] }))
      .when(topUp(10n))
      .then());
  it('never changes the amount of a lot', () => given(toppedUp(10n)).when(topUp(11n)).thenRefused('lot_exists'));
  it.each([0n, -1n])('adds no lot of %s credits', (amount) =>
    given().when(topUp(amount)).thenRefused('invalid_amount'),
  );
  it('refuses an amount before it looks for the lot', () =>
    given(toppedUp(10n)).when(topUp(0n)).thenRefused('invalid_amount'));
});

describe('lots', () => {
  it('pay in order of age, each to the end', () =>
    given(toppedUp(3n, 'old'), toppedUp(5n, 'new'), reserved(6n))
      .when(settle(6))
      .then(settled(6, { held: 6n, charged: 6n, released: 0n, drawn: [drawn(3n, 'old'), drawn(3n, 'new')] })));

  it('keep their place when they have paid a part', () =>
    given(
      toppedUp(3n, 'old'),
      toppedUp(5n, 'new'),
      reserved(1n, 'req_0'),
      settled(1, { held: 1n, charged: 1n, released: 0n, drawn: [drawn(1n, 'old')] }, 'req_0'),
      reserved(6n),
    )
      .when(settle(6))
      .then(settled(6, { held: 6n, charged: 6n, released: 0n, drawn: [drawn(2n, 'old'), drawn(4n, 'new')] })));

  it('do not pay once they are spent', () => {
    const wallet = walletAfter(
      toppedUp(3n, 'old'),
      toppedUp(5n, 'new'),
      reserved(4n),
      settled(4, { held: 4n, charged: 4n, released: 0n, drawn: [drawn(3n, 'old'), drawn(1n, 'new')] }),
    );
    expect([...wallet.lots.keys()]).toEqual(['new']);
  });

  it('pay nothing for nothing', () => expect(draws(walletAfter(toppedUp(3n)), 0n, null)).toEqual([]));
});

describe('the wallet', () => {
  it('starts empty', () => {
    const { lots, spentLots, holds, refunds, debts, nextEnd, marked, reversals, ...amounts } = walletAfter();
    expect([lots.size, spentLots.size, holds.size, refunds.size, debts.length, reversals.size]).toEqual(
      Array(6).fill(0),
    );
    expect([nextEnd, marked.size]).toEqual([null, 0]);
    expect(new Set(Object.values(amounts))).toEqual(new Set([0n]));
  });

  it('sets holds aside from what is available, and nothing from the balance', () => {
    const wallet = walletAfter(toppedUp(10n), reserved(4n), extended(2n), reserved(1n, 'req_2'));
    expect(wallet).toMatchObject({ balance: 10n, held: 7n });
    expect(available(wallet)).toBe(3n);
    expect([...wallet.holds].map(([id, { amount }]) => [id, amount])).toEqual([
      ['req_1', 6n],
      ['req_2', 1n],
    ]);
  });

  it('forgets a hold that has ended', () => {
    const wallet = walletAfter(
      toppedUp(10n),
      reserved(4n),
      reserved(5n, 'req_2'),
      settled(3, { held: 4n, charged: 3n, released: 1n, drawn: [drawn(3n)] }),
      released(5n, 'req_2'),
      lateCharged(2, { charged: 2n, drawn: [drawn(2n)] }, 'req_2'),
    );
    expect(wallet).toMatchObject({ toppedUp: 10n, charged: 5n, balance: 5n, held: 0n, holds: new Map() });
  });
});

describe('the stream of an account', () => {
  it('is named after it', () => expect(accountStream('acc_1')).toBe('account-acc_1'));
  it('tells which account it is of', () => expect(accountOfStream('account-acc_1')).toBe('acc_1'));
  it('is not that of something else', () => expect(accountOfStream('prices')).toBeUndefined());
});
