import { describe, expect, it } from 'vitest';
import { MAX_PASSKEYS } from '../../../src/domain/identity/decide-sign-in.ts';
import { personDecider } from '../../../src/domain/identity/decide-person.ts';
import { UNDO_MS, UNDONE } from '../../../src/domain/identity/decide-contact.ts';
import { type PersonCommand } from '../../../src/domain/identity/person-commands.ts';
import type { PersonEvent } from '../../../src/domain/identity/person-events.ts';
import { personOfStream, personStream } from '../../../src/domain/identity/person.ts';
import { specify } from '../../given.ts';
import { application, personRegistered } from './examples.ts';

const REGISTERED = personRegistered.personal;
const NOW = Date.UTC(2026, 0, 31);
const verified: PersonEvent = { type: 'AddressVerified', how: 'code' };
const opened = (accountId: string, holder: 'person' | 'entity' = 'person'): PersonEvent => ({
  ...{ type: 'AccountOpened', accountId, holder },
});
const givenNobody = specify(personDecider);
const given = specify(personDecider, personRegistered, verified);

const register: PersonCommand = { ...personRegistered, type: 'RegisterPerson' } as PersonCommand;
const verify: PersonCommand = { type: 'VerifyAddress', how: 'code' };
const open = (accountId: string, holder: 'person' | 'entity' = 'person'): PersonCommand => ({
  ...{ type: 'OpenAccount', accountId, holder, at: NOW },
});

describe('a registration', () => {
  it('is of a person who is not known yet', () => {
    givenNobody().when(register).then(personRegistered);
    givenNobody(personRegistered).when(register).thenRefused('person_exists');
  });
  it('opens its account in the same step as the address is verified', () =>
    givenNobody(personRegistered)
      .when({ ...verify, account: { accountId: 'acc_1', holder: 'person' } } as PersonCommand)
      .then(verified, opened('acc_1')));
  it('is verified once', () => given().when(verify).then());
  it('lapses while it is not verified', () => {
    givenNobody(personRegistered).when({ type: 'LapseRegistration' }).then({ type: 'RegistrationLapsed' });
    given().when({ type: 'LapseRegistration' }).then();
  });
  it('cannot be verified after that', () =>
    givenNobody(personRegistered, { type: 'RegistrationLapsed' }).when(verify).thenRefused('person_not_found'));
  it('allows nothing before the address is verified', () => {
    const unverified = givenNobody(personRegistered);
    unverified.when(open('acc_1')).thenRefused('address_not_verified');
    unverified.when({ type: 'SignIn', sessionId: 'ses_1', means: 'code' }).thenRefused('address_not_verified');
    unverified.when({ type: 'SetStaffRole', role: 'owner' }).thenRefused('address_not_verified');
  });
});

