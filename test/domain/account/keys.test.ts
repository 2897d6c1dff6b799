import { describe, it } from 'vitest';
import { MAX_LIVE_KEYS } from '../../../src/domain/account/keys.ts';
import type { AccountCommand } from '../../../src/domain/account/decide.ts';
import {
  AT,
  drawn,
  given,
  givenNobody,
  issueKey,
  keyIssued,
  keyRehashed,
  keyRevoked,
  limitsSet,
  registered,
  replaceKey,
  rehashKey,
  reserve,
  reserved,
  revokeKey,
  settled,
  suspended,
  termsAccepted,
  toppedUp,
} from './examples.ts';

// A customer of the examples holds `key_1`.
const otherKeys = (count: number) => Array.from({ length: count }, (_, n) => keyIssued(`other_${n}`));

describe('IssueKey', () => {
  it('issues a key', () => given().when(issueKey('key_2')).then(keyIssued('key_2')));
  it('issues it once', () => given(keyIssued('key_2')).when(issueKey('key_2')).then());
  it('does not issue a revoked key again', () => given(keyRevoked()).when(issueKey('key_1')).then());
  it('wants the terms accepted first', () =>
    givenNobody(registered).when(issueKey()).thenRefused('terms_not_accepted'));
  it('issues as many live keys as an account can have', () =>
    given(...otherKeys(MAX_LIVE_KEYS - 2))
      .when(issueKey('last'))
      .then(keyIssued('last')));
  it('issues no more than that', () =>
    given(...otherKeys(MAX_LIVE_KEYS - 1))
      .when(issueKey('one too many'))
      .thenRefused('too_many_keys'));
  it('does not count revoked and expired keys', () => {
    given(...otherKeys(MAX_LIVE_KEYS - 1), keyRevoked())
      .when(issueKey('key_2'))
      .then(keyIssued('key_2'));
    const expiresAt = new Date(AT).toISOString();
    const full = given(...otherKeys(MAX_LIVE_KEYS - 1), limitsSet({ expiresAt }));
    full.when({ ...issueKey('key_2'), at: AT } as AccountCommand).then(keyIssued('key_2'));
    full.when({ ...issueKey('key_2'), at: AT - 1 } as AccountCommand).thenRefused('too_many_keys');
  });
  it('replaces a live key of an account that has as many as it can', () =>
    given(...otherKeys(MAX_LIVE_KEYS - 1))
      .when(replaceKey('key_1', 'key_2'))
      .then({ ...keyIssued('key_2'), replaces: 'key_1' }, { ...keyRevoked(), reason: 'replaced by key_2' }));

  describe('where several refusals are true', () => {
    it('names a suspension first', () =>
      givenNobody(registered, suspended()).when(issueKey()).thenRefused('account_suspended'));
    it('then the terms', () =>
      givenNobody(registered, ...otherKeys(MAX_LIVE_KEYS))
        .when(issueKey())
        .thenRefused('terms_not_accepted'));
  });
});

describe('a key in place of another', () => {
  const limits = { requestsPerMinute: 5, spending: { day: 10n }, models: ['simulated-small'] };
  const replacing = { ...keyIssued('key_2'), replaces: 'key_1' };
  const replaced = { ...keyRevoked(), reason: 'replaced by key_2' };
  const replace = replaceKey('key_1', 'key_2');

  it('has the limits of a revoked key from its first moment on', () =>
    given(limitsSet(limits), keyRevoked()).when(replace).then(replacing, limitsSet(limits, 'key_2')));
  it('revokes the key that it replaces in the same step', () =>
    given(limitsSet(limits)).when(replace).then(replacing, limitsSet(limits, 'key_2'), replaced));
  it('has the limits that are given instead', () =>
    given(limitsSet(limits), keyRevoked())
      .when({ ...replace, limits: { requestsPerMinute: 9 } } as AccountCommand)
      .then(replacing, limitsSet({ requestsPerMinute: 9 }, 'key_2')));
  it('has no limits if the other had none', () => given(keyRevoked()).when(replace).then(replacing));
  it('is issued once', () => given(replacing, replaced).when(replace).then());
  it('replaces no key that never was', () => given().when(replaceKey('key_9', 'key_2')).thenRefused('key_not_found'));
  it('replaces a key once', () =>
    given(replacing, replaced).when(replaceKey('key_1', 'key_3')).thenRefused('key_already_replaced'));

  const spend = [toppedUp(100n), reserved(8n), settled(8, { held: 8n, charged: 8n, released: 0n, drawn: [drawn(8n)] })];
  it('goes on where the other was with its spending', () => {
    const history = given(
      limitsSet({ spending: { total: 10n } }),
      ...spend,
      replacing,
      limitsSet({ spending: { total: 10n } }, 'key_2'),
      replaced,
    );
    history.when(reserve(3n, 'req_2', 'key_2')).thenRefused('key_limit_exceeded');
    history.when(reserve(2n, 'req_2', 'key_2')).then({ ...reserved(2n, 'req_2'), keyId: 'key_2' });
  });
  it('counts what ends later of the key before, through any number of keys', () => {
    const total = { spending: { total: 10n } };
    given(
      ...[toppedUp(100n), limitsSet(total), reserved(8n)],
      ...[replacing, limitsSet(total, 'key_2'), replaced],
      ...[{ ...keyIssued('key_3'), replaces: 'key_2' }, limitsSet(total, 'key_3')],
      settled(8, { held: 8n, charged: 8n, released: 0n, drawn: [drawn(8n)] }),
    )
      .when(reserve(3n, 'req_2', 'key_3'))
      .thenRefused('key_limit_exceeded');
  });
});

