import { describe, expect, it } from 'vitest';
import { evolveAccount, initialAccount } from '../../../src/domain/account/account.ts';
import {
  acceptTerms,
  accountLimitsSet,
  chargeLate,
  close,
  closed,
  contactChanged,
  customer,
  drawn,
  erase,
  erased,
  expired,
  extend,
  given,
  givenNobody,
  issueKey,
  keyIssued,
  keyLeakReported,
  keyRehashed,
  keyRevoked,
  lateCharged,
  memberAdded,
  paid,
  registered,
  rehashKey,
  reinstate,
  release,
  released,
  replaceKey,
  reserve,
  reserved,
  revokeKey,
  settle,
  settled,
  suspend,
  suspended,
  termsAccepted,
  topUp,
  toppedUp,
  writeOffLate,
  writtenOff,
} from './examples.ts';

const revoked = (keyId = 'key_1') => ({ ...keyRevoked(keyId), reason: 'account closed' });
/** The account is closed, and its key revoked. */
const end = [closed(), revoked()];

describe('CloseAccount', () => {
  it('closes, with the reason, and revokes each key', () =>
    given().when(close('moved')).then(closed('moved'), revoked()));
  it('revokes no key a second time', () =>
    given(keyIssued('key_2'), keyRevoked('key_1')).when(close()).then(closed(), revoked('key_2')));
  it('revokes keys that were hashed again', () => given(keyRehashed()).when(close()).then(closed(), revoked()));
  it('closes once, whatever the reason', () =>
    given(...end)
      .when(close('other'))
      .then());
  it('closes a suspended account', () =>
    given(suspended())
      .when(close())
      .then(...end));
  it('closes an account that never accepted the terms', () => givenNobody(registered).when(close()).then(closed()));
  it('records the member who asked for it', () =>
    given(memberAdded('per_1')).when(close('asked', 'per_1')).then(closed('asked', 'per_1'), revoked()));
  it('refuses a person who is not a member', () =>
    given(memberAdded('per_1')).when(close('asked', 'per_2')).thenRefused('member_not_found'));
  it('finds no account that was never registered', () => givenNobody().when(close()).thenRefused('account_not_found'));
  it('keeps the reason of a suspension beside its own', () => {
    const { standing } = [...customer, suspended('resale'), closed('moved')].reduce(evolveAccount, initialAccount());
    expect(standing).toMatchObject({ status: 'closed', closingReason: 'moved' });
    expect(standing.suspensions).toEqual([{ cause: { kind: 'staff' }, reason: 'resale' }]);
  });
});

describe('closing ends promotional lots', () => {
  it('takes what is available of each, by one event per lot', () =>
    given(toppedUp(10n), toppedUp(5n, 'lot_2'))
      .when(close())
      .then(...end, expired(10n), expired(5n, 'lot_2')));
  it('leaves paid lots as they are', () =>
    given(paid(7n, 'lot_0'), toppedUp(10n), paid(5n))
      .when(close())
      .then(...end, expired(10n)));
  it('takes what is left of a lot that was used', () =>
    given(toppedUp(10n), reserved(4n), settled(3, { held: 4n, charged: 3n, released: 1n, drawn: [drawn(3n)] }))
      .when(close())
      .then(...end, expired(7n)));
  it('leaves what holds need, in the lots that would pay them', () =>
    given(toppedUp(10n), paid(5n), reserved(4n))
      .when(close())
      .then(...end, expired(6n)));
  it('leaves what holds need in promotional lots, because they pay before paid lots', () =>
    given(paid(5n, 'lot_0'), toppedUp(10n), reserved(4n))
      .when(close())
      .then(...end, expired(6n)));
  it('leaves a lot that holds need whole', () =>
    given(toppedUp(4n), paid(5n), reserved(4n))
      .when(close())
      .then(...end));
  it('takes nothing from an account without credits', () =>
    given()
      .when(close())
      .then(...end));
});

