import { describe, it } from 'vitest';
import type { AccountCommand } from '../../../../src/domain/account/decide.ts';
import type { MemberRole } from '../../../../src/domain/account/events.ts';
import { MAX_MEMBERS } from '../../../../src/domain/account/holder/members.ts';
import {
  contactChanged,
  given,
  givenNobody,
  keyLeakReported,
  keyRevoked,
  memberAdded,
  memberRemoved,
  memberRoleChanged,
  register,
  registered,
  tokenCreated,
  tokenRevoked,
} from '../examples.ts';

const entity = { ...registered, holder: 'entity' as const };
const add = (personId: string, role: MemberRole): AccountCommand => ({ type: 'AddMember', personId, role });
const change = (personId: string, role: MemberRole): AccountCommand => ({ type: 'ChangeMemberRole', personId, role });
const remove = (personId: string): AccountCommand => ({ type: 'RemoveMember', personId, reason: 'left' });

describe('the owner of an account', () => {
  it('is recorded with the registration', () =>
    givenNobody()
      .when({ ...register(), owner: 'per_1' } as AccountCommand)
      .then(registered, memberAdded('per_1')));
  it('is the only member of a personal account', () => {
    givenNobody(registered).when(add('per_1', 'owner')).then(memberAdded('per_1'));
    givenNobody(registered).when(add('per_1', 'billing')).thenRefused('personal_account');
    givenNobody(registered, memberAdded('per_1')).when(add('per_2', 'owner')).thenRefused('personal_account');
  });
});

describe('the members of an entity', () => {
  const members = givenNobody(entity, memberAdded('per_1'), memberAdded('per_2', 'billing'));
  it('are added once each', () => {
    givenNobody(entity, memberAdded('per_1')).when(add('per_2', 'billing')).then(memberAdded('per_2', 'billing'));
    members.when(add('per_2', 'billing')).then();
    members.when(add('per_2', 'owner')).thenRefused('member_exists');
  });
  it('are at most so many', () => {
    const all = Array.from({ length: MAX_MEMBERS }, (_, n) => memberAdded(`per_${n}`));
    givenNobody(entity, ...all)
      .when(add('one_more', 'owner'))
      .thenRefused('too_many_members');
  });
  it('can be given another role', () => {
    members.when(change('per_2', 'developer')).then(memberRoleChanged('per_2', 'developer'));
    members.when(change('per_2', 'billing')).then();
    members.when(change('per_3', 'billing')).thenRefused('member_not_found');
  });
  it('can be removed', () => {
    members.when(remove('per_2')).then(memberRemoved('per_2'));
    members.when(remove('per_3')).thenRefused('member_not_found');
  });
  it('always have an owner', () => {
    members.when(remove('per_1')).thenRefused('last_owner');
    members.when(change('per_1', 'billing')).thenRefused('last_owner');
    const two = givenNobody(entity, memberAdded('per_1'), memberAdded('per_2'));
    two.when(remove('per_1')).then(memberRemoved('per_1'));
    two.when(change('per_1', 'billing')).then(memberRoleChanged('per_1', 'billing'));
  });
});

describe('the management tokens of an account', () => {
  const { tokenId, scopes, endsAt } = tokenCreated();
  const create = (by: string): AccountCommand => ({ type: 'CreateToken', tokenId, by, scopes, endsAt });
  it('are created by owners and developers', () => {
    givenNobody(entity, memberAdded('per_1')).when(create('per_1')).then(tokenCreated());
    const developer = [memberAdded('per_1'), memberAdded('per_2', 'developer')];
    givenNobody(entity, ...developer)
      .when(create('per_2'))
      .then(tokenCreated());
    givenNobody(entity, memberAdded('per_1'), memberAdded('per_2', 'billing'))
      .when(create('per_2'))
      .thenRefused('member_not_found');
    givenNobody(entity, ...developer, memberRemoved('per_2'))
      .when(create('per_2'))
      .thenRefused('member_not_found');
  });
  it('can be revoked', () =>
    givenNobody(entity, memberAdded('per_1'), tokenCreated())
      .when({ type: 'RevokeToken', tokenId, reason: 'unused' })
      .then(tokenRevoked()));
});

describe('the contact of an account', () => {
  it('can change', () =>
    given().when({ type: 'ChangeContact', from: registered.personal, personal: 'v1.bmV3' }).then(contactChanged()));
  it('is not replaced by one that was made from an earlier one', () =>
    given(contactChanged('v1.bGF0ZXI'))
      .when({ type: 'ChangeContact', from: registered.personal, personal: 'v1.bmV3' })
      .thenRefused('contact_changed'));
});

describe('ReportKeyLeak', () => {
  const report = (keyId = 'key_1'): AccountCommand => ({ type: 'ReportKeyLeak', keyId, since: 12 });
  it('is recorded once for a revoked key', () => {
    given(keyRevoked()).when(report()).then(keyLeakReported(12));
    given(keyRevoked(), keyLeakReported(12)).when(report()).then();
  });
  it('refuses a key that still works, so that a leak always revokes first', () =>
    given().when(report()).thenRefused('key_not_revoked'));
  it('refuses a key that does not exist', () => given().when(report('key_9')).thenRefused('key_not_found'));
});