describe('a rotated key with an overlap', () => {
  const until = new Date(AT + 60_000).toISOString();
  const total = { spending: { total: 10n } };
  const rotate = { ...replaceKey('key_1', 'key_2'), overlapUntil: until } as AccountCommand;
  const replacing = { ...keyIssued('key_2'), replaces: 'key_1' };
  const rotated = [replacing, limitsSet(total, 'key_2'), limitsSet({ ...total, expiresAt: until })];
  const asKey2 = <Event extends object>(event: Event): Event => ({ ...event, keyId: 'key_2' });

  it('gives the new key the same limits, and the old one an end', () =>
    given(limitsSet(total))
      .when(rotate)
      .then(...rotated));
  it('has no end if that of the old key is over', () => {
    const ended = { ...total, expiresAt: new Date(AT).toISOString() };
    given(limitsSet(ended))
      .when({ ...replaceKey('key_1', 'key_2'), at: AT } as AccountCommand)
      .then(replacing, limitsSet(total, 'key_2'), { ...keyRevoked(), reason: 'replaced by key_2' });
  });
  it('keeps its end: the limits of the old key cannot be changed any more', () =>
    given(limitsSet(total), ...rotated)
      .when({ type: 'SetKeyLimits', keyId: 'key_1', limits: total })
      .thenRefused('key_already_replaced'));
  it('does not extend the life of the old key', () => {
    const expiresAt = new Date(AT + 1).toISOString();
    given(limitsSet({ expiresAt }))
      .when(rotate)
      .then(replacing, limitsSet({ expiresAt }, 'key_2'), limitsSet({ expiresAt }));
  });
  it('does not revive a revoked key', () => given(keyRevoked()).when(rotate).then(replacing));
  it('refuses an overlap that is not a time', () =>
    given()
      .when({ ...rotate, overlapUntil: 'soon' } as AccountCommand)
      .thenRefused('invalid_limits'));
  it('is usable until its end', () => {
    const history = given(toppedUp(100n), limitsSet(total), ...rotated);
    history.when({ ...reserve(1n), at: AT + 59_999 } as AccountCommand).then({ ...reserved(1n), at: AT + 59_999 });
    history.when({ ...reserve(1n), at: AT + 60_000 } as AccountCommand).thenRefused('key_expired');
  });
  it('shares one limit with its replacement, whichever of them is used', () => {
    const newKeyUsed = [
      asKey2(reserved(8n)),
      asKey2(settled(8, { held: 8n, charged: 8n, released: 0n, drawn: [drawn(8n)] })),
    ];
    const afterNew = given(toppedUp(100n), limitsSet(total), ...rotated, ...newKeyUsed);
    afterNew.when(reserve(3n, 'req_2')).thenRefused('key_limit_exceeded');
    afterNew.when(reserve(2n, 'req_2')).then(reserved(2n, 'req_2'));
    const afterOld = given(toppedUp(100n), limitsSet(total), ...rotated, reserved(8n));
    afterOld.when(reserve(3n, 'req_2', 'key_2')).thenRefused('limit_held_by_concurrent_requests');
    afterOld.when(reserve(2n, 'req_2', 'key_2')).then(asKey2(reserved(2n, 'req_2')));
  });
  it('is not bound to the models or the end of its replacement', () =>
    given(toppedUp(100n), ...rotated, limitsSet({ models: ['other'], expiresAt: new Date(AT).toISOString() }, 'key_2'))
      .when(reserve(1n))
      .then(reserved(1n)));
});

describe('RehashKey', () => {
  it('records the hash of a key under another pepper', () => given().when(rehashKey()).then(keyRehashed()));
  it('records it once for each pepper', () => {
    given(keyRehashed()).when(rehashKey()).then();
    given(keyRehashed()).when(rehashKey('pepper_1')).then();
    given(keyRehashed()).when(rehashKey('pepper_3')).then(keyRehashed('pepper_3'));
  });
  it('refuses a key that does not exist', () =>
    given().when(rehashKey('pepper_2', 'key_2')).thenRefused('key_not_found'));
  it('refuses a revoked key', () => given(keyRevoked()).when(rehashKey()).thenRefused('key_revoked'));
  it('leaves the key usable', () => given(toppedUp(4n), keyRehashed()).when(reserve(4n)).then(reserved(4n)));
});

describe('RevokeKey', () => {
  it('revokes a key', () => given().when(revokeKey()).then(keyRevoked()));
  it('revokes it once', () => given(keyRevoked()).when(revokeKey()).then());
  it('revokes no key that never was', () => given().when(revokeKey('key_2')).thenRefused('key_not_found'));
  it('leaves other keys alone', () =>
    given(keyIssued('key_2'), toppedUp(4n), keyRevoked('key_2')).when(reserve(4n)).then(reserved(4n)));
  it('revokes even while the account is suspended', () => given(suspended()).when(revokeKey()).then(keyRevoked()));
  it('revokes before any terms are accepted', () =>
    givenNobody(registered, termsAccepted(), keyIssued()).when(revokeKey()).then(keyRevoked()));
});
