import type { ApprovalEvent } from '../../../src/domain/approvals/approvals.ts';
import type { AdminTokenEvent } from '../../../src/domain/identity/admin-token.ts';
import type { ClaimEvent } from '../../../src/domain/identity/claims.ts';
import type { InvitationEvent } from '../../../src/domain/identity/invitations.ts';
import type { PersonEvent } from '../../../src/domain/identity/person-events.ts';
import type { ServiceTokenEvent } from '../../../src/domain/identity/service-tokens.ts';
import type { StaffEvent } from '../../../src/domain/identity/staff.ts';

export const personRegistered = {
  type: 'PersonRegistered',
  personal: 'v1.c2VhbGVk',
  how: 'registration',
  asked: { holder: 'person', termsVersion: '2026-01', declared: { adult: true, wording: 'I am 18 or older.' } },
} as const satisfies PersonEvent;

export const application = {
  ...{ termsVersion: '2026-01', contact: 'v1.b2Y=' },
  declared: { adult: true, wording: 'I am 18 or older.' },
} as const;

type OnDisk<Event extends { readonly type: string }> = {
  readonly [T in Event['type']]: readonly [Extract<Event, { type: T }>, string];
};

/** One event of every type, and its data as it is on disk. */
export const claimsOnDisk: OnDisk<ClaimEvent> = {
  IdentityClaimed: [{ type: 'IdentityClaimed', owner: 'per_1' }, '{"owner":"per_1"}'],
  IdentityReleased: [
    { type: 'IdentityReleased', owner: 'per_1', reason: 'changed' },
    '{"owner":"per_1","reason":"changed"}',
  ],
  ClaimEndSet: [
    { type: 'ClaimEndSet', owner: 'per_1', until: 12, reason: 'changed' },
    '{"owner":"per_1","until":12,"reason":"changed"}',
  ],
  IdentityRetired: [
    { type: 'IdentityRetired', owner: 'per_1', reason: 'terminated' },
    '{"owner":"per_1","reason":"terminated"}',
  ],
  SecondOwnerApproved: [
    { type: 'SecondOwnerApproved', approvalId: 'app_1', until: 12, reason: 'branch' },
    '{"approvalId":"app_1","until":12,"reason":"branch"}',
  ],
};

export const serviceTokensOnDisk: OnDisk<ServiceTokenEvent> = {
  ServiceTokenCreated: [
    { type: 'ServiceTokenCreated', tokenId: 'tok_1', role: 'finance', endsAt: 12 },
    '{"tokenId":"tok_1","role":"finance","endsAt":12}',
  ],
  ServiceTokenRevoked: [
    { type: 'ServiceTokenRevoked', tokenId: 'tok_1', reason: 'unused' },
    '{"tokenId":"tok_1","reason":"unused"}',
  ],
};

export const peopleOnDisk: OnDisk<PersonEvent> = {
  PersonRegistered: [
    personRegistered,
    '{"personal":"v1.c2VhbGVk","how":"registration","asked":{"holder":"person","termsVersion":"2026-01",' +
      '"declared":{"adult":true,"wording":"I am 18 or older."}}}',
  ],
  AddressVerified: [{ type: 'AddressVerified', how: 'code' }, '{"how":"code"}'],
  RegistrationLapsed: [{ type: 'RegistrationLapsed' }, '{}'],
  AccountAsked: [
    { type: 'AccountAsked', accountId: 'acc_2', holder: 'person', application },
    '{"accountId":"acc_2","holder":"person","application":{"termsVersion":"2026-01",' +
      '"declared":{"adult":true,"wording":"I am 18 or older."},"contact":"v1.b2Y="}}',
  ],
  AccountDeclined: [
    { type: 'AccountDeclined', accountId: 'acc_2', reason: 'entity_taken' },
    '{"accountId":"acc_2","reason":"entity_taken"}',
  ],
  AccountOpened: [
    { type: 'AccountOpened', accountId: 'acc_1', holder: 'person' },
    '{"accountId":"acc_1","holder":"person"}',
  ],
  SecondAccountApproved: [
    { type: 'SecondAccountApproved', approvalId: 'app_1', until: 12, reason: 'tests' },
    '{"approvalId":"app_1","until":12,"reason":"tests"}',
  ],
  PersonErased: [
    { type: 'PersonErased', reason: 'asked for', cause: 'own_wish' },
    '{"reason":"asked for","cause":"own_wish"}',
  ],
  NameChanged: [{ type: 'NameChanged', personal: 'v1.c2VhbGVk' }, '{"personal":"v1.c2VhbGVk"}'],
  AddressChangeAsked: [
    {
      ...{ type: 'AddressChangeAsked', changeId: 'chg_1', personal: 'v1.bmV3' },
      support: { check: 'called back', reason: 'lost' },
    },
    '{"changeId":"chg_1","personal":"v1.bmV3","support":{"check":"called back","reason":"lost"}}',
  ],
  AddressChanged: [
    { type: 'AddressChanged', changeId: 'chg_1', personal: 'v1.bmV3', by: 'holder', undoUntil: 12 },
    '{"changeId":"chg_1","personal":"v1.bmV3","by":"holder","undoUntil":12}',
  ],
  AddressChangeUndone: [
    { type: 'AddressChangeUndone', changeId: 'chg_1', personal: 'v1.c2VhbGVk' },
    '{"changeId":"chg_1","personal":"v1.c2VhbGVk"}',
  ],
  MailUndelivered: [
    { type: 'MailUndelivered', mailId: 'mail_1', reason: 'rejected' },
    '{"mailId":"mail_1","reason":"rejected"}',
  ],
  SignedIn: [{ type: 'SignedIn', sessionId: 'ses_1', means: 'passkey' }, '{"sessionId":"ses_1","means":"passkey"}'],
  SignedOut: [{ type: 'SignedOut', sessionId: 'ses_1' }, '{"sessionId":"ses_1"}'],
  SessionsRevoked: [
    { type: 'SessionsRevoked', except: 'ses_1', reason: 'asked for' },
    '{"except":"ses_1","reason":"asked for"}',
  ],
  PasskeyAdded: [{ type: 'PasskeyAdded', passkeyId: 'pk_1' }, '{"passkeyId":"pk_1"}'],
  PasskeyRemoved: [
    { type: 'PasskeyRemoved', passkeyId: 'pk_1', reason: 'undone' },
    '{"passkeyId":"pk_1","reason":"undone"}',
  ],
  TotpEnabled: [{ type: 'TotpEnabled' }, '{}'],
  TotpDisabled: [{ type: 'TotpDisabled', reason: 'lost' }, '{"reason":"lost"}'],
  RecoveryCodesRenewed: [{ type: 'RecoveryCodesRenewed' }, '{}'],
  SecondStepPassed: [
    { type: 'SecondStepPassed', sessionId: 'ses_1', means: 'totp' },
    '{"sessionId":"ses_1","means":"totp"}',
  ],
  AccountJoined: [{ type: 'AccountJoined', accountId: 'acc_1' }, '{"accountId":"acc_1"}'],
  AccountLeft: [{ type: 'AccountLeft', accountId: 'acc_1' }, '{"accountId":"acc_1"}'],
  StaffRoleSet: [{ type: 'StaffRoleSet', role: 'support' }, '{"role":"support"}'],
};

