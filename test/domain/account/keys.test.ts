import { describe, it } from 'vitest';
import { MAX_KEYS } from '../../../src/domain/account/keys.ts';
import {
  given,
  givenNobody,
  issueKey,
  keyIssued,
  keyRevoked,
  registered,
  reserve,
  reserved,
  revokeKey,
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
  it('issues as many as an account can have', () =>
    given(...otherKeys(MAX_KEYS - 2))
      .when(issueKey('last'))
      .then(keyIssued('last')));
  it('issues no more than that', () =>
    given(...otherKeys(MAX_KEYS - 1))
      .when(issueKey('one too many'))
      .thenRefused('too_many_keys'));
  it('counts revoked keys too', () =>
    given(...otherKeys(MAX_KEYS - 1), keyRevoked())
      .when(issueKey('one too many'))
      .thenRefused('too_many_keys'));

  describe('where several refusals are true', () => {
    it('names a suspension first', () =>
      givenNobody(registered, suspended()).when(issueKey()).thenRefused('account_suspended'));
    it('then the terms', () =>
      givenNobody(registered, ...otherKeys(MAX_KEYS))
        .when(issueKey())
        .thenRefused('terms_not_accepted'));
  });
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
