import { describe, it } from 'vitest';
import type { AccountCommand } from '../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import {
  AT,
  customer,
  drawn,
  extend,
  extended,
  given,
  givenNobody,
  keyIssued,
  keyRevoked,
  limitsSet,
  registered,
  reinstated,
  release,
  released,
  reserve,
  reserved,
  settled,
  suspended,
  toppedUp,
} from './examples.ts';

describe('ReserveCredits', () => {
  it('holds credits for the request', () => given(toppedUp(10n)).when(reserve(4n)).then(reserved(4n)));
  it('holds them once, however often asked', () => given(toppedUp(10n), reserved(4n)).when(reserve(4n)).then());
  it('never promises more than is there', () =>
    given(toppedUp(3n)).when(reserve(4n)).thenRefused('insufficient_credits'));

  it('promises all that is there', () => given(toppedUp(4n)).when(reserve(4n)).then(reserved(4n)));
  it('holds nothing for what is free of charge', () => given().when(reserve(0n)).then(reserved(0n)));
  it('never holds less than nothing', () => given(toppedUp(4n)).when(reserve(-1n)).thenRefused('invalid_amount'));
  it('holds for several requests side by side', () =>
    given(toppedUp(10n), reserved(4n)).when(reserve(6n, 'req_2')).then(reserved(6n, 'req_2')));
  it('holds credits only if so much more could be held as well, and leaves that free', () => {
    const asked = { ...reserve(4n), spare: 6n } as AccountCommand;
    given(toppedUp(10n)).when(asked).then(reserved(4n));
    given(toppedUp(9n)).when(asked).thenRefused('insufficient_credits');
    given(toppedUp(10n), reserved(1n, 'req_2')).when(asked).thenRefused('credits_held_by_concurrent_requests');
  });
  it('does not change what a request holds', () =>
    given(toppedUp(10n), reserved(4n)).when(reserve(5n)).thenRefused('request_id_reused'));
  it('holds anew what was given back', () =>
    given(toppedUp(4n), reserved(4n), released(4n)).when(reserve(4n, 'req_2')).then(reserved(4n, 'req_2')));

  it('says what was asked under an idempotency key, and holds no more for it', () => {
    const requestHash = 'ab'.repeat(32);
    const asked = { ...reserve(4n), requestHash } as AccountCommand;
    given(toppedUp(10n))
      .when(asked)
      .then({ ...reserved(4n), requestHash });
    given(toppedUp(10n), { ...reserved(4n), requestHash })
      .when(asked)
      .then();
    given(toppedUp(3n)).when(asked).thenRefused('insufficient_credits');
  });

  it('wants the terms accepted', () =>
    givenNobody(registered, keyIssued(), toppedUp(10n)).when(reserve(4n)).thenRefused('terms_not_accepted'));
  it('wants a key', () =>
    given(toppedUp(10n))
      .when(reserve(4n, 'req_1', 'key_2'))
      .thenRefused('key_not_found'));
  it('wants a key that was not revoked', () =>
    given(toppedUp(10n), keyRevoked()).when(reserve(4n)).thenRefused('key_revoked'));
});

describe('want of credits', () => {
  it('says what was needed and what was there', () =>
    given(toppedUp(3n))
      .when(reserve(4n))
      .thenRefused('insufficient_credits', { funds: { needed: 4n, available: 3n, held: 0n, withoutHolds: 3n } }));
  it('does not send to the till whoever only has to wait for others', () =>
    given(toppedUp(10n), reserved(7n))
      .when(reserve(4n, 'req_2'))
      .thenRefused('credits_held_by_concurrent_requests', {
        funds: { needed: 4n, available: 3n, held: 7n, withoutHolds: 10n },
      }));
  it('lets nobody wait for what will never be enough', () =>
    given(toppedUp(10n), reserved(7n))
      .when(reserve(11n, 'req_2'))
      .thenRefused('insufficient_credits', { funds: { needed: 11n, available: 3n, held: 7n, withoutHolds: 10n } }));
  it('does not count what was charged', () =>
    given(toppedUp(10n), reserved(7n), settled(7, { held: 7n, charged: 7n, released: 0n, drawn: [drawn(7n)] }))
      .when(reserve(4n, 'req_2'))
      .thenRefused('insufficient_credits', { funds: { needed: 4n, available: 3n, held: 0n, withoutHolds: 3n } }));
});