describe('the accounts of a person', () => {
  const approved: PersonEvent = { type: 'SecondAccountApproved', approvalId: 'app_1', until: NOW + 1, reason: 'tests' };
  it('are one personal account', () => {
    given().when(open('acc_1')).then(opened('acc_1'));
    given(opened('acc_1')).when(open('acc_1')).then();
    given(opened('acc_1')).when(open('acc_2')).thenRefused('second_account_not_approved');
  });
  it('are two with an approval given beforehand, which is used up by that', () => {
    const second = { ...opened('acc_2'), approvalId: 'app_1' } as PersonEvent;
    given(opened('acc_1'), approved).when(open('acc_2')).then(second);
    given(opened('acc_1'), approved, second).when(open('acc_3')).thenRefused('second_account_not_approved');
  });
  it('are not more for an approval that is repeated after its use', () => {
    const second = { ...opened('acc_2'), approvalId: 'app_1' } as PersonEvent;
    const approve: PersonCommand = { ...approved, type: 'ApproveSecondAccount', at: NOW } as PersonCommand;
    given(opened('acc_1')).when(approve).then(approved);
    given(opened('acc_1'), approved).when(approve).then();
    given(opened('acc_1'), approved, second).when(approve).then();
  });
  it('after the first are asked for with a declaration and terms of their own, and declined for good', () => {
    const asked = (accountId: string, holder: 'person' | 'entity'): PersonEvent => ({
      ...{ type: 'AccountAsked', accountId, holder, application },
    });
    const ask = (accountId: string, holder: 'person' | 'entity', at = NOW): PersonCommand =>
      ({ ...asked(accountId, holder), type: 'AskAccount', at }) as PersonCommand;
    given(opened('acc_1')).when(ask('acc_2', 'entity')).then(asked('acc_2', 'entity'));
    given(opened('acc_1'), asked('acc_2', 'entity')).when(ask('acc_2', 'entity')).then();
    given(opened('acc_1')).when(ask('acc_2', 'person')).thenRefused('second_account_not_approved');
    given(opened('acc_1'), approved).when(ask('acc_2', 'person')).then(asked('acc_2', 'person'));
    given(opened('acc_1'), approved)
      .when(ask('acc_2', 'person', NOW + 1))
      .thenRefused('second_account_not_approved');
    givenNobody(personRegistered).when(ask('acc_1', 'entity')).thenRefused('address_not_verified');
    const declined: PersonEvent = { type: 'AccountDeclined', accountId: 'acc_2', reason: 'entity_taken' };
    const decline: PersonCommand = { ...declined, type: 'DeclineAccount' };
    given(asked('acc_2', 'entity')).when(decline).then(declined);
    given(asked('acc_2', 'entity'), declined).when(decline).then();
    given(asked('acc_2', 'entity'), opened('acc_2', 'entity')).when(decline).then();
    given(asked('acc_2', 'entity'), declined).when(open('acc_2', 'entity')).thenRefused('account_declined');
  });
  it('are not two once the approval has ended', () =>
    given(opened('acc_1'), approved)
      .when({ ...open('acc_2'), at: NOW + 1 } as PersonCommand)
      .thenRefused('second_account_not_approved'));
  it('of entities are as many as the person acts for', () =>
    given(opened('acc_1'), opened('acc_2', 'entity')).when(open('acc_3', 'entity')).then(opened('acc_3', 'entity')));
});

