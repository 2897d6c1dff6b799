import { describe, it } from 'vitest';
import type { AccountEvent } from '../../../../src/domain/account/events.ts';
import { closed, drawn, given, paid, reserve, reserved, settled, topUp, toppedUp } from '../examples.ts';
import { debt, pay, refunded, reinstatedFromDebt, repaid, suspendedForDebt, writeOffDebt } from './examples.ts';

const owing: readonly AccountEvent[] = [
  paid(10n),
  reserved(10n),
  settled(10, { held: 10n, charged: 10n, released: 0n, drawn: [drawn(10n, 'lot_2')] }),
  refunded(0n),
  debt(10n),
  suspendedForDebt,
];
const writtenOff = (amount: bigint): AccountEvent => ({
  ...{ type: 'DebtWrittenOff', lotId: 'lot_2', amount, reason: 'not collectable' },
});

describe('an account with a debt', () => {
  it('cannot spend', () =>
    given(...owing, toppedUp(5n))
      .when(reserve(1n))
      .thenRefused('account_suspended', { causes: ['debt'] }));
  it('is not reinstated while it owes something', () =>
    given(...owing)
      .when({ type: 'ReinstateAccount', reason: 'asked', cause: { kind: 'debt' } })
      .thenRefused('debt_open'));
  it('is reinstated by a payment that repays all', () =>
    given(...owing)
      .when(pay(25n, 'lot_3'))
      .then(paid(25n, 'lot_3'), repaid(10n, 'lot_3'), reinstatedFromDebt));
  it('stays suspended after a payment that repays a part', () =>
    given(...owing)
      .when(pay(4n, 'lot_3'))
      .then(paid(4n, 'lot_3'), repaid(4n, 'lot_3')));
  it('is not repaid by a grant', () =>
    given(...owing)
      .when(topUp(25n, 'lot_3'))
      .then(toppedUp(25n, 'lot_3')));
  it('repays when it is closed', () =>
    given(...owing, closed())
      .when(pay(25n, 'lot_3'))
      .then(paid(25n, 'lot_3'), repaid(10n, 'lot_3')));
  it('repays the oldest debt first', () =>
    given(paid(5n, 'lot_9'), ...owing, { ...debt(5n), lotId: 'lot_9' })
      .when(pay(12n, 'lot_3'))
      .then(paid(12n, 'lot_3'), repaid(10n, 'lot_3'), repaid(2n, 'lot_3', 'lot_9')));
});

describe('WriteOffDebt', () => {
  it('writes off a part', () =>
    given(...owing)
      .when(writeOffDebt(4n))
      .then(writtenOff(4n)));
  it('reinstates once nothing is owed', () =>
    given(...owing)
      .when(writeOffDebt(10n))
      .then(writtenOff(10n), reinstatedFromDebt));
  it('refuses more than is owed', () =>
    given(...owing)
      .when(writeOffDebt(11n))
      .thenRefused('more_than_owed'));
  it('refuses an amount of 0', () =>
    given(...owing)
      .when(writeOffDebt(0n))
      .thenRefused('invalid_amount'));
  it('refuses without a debt', () => given(paid(10n)).when(writeOffDebt(1n)).thenRefused('debt_not_found'));
});
