import { describe, it } from 'vitest';
import { claimDecider, type ClaimCommand, type ClaimEvent } from '../../../src/domain/identity/claims.ts';
import { specify } from '../../given.ts';

const NOW = Date.UTC(2026, 0, 31);
const given = specify(claimDecider);

const claim = (owner = 'per_1', at = NOW): ClaimCommand => ({ type: 'ClaimIdentity', owner, at });
const claimed = (owner = 'per_1'): ClaimEvent => ({ type: 'IdentityClaimed', owner });
const release = (owner = 'per_1'): ClaimCommand => ({ type: 'ReleaseIdentity', owner, reason: 'changed' });
const released = (owner = 'per_1'): ClaimEvent => ({ type: 'IdentityReleased', owner, reason: 'changed' });
const retire: ClaimCommand = { type: 'RetireIdentity', owner: 'per_1', reason: 'terminated' };
const retired: ClaimEvent = { type: 'IdentityRetired', owner: 'per_1', reason: 'terminated' };
const approved: ClaimEvent = { type: 'SecondOwnerApproved', approvalId: 'app_1', until: NOW + 10, reason: 'a branch' };
const approve: ClaimCommand = { ...approved, type: 'ApproveSecondOwner', at: NOW };

describe('an identity', () => {
  it('belongs to the first who claims it', () => given().when(claim()).then(claimed()));
  it('is claimed once by the same owner', () => given(claimed()).when(claim()).then());
  it('does not belong to a second owner', () => given(claimed()).when(claim('per_2')).thenRefused('identity_taken'));
  it('is free again once it is released', () =>
    given(claimed(), released()).when(claim('per_2')).then(claimed('per_2')));
  it('is released by its owner only', () => {
    given(claimed()).when(release()).then(released());
    given(claimed()).when(release('per_2')).then();
  });
});

describe('a claim with an end', () => {
  const end: ClaimCommand = { type: 'EndClaim', owner: 'per_1', until: NOW + 10, reason: 'changed' };
  const ending: ClaimEvent = { type: 'ClaimEndSet', owner: 'per_1', until: NOW + 10, reason: 'changed' };
  it('is set once, and for an owner only', () => {
    given(claimed()).when(end).then(ending);
    given(claimed(), ending).when(end).then();
    given().when(end).then();
  });
  it('keeps others out until then', () => {
    given(claimed(), ending)
      .when(claim('per_2', NOW + 9))
      .thenRefused('identity_taken');
    given(claimed(), ending)
      .when(claim('per_2', NOW + 10))
      .then({ type: 'IdentityReleased', owner: 'per_1', reason: 'its end is over' }, claimed('per_2'));
  });
  it('has no end any more once its owner claims it again', () => {
    const endless: ClaimEvent = { type: 'ClaimEndSet', owner: 'per_1', until: null, reason: 'claimed again' };
    given(claimed(), ending)
      .when(claim('per_1', NOW + 9))
      .then(endless);
    given(claimed(), ending, endless)
      .when(claim('per_2', NOW + 10))
      .thenRefused('identity_taken');
  });
  it('does not give its owner a part in the claim of the next one', () =>
    given(claimed(), ending, released(), claimed('per_2'))
      .when(claim('per_1', NOW + 11))
      .thenRefused('identity_taken'));
});

describe('a retired identity', () => {
  it('accepts no claim any more', () => given(claimed(), retired).when(claim('per_2')).thenRefused('identity_retired'));
  it('is not given back to the owner who was excluded', () =>
    given(claimed(), retired).when(claim()).thenRefused('identity_retired'));
  it('is retired once', () => {
    given(claimed()).when(retire).then(retired);
    given(claimed(), retired).when(retire).then();
  });
});

describe('an approval given beforehand', () => {
  const second: ClaimEvent = { ...claimed('acc_2'), approvalId: 'app_1' } as ClaimEvent;
  it('allows one more owner', () => given(claimed('acc_1'), approved).when(claim('acc_2')).then(second));
  it('is used up by that', () =>
    given(claimed('acc_1'), approved, second).when(claim('acc_3')).thenRefused('identity_taken'));
  it('has an end', () =>
    given(claimed('acc_1'), approved)
      .when(claim('acc_2', NOW + 10))
      .thenRefused('identity_taken'));
  it('is not used up by the first owner', () => given(approved).when(claim('acc_1')).then(claimed('acc_1')));
  it('is given once, and not for a time that has passed', () => {
    given().when(approve).then(approved);
    given(approved).when(approve).then();
    given(claimed('acc_1'), approved, second).when(approve).then();
    given()
      .when({ ...approve, at: NOW + 10 } as ClaimCommand)
      .thenRefused('approval_ended');
  });
});