describe('a change of address', () => {
  const asked = (n = 1): PersonEvent => ({
    type: 'AddressChangeAsked',
    changeId: `chg_${n}`,
    personal: `v1.asked${n}`,
  });
  const change = (n = 1, at = NOW, from = n === 1 ? REGISTERED : `v1.new${n - 1}`): PersonCommand => ({
    ...{ type: 'ChangeAddress', changeId: `chg_${n}`, from, personal: `v1.new${n}`, at },
  });
  const changed = (n = 1, at = NOW): PersonEvent => ({
    ...{ type: 'AddressChanged', changeId: `chg_${n}`, personal: `v1.new${n}`, by: 'holder', undoUntil: at + UNDO_MS },
  });
  const undo = (n: number, at: number, from = `v1.new${n}`): PersonCommand => ({
    ...{ type: 'UndoAddressChange', changeId: `chg_${n}`, from, personal: 'v1.before', at },
  });
  const undone = (n: number): PersonEvent => ({
    ...{ type: 'AddressChangeUndone', changeId: `chg_${n}`, personal: 'v1.before' },
  });

  it('takes effect when the new address is verified', () => {
    given()
      .when({ ...asked(), type: 'AskAddressChange' } as PersonCommand)
      .then(asked());
    given(asked()).when(change()).then(changed());
  });
  it('takes effect once, also if another command repeats it after a later change', () => {
    given(asked(), changed()).when(change()).then();
    given(asked(), changed(), asked(2), changed(2)).when(change()).then();
    given(asked(), changed())
      .when({ ...asked(), type: 'AskAddressChange' } as PersonCommand)
      .then();
  });
  it('is replaced by a later one that is asked for before it is verified', () =>
    given(asked(), asked(2)).when(change()).thenRefused('change_not_found'));
  it('can be undone by the old address for seven days', () => {
    given(asked(), changed())
      .when(undo(1, NOW + UNDO_MS - 1))
      .then(undone(1));
    given(asked(), changed())
      .when(undo(1, NOW + UNDO_MS))
      .thenRefused('undo_ended');
    given().when(undo(1, NOW)).thenRefused('change_not_found');
  });
  it('is undone once', () => given(asked(), changed(), undone(1)).when(undo(1, NOW)).then());
  it('can be undone after a later change, which is undone with it', () => {
    const twice = [asked(), changed(), asked(2), changed(2, NOW + 1)];
    given(...twice)
      .when(undo(1, NOW + 2, 'v1.new2'))
      .then(undone(1));
    given(...twice, undone(1))
      .when(undo(2, NOW + 2))
      .then();
  });
  it('stays if a later change is undone', () =>
    given(asked(), changed(), asked(2), changed(2), undone(2))
      .when(undo(1, NOW + 2, 'v1.before'))
      .then(undone(1)));
  it('is refused, and so is its undo, if name or address were changed since they were read', () => {
    const renamed: PersonEvent = { type: 'NameChanged', personal: 'v1.renamed' };
    given(asked(), renamed).when(change()).thenRefused('person_changed');
    given(asked(), changed(), renamed).when(undo(1, NOW)).thenRefused('person_changed');
    given(asked(), changed(), undone(1), renamed).when(undo(1, NOW)).then();
  });
  it('that is undone is not brought back by a change of the name that was read before', () => {
    const rename: PersonCommand = { type: 'ChangeName', from: 'v1.new1', personal: 'v1.renamed' };
    given(asked(), changed(), undone(1)).when(rename).thenRefused('person_changed');
    given(asked(), changed()).when(rename).then({ type: 'NameChanged', personal: 'v1.renamed' });
  });
  it('that is undone leaves nothing to sign in with that was added since it was asked for', () => {
    const passkey = (n: number): PersonEvent => ({ type: 'PasskeyAdded', passkeyId: `pk_${n}` });
    const gone = (n: number): PersonEvent => ({ type: 'PasskeyRemoved', passkeyId: `pk_${n}`, reason: UNDONE });
    const noTotp: PersonEvent = { type: 'TotpDisabled', reason: UNDONE };
    const app: PersonEvent = { type: 'TotpEnabled' };
    given(passkey(1), app, asked(), changed()).when(undo(1, NOW)).then(undone(1));
    given(passkey(1), asked(), passkey(2), changed(), passkey(3), app)
      .when(undo(1, NOW))
      .then(undone(1), gone(2), gone(3), noTotp);
    given(app, asked(), app, changed()).when(undo(1, NOW)).then(undone(1), noTotp);
    given(asked(), changed(), app, passkey(1), asked(2), changed(2), passkey(2))
      .when(undo(2, NOW))
      .then(undone(2), gone(2));
  });
  it('that waits for its verification ends with an undo', () =>
    given(asked(), changed(), asked(2), undone(1)).when(change(2)).thenRefused('change_not_found'));
  it('that support asks for, because a mailbox is lost, is recorded with the check', () => {
    const support = { check: 'called back', reason: 'mailbox lost' };
    const bySupport = { ...asked(), support } as PersonEvent;
    given()
      .when({ ...asked(), support, type: 'AskAddressChange' } as PersonCommand)
      .then(bySupport);
    const replaced = { ...changed(), by: 'support' } as PersonEvent;
    given(bySupport).when(change()).then(replaced);
    given(bySupport, replaced).when(undo(1, NOW)).then(undone(1));
  });
});

describe('passkeys', () => {
  const added = (n: number): PersonEvent => ({ type: 'PasskeyAdded', passkeyId: `pk_${n}` });
  const add = (n: number): PersonCommand => ({ type: 'AddPasskey', passkeyId: `pk_${n}` });
  it('are added once each, up to a number', () => {
    given().when(add(1)).then(added(1));
    given(added(1)).when(add(1)).then();
    const full = Array.from({ length: MAX_PASSKEYS }, (_, n) => added(n));
    given(...full)
      .when(add(99))
      .thenRefused('too_many_passkeys');
  });
  it('can be removed', () => {
    const remove: PersonCommand = { type: 'RemovePasskey', passkeyId: 'pk_1' };
    given(added(1)).when(remove).then({ type: 'PasskeyRemoved', passkeyId: 'pk_1' });
    given().when(remove).thenRefused('passkey_not_found');
  });
  it('and one-time passwords: staff keep at least one of them', () => {
    const staff: PersonEvent = { type: 'StaffRoleSet', role: 'support' };
    const remove: PersonCommand = { type: 'RemovePasskey', passkeyId: 'pk_1' };
    given(staff, added(1)).when(remove).thenRefused('last_second_step');
    given(staff, added(1), { type: 'TotpEnabled' }).when(remove).then({ type: 'PasskeyRemoved', passkeyId: 'pk_1' });
    given(staff, { type: 'TotpEnabled' }).when({ type: 'DisableTotp', reason: 'x' }).thenRefused('last_second_step');
  });
  it('and one-time passwords: each setup of an app is an event, also if it replaces another', () => {
    given().when({ type: 'EnableTotp' }).then({ type: 'TotpEnabled' });
    given({ type: 'TotpEnabled' }).when({ type: 'EnableTotp' }).then({ type: 'TotpEnabled' });
  });
});