const member = { kind: 'member', accountId: 'acc_1', role: 'developer' } as const;
export const rolesOnDisk: OnDisk<InvitationEvent | StaffEvent | AdminTokenEvent | ApprovalEvent> = {
  PersonInvited: [
    { type: 'PersonInvited', personal: 'v1.c2VhbGVk', to: member, by: 'person:per_1', until: 12, reason: 'x' },
    '{"personal":"v1.c2VhbGVk","to":{"kind":"member","accountId":"acc_1","role":"developer"},"by":"person:per_1",' +
      '"until":12,"reason":"x"}',
  ],
  InvitationAccepted: [
    {
      ...{ type: 'InvitationAccepted', personId: 'per_2' },
      newPerson: { termsVersion: '2026-01', declared: { adult: true, wording: 'I am 18 or older.' } },
    },
    '{"personId":"per_2","newPerson":{"termsVersion":"2026-01","declared":{"adult":true,"wording":"I am 18 or older."}}}',
  ],
  InvitationCompleted: [
    { type: 'InvitationCompleted', personId: 'per_2', given: true },
    '{"personId":"per_2","given":true}',
  ],
  InvitationRevoked: [{ type: 'InvitationRevoked', reason: 'typo' }, '{"reason":"typo"}'],
  StaffAppointed: [
    { type: 'StaffAppointed', personId: 'per_1', role: 'support', reason: 'hired' },
    '{"personId":"per_1","role":"support","reason":"hired"}',
  ],
  StaffDismissed: [
    { type: 'StaffDismissed', personId: 'per_1', reason: 'left' },
    '{"personId":"per_1","reason":"left"}',
  ],
  AdminTokenUsed: [
    { type: 'AdminTokenUsed', method: 'POST', path: '/accounts/{account_id}/grants' },
    '{"method":"POST","path":"/accounts/{account_id}/grants"}',
  ],
  ApprovalAsked: [
    {
      ...{ type: 'ApprovalAsked', act: { kind: 'grant', accountId: 'acc_1', amount: 5n, endsAt: 12 }, reason: 'sorry' },
      ...{ by: 'staff:per_1', personId: 'per_1', until: 12 },
    },
    '{"act":{"kind":"grant","accountId":"acc_1","amount":"5","endsAt":12},"reason":"sorry","by":"staff:per_1","personId":"per_1",' +
      '"until":12}',
  ],
  ApprovalGiven: [{ type: 'ApprovalGiven', personId: 'per_2' }, '{"personId":"per_2"}'],
  ApprovalRefused: [{ type: 'ApprovalRefused', personId: 'per_2', reason: 'no' }, '{"personId":"per_2","reason":"no"}'],
  ActApproved: [{ type: 'ActApproved', personId: 'per_2' }, '{"personId":"per_2"}'],
  ActCarriedOut: [{ type: 'ActCarriedOut' }, '{}'],
  ActFailed: [{ type: 'ActFailed', code: 'account_not_found' }, '{"code":"account_not_found"}'],
};