describe('a hold that was placed before the account was closed', () => {
  const underWay = given(toppedUp(10n), paid(5n), reserved(4n), ...end, expired(6n));

  it('is charged to the lot that was kept for it, and the rest of that lot ends in the same decision', () =>
    underWay
      .when(settle(3))
      .then(settled(3, { held: 4n, charged: 3n, released: 1n, drawn: [drawn(3n)] }), expired(1n)));
  it('uses up the lot that was kept for it', () =>
    underWay.when(settle(4)).then(settled(4, { held: 4n, charged: 4n, released: 0n, drawn: [drawn(4n)] })));
  it('is charged beyond its amount to what is left of paid lots', () =>
    underWay
      .when(settle(6))
      .then(settled(6, { held: 4n, charged: 6n, released: 0n, drawn: [drawn(4n), drawn(2n, 'lot_2')] })));
  it('ends after what nothing covers is written off', () =>
    given(
      accountLimitsSet({ spending: { total: 4n } }),
      toppedUp(10n),
      reserved(4n),
      reserved(0n, 'req_2'),
      ...end,
      expired(6n),
    )
      .when(settle(9))
      .then(settled(9, { held: 4n, charged: 4n, released: 0n, drawn: [drawn(4n)] }), writtenOff(5n)));
  it('is released, and the lot that was kept for it ends', () =>
    underWay.when(release()).then(released(4n), expired(4n)));
  it('leaves what other holds still need', () =>
    given(toppedUp(10n), reserved(4n), reserved(3n, 'req_2'), ...end, expired(3n))
      .when(release())
      .then(released(4n), expired(4n)));
  it('does not grow', () => underWay.when(extend(1n)).thenRefused('account_closed'));
});

describe('late usage of a closed account', () => {
  it('is charged to what is left of paid lots, and the rest is written off', () =>
    given(toppedUp(10n), paid(2n), reserved(4n), released(4n), ...end, expired(10n))
      .when(chargeLate(3))
      .then(lateCharged(3, { charged: 2n, drawn: [drawn(2n, 'lot_2')] }), writtenOff(1n)));
  it('takes nothing that a hold needs', () =>
    given(toppedUp(4n), reserved(4n), reserved(0n, 'req_2'), released(0n, 'req_2'), ...end)
      .when(chargeLate(3, 'req_2'))
      .then(lateCharged(3, { charged: 0n, drawn: [] }, 'req_2'), writtenOff(3n, 'req_2')));
  it('is written off if it was charged before', () =>
    given(...end)
      .when(writeOffLate(3))
      .then(writtenOff(3n)));
});

describe('a closed account', () => {
  it.each([
    acceptTerms('2026-02'),
    suspend(),
    reinstate(),
    issueKey('key_2'),
    replaceKey('key_1', 'key_2'),
    topUp(5n),
    reserve(1n),
    extend(1n),
  ])('refuses $type', (command) =>
    given(toppedUp(10n), ...end)
      .when(command)
      .thenRefused('account_closed'),
  );
  it('refuses a reinstatement also if it was suspended', () =>
    given(suspended(), ...end)
      .when(reinstate())
      .thenRefused('account_closed'));
  it('hashes no key again', () =>
    given(...end)
      .when(rehashKey())
      .thenRefused('key_revoked'));
  it('revokes no key again', () =>
    given(...end)
      .when(revokeKey())
      .then());
  it('takes a leak report', () =>
    given(...end)
      .when({ type: 'ReportKeyLeak', keyId: 'key_1', since: null })
      .then(keyLeakReported()));
  it('records a payment, which stays owed', () =>
    given(...end)
      .when({ ...topUp(5n), source: { kind: 'payment', reference: 'ord_1' } } as ReturnType<typeof topUp>)
      .then(paid(5n, 'lot_1')));
  it('may change its address', () =>
    given(...end)
      .when({ type: 'ChangeContact', from: registered.personal, personal: 'v1.bmV3' })
      .then(contactChanged()));
});

describe('ErasePersonalData', () => {
  it('erases, with the reason', () =>
    given(...end)
      .when(erase('asked'))
      .then(erased('asked')));
  it('erases once', () =>
    given(...end, erased())
      .when(erase('other'))
      .then());
  it('waits for the account to be closed', () => given().when(erase()).thenRefused('account_not_closed'));
  it('waits for the account to be closed, also if it is suspended', () =>
    given(suspended()).when(erase()).thenRefused('account_not_closed'));
  it('waits for the last hold to end', () =>
    given(toppedUp(4n), reserved(4n), ...end)
      .when(erase())
      .thenRefused('holds_open'));
  it('lets no new name in', () =>
    given(...end, erased())
      .when({ type: 'ChangeContact', from: registered.personal, personal: 'v1.bmV3' })
      .thenRefused('personal_data_erased'));
  it('leaves the terms that were accepted', () => {
    const { standing } = [...customer, ...end, erased()].reduce(evolveAccount, initialAccount());
    expect(standing).toMatchObject({ status: 'closed', erased: true, termsVersion: termsAccepted().version });
  });
});