describe('the second step', () => {
  const totp: PersonEvent = { type: 'TotpEnabled' };
  const passed: PersonEvent = { type: 'SecondStepPassed', sessionId: 'ses_1', means: 'totp' };
  const pass: PersonCommand = { type: 'PassSecondStep', sessionId: 'ses_1', means: 'totp' };
  it('and recovery codes for it need a passkey or an authenticator app', () => {
    given().when(pass).thenRefused('second_step_not_set_up');
    given().when({ type: 'RenewRecoveryCodes' }).thenRefused('second_step_not_set_up');
    given(totp).when(pass).then(passed);
    given(totp).when({ type: 'RenewRecoveryCodes' }).then({ type: 'RecoveryCodesRenewed' });
    given(totp, { type: 'TotpDisabled', reason: 'x' }).when(pass).thenRefused('second_step_not_set_up');
  });
  it('is passed at sign-in by a passkey that is one', () => {
    const signedIn = { type: 'SignedIn', sessionId: 'ses_1', means: 'passkey' } as const;
    given()
      .when({ type: 'SignIn', sessionId: 'ses_1', means: 'passkey', secondStep: 'passkey' })
      .then(signedIn, { ...passed, means: 'passkey' } as PersonEvent);
  });
});

describe('the copies of roles', () => {
  const set = (role: 'support' | null): PersonEvent => ({ type: 'StaffRoleSet', role });
  it('follow the staff', () => {
    given().when({ type: 'SetStaffRole', role: 'support' }).then(set('support'));
    given(set('support')).when({ type: 'SetStaffRole', role: 'support' }).then();
    given(set('support')).when({ type: 'SetStaffRole', role: null }).then(set(null));
  });
  it('follow the members of accounts, except of those that the person opened', () => {
    const joined: PersonEvent = { type: 'AccountJoined', accountId: 'acc_1' };
    const join: PersonCommand = { type: 'JoinAccount', accountId: 'acc_1' };
    const leave: PersonCommand = { type: 'LeaveAccount', accountId: 'acc_1' };
    given().when(join).then(joined);
    given(joined).when(join).then();
    given(opened('acc_1')).when(join).then();
    given(joined).when(leave).then({ type: 'AccountLeft', accountId: 'acc_1' });
    given(joined, { type: 'AccountLeft', accountId: 'acc_1' }).when(leave).then();
  });
});

describe('an erased person', () => {
  const erased: PersonEvent = { type: 'PersonErased', reason: 'asked for', cause: 'own_wish' };
  const erase = (...ended: readonly string[]): PersonCommand => ({
    ...{ type: 'ErasePerson', reason: 'asked for', cause: 'own_wish', ended },
  });
  it('is erased once, and can do nothing more', () => {
    given().when(erase()).then(erased);
    given(erased).when(erase()).then();
    given(erased).when(open('acc_2')).thenRefused('person_not_found');
    given(erased).when(register).thenRefused('person_exists');
  });
  it('owns no account that is not closed', () => {
    given(opened('acc_1')).when(erase()).thenRefused('accounts_open');
    given(opened('acc_1'), opened('acc_2', 'entity')).when(erase('acc_1')).thenRefused('accounts_open');
    given(opened('acc_1'), opened('acc_2', 'entity')).when(erase('acc_2', 'acc_1')).then(erased);
  });
  it('was not staff', () =>
    given({ type: 'StaffRoleSet', role: 'support' }).when(erase()).thenRefused('person_is_staff'));
});

describe('the stream of a person', () => {
  it('has the id of the person in its name', () => {
    expect(personOfStream(personStream('per_1'))).toBe('per_1');
    expect(personOfStream('account-acc_1')).toBeUndefined();
  });
});
