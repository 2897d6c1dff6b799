import { describe, expect, it } from 'vitest';
import {
  invitationDecider,
  invitationOfStream,
  invitationStream,
  type InvitationCommand,
  type InvitationEvent,
} from '../../../src/domain/identity/invitations.ts';
import { specify } from '../../given.ts';

const NOW = Date.UTC(2026, 0, 31);
const invited: InvitationEvent = {
  ...{ type: 'PersonInvited', personal: 'v1.c2VhbGVk', to: { kind: 'staff', role: 'support' } },
  ...{ by: 'admin', until: NOW, reason: 'hired' },
};
const accept = (personId: string, at = NOW - 1): InvitationCommand => ({ type: 'AcceptInvitation', personId, at });
const accepted = (personId: string): InvitationEvent => ({ type: 'InvitationAccepted', personId });
const revoke: InvitationCommand = { type: 'RevokeInvitation', reason: 'typo' };
const revoked: InvitationEvent = { type: 'InvitationRevoked', reason: 'typo' };
const givenNothing = specify(invitationDecider);
const given = specify(invitationDecider, invited);

describe('an invitation', () => {
  it('is sent once', () => {
    givenNothing()
      .when({ ...invited, type: 'Invite' } as InvitationCommand)
      .then(invited);
    given()
      .when({ ...invited, type: 'Invite' } as InvitationCommand)
      .then();
  });
  it('is accepted by one person, who may repeat it', () => {
    given().when(accept('per_1')).then(accepted('per_1'));
    given(accepted('per_1')).when(accept('per_1', NOW)).then();
    given(accepted('per_1')).when(accept('per_2')).thenRefused('invitation_ended');
  });
  it('keeps the declaration of a person who is new', () => {
    const newPerson = { termsVersion: '2026-01', declared: { adult: true, wording: 'I am 18 or older.' } } as const;
    given()
      .when({ ...accept('per_1'), newPerson } as InvitationCommand)
      .then({ ...accepted('per_1'), newPerson } as InvitationEvent);
  });
  it('is completed once, also by a person whose address it was meanwhile', () => {
    const complete = { type: 'CompleteInvitation', personId: 'per_2', given: true } as const;
    const completed: InvitationEvent = { type: 'InvitationCompleted', personId: 'per_2', given: true };
    given(accepted('per_1')).when(complete).then(completed);
    given(accepted('per_1'), completed)
      .when({ ...complete, given: false })
      .then();
    given(accepted('per_1'), completed).when(accept('per_2')).then();
    given().when(complete).thenRefused('invitation_ended');
    givenNothing().when(complete).thenRefused('invitation_not_found');
  });
  it('ends after its time', () => given().when(accept('per_1', NOW)).thenRefused('invitation_ended'));
  it('is revoked until it is accepted', () => {
    given().when(revoke).then(revoked);
    given(revoked).when(revoke).then();
    given(revoked).when(accept('per_1')).thenRefused('invitation_ended');
    given(accepted('per_1')).when(revoke).thenRefused('invitation_ended');
  });
  it('that was never sent can neither be accepted nor revoked', () => {
    givenNothing().when(accept('per_1')).thenRefused('invitation_not_found');
    givenNothing().when(revoke).thenRefused('invitation_not_found');
  });
  it('has a stream of its own', () => {
    expect(invitationOfStream(invitationStream('inv_1'))).toBe('inv_1');
    expect(invitationOfStream('person-per_1')).toBeUndefined();
  });
});