describe('where several refusals are true of a reservation, it is refused with the first', () => {
  // Each history mends what the one before was refused for, and no more.
  const asked = reserve(-1n);
  it('account_not_found', () => givenNobody().when(asked).thenRefused('account_not_found'));
  it('account_suspended', () => givenNobody(registered, suspended()).when(asked).thenRefused('account_suspended'));
  it('terms_not_accepted', () => givenNobody(registered).when(asked).thenRefused('terms_not_accepted'));
  it('key_not_found', () =>
    given()
      .when(reserve(-1n, 'req_1', 'key_2'))
      .thenRefused('key_not_found'));
  it('key_revoked', () => given(keyRevoked()).when(asked).thenRefused('key_revoked'));
  it('invalid_amount', () => given(toppedUp(9n), reserved(9n)).when(asked).thenRefused('invalid_amount'));
  it('request_id_reused', () => given(toppedUp(9n), reserved(9n)).when(reserve(99n)).thenRefused('request_id_reused'));
  it('account_suspended, with each kind of cause once', () => {
    const violated = ['vio_1', 'vio_2'].map((violationId): AccountEvent => {
      return { type: 'AccountSuspended', reason: 'resale', cause: { kind: 'violation', violationId } };
    });
    givenNobody(registered, suspended(), ...violated)
      .when(asked)
      .thenRefused('account_suspended', { causes: ['staff', 'violation'] });
  });
  it('a suspension even of one that was held already', () =>
    givenNobody(...customer, toppedUp(9n), reserved(9n), suspended())
      .when(reserve(9n))
      .thenRefused('account_suspended'));
});

describe('ExtendHold', () => {
  it('holds more', () => given(toppedUp(10n), reserved(4n)).when(extend(2n)).then(extended(2n)));
  it('holds more again: only the id of the command tells a repetition from a further step', () =>
    given(toppedUp(10n), reserved(4n), extended(2n)).when(extend(2n)).then(extended(2n)));
  it('extends no hold that never was', () => given(toppedUp(10n)).when(extend(2n)).thenRefused('hold_not_open'));
  it('extends no hold that has ended', () =>
    given(toppedUp(10n), reserved(4n), released(4n)).when(extend(2n)).thenRefused('hold_not_open'));
  it.each([0n, -1n])('extends by no %s', (by) =>
    given(toppedUp(10n), reserved(4n)).when(extend(by)).thenRefused('invalid_amount'),
  );
  it('refuses an amount before it looks for the hold', () => given().when(extend(0n)).thenRefused('invalid_amount'));
  it('extends no hold of an account that is suspended', () =>
    given(toppedUp(10n), reserved(4n), suspended()).when(extend(2n)).thenRefused('account_suspended'));
  it('extends a hold again after the account is reinstated', () =>
    given(toppedUp(10n), reserved(4n), suspended(), reinstated()).when(extend(2n)).then(extended(2n)));
  it('extends no hold of a key that is revoked', () =>
    given(toppedUp(10n), reserved(4n), keyRevoked()).when(extend(2n)).thenRefused('key_revoked'));
  it('extends a hold whose key is valid while another key is revoked', () =>
    given(keyIssued('key_2'), toppedUp(10n), reserved(4n), keyRevoked('key_2')).when(extend(2n)).then(extended(2n)));
  it('extends no hold of a key that has expired since, by the newest time of the account', () => {
    const expiring = limitsSet({ expiresAt: new Date(AT + 1000).toISOString() });
    given(expiring, toppedUp(10n), reserved(4n))
      .when(extend(2n, 'req_1', AT + 999))
      .then(extended(2n, 'req_1', AT + 999));
    given(expiring, toppedUp(10n), reserved(4n))
      .when(extend(2n, 'req_1', AT + 1000))
      .thenRefused('key_expired');
    given(expiring, toppedUp(10n), reserved(4n), extended(1n, 'req_1', AT + 1000))
      .when(extend(2n, 'req_1', AT))
      .thenRefused('key_expired');
  });
  it('names a suspension before the key, and both before the amount', () => {
    given(toppedUp(10n), reserved(4n), keyRevoked(), suspended()).when(extend(0n)).thenRefused('account_suspended');
    given(toppedUp(10n), reserved(4n), keyRevoked()).when(extend(0n)).thenRefused('key_revoked');
  });
  it('still settles and releases what was held before the key was revoked', () => {
    given(toppedUp(10n), reserved(4n), keyRevoked(), suspended()).when(release()).then(released(4n));
  });

  it('never promises more than is there', () =>
    given(toppedUp(10n), reserved(8n))
      .when(extend(3n))
      .thenRefused('insufficient_credits', { funds: { needed: 3n, available: 2n, held: 0n, withoutHolds: 2n } }));
  it('does not wait for itself: what it holds is not held by others', () =>
    given(toppedUp(10n), reserved(6n), reserved(2n, 'req_2'))
      .when(extend(5n))
      .thenRefused('insufficient_credits', { funds: { needed: 5n, available: 2n, held: 2n, withoutHolds: 4n } }));
  it('may wait for others', () =>
    given(toppedUp(10n), reserved(6n), reserved(2n, 'req_2'))
      .when(extend(4n))
      .thenRefused('credits_held_by_concurrent_requests', {
        funds: { needed: 4n, available: 2n, held: 2n, withoutHolds: 4n },
      }));
});
