import { describe, it } from 'vitest';
import { accountDecider, type AccountCommand } from '../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { specify } from '../../given.ts';
import { customer, drawn, reserve, reserved, settle, settled, toppedUp, writtenOff } from './examples.ts';

const given = specify(accountDecider, ...customer);
const threshold = (amount: bigint | null): AccountEvent => ({ type: 'LowBalanceThresholdSet', amount });
const set = (amount: bigint | null): AccountCommand => ({ type: 'SetLowBalanceThreshold', amount });
const below = (balance: bigint): AccountEvent => ({ type: 'BalanceBelowThreshold', balance, threshold: 5n });

describe('the threshold of a low balance', () => {
  it('is set, changed and removed, each once', () => {
    given().when(set(5n)).then(threshold(5n));
    given(threshold(5n)).when(set(5n)).then();
    given(threshold(5n)).when(set(null)).then(threshold(null));
    given().when(set(null)).then();
  });
  it('is more than nothing', () => given().when(set(0n)).thenRefused('invalid_amount'));
  it('is recorded in the decision by which the balance falls below it', () => {
    const charge = settled(6, { held: 6n, charged: 6n, released: 0n, drawn: [drawn(6n)] });
    given(toppedUp(10n), threshold(5n), reserved(6n)).when(settle(6)).then(charge, below(4n));
    given(toppedUp(10n), reserved(6n)).when(settle(6)).then(charge);
    given(toppedUp(11n), threshold(5n), reserved(6n)).when(settle(6)).then(charge);
  });
  it('is recorded after a write-off of the same decision', () => {
    const charge = settled(9, { held: 6n, charged: 6n, released: 0n, drawn: [drawn(6n)] });
    given(toppedUp(6n), threshold(5n), reserved(6n)).when(settle(9)).then(charge, writtenOff(3n), below(0n));
  });
  it('is not recorded again until the balance has reached it', () => {
    const first = settled(6, { held: 6n, charged: 6n, released: 0n, drawn: [drawn(6n)] });
    const before = [toppedUp(10n), threshold(5n), reserved(6n), first, below(4n)];
    const second = settled(2, { held: 2n, charged: 2n, released: 0n, drawn: [drawn(2n)] }, 'req_2');
    given(...before, reserved(2n, 'req_2'))
      .when(settle(2, 'req_2'))
      .then(second);
    given(...before, toppedUp(1n, 'lot_2'), reserved(2n, 'req_2'))
      .when(settle(2, 'req_2'))
      .then(second, below(3n));
  });
  it('is of no use to an account that is closed', () => {
    const close: AccountCommand = { type: 'CloseAccount', reason: 'asked' };
    const closed: AccountEvent = { type: 'AccountClosed', reason: 'asked' };
    const revoked: AccountEvent = { type: 'KeyRevoked', keyId: 'key_1', reason: 'account closed' };
    const expired: AccountEvent = { type: 'LotExpired', lotId: 'lot_1', amount: 10n, reason: 'account_closed' };
    given(toppedUp(10n), threshold(5n)).when(close).then(closed, revoked, expired);
  });
  it('is not concerned by holds', () => given(toppedUp(10n), threshold(5n)).when(reserve(9n)).then(reserved(9n)));
});
