import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import type { MailFailure } from '../mail/mail.ts';
import type {
  Application,
  AskedAccount,
  DeclineReason,
  ErasureCause,
  Holder,
  PersonEvent,
  SecondStepMeans,
  SignInMeans,
  StaffRole,
  SupportCheck,
} from './person-events.ts';
import { accountsOfPerson, addedSince, evolvePerson, hasSecondStep, unknownPerson, type Person } from './person.ts';

export type PersonCommand =
  | {
      readonly type: 'RegisterPerson';
      readonly personal: string;
      readonly how: 'registration' | 'invitation' | 'operator';
      readonly asked?: AskedAccount;
    }
  /** Once the identity of the address is claimed. Opens `account` in the same step. */
  | {
      readonly type: 'VerifyAddress';
      readonly how: 'code' | 'link' | 'invitation' | 'migrated';
      readonly account?: { readonly accountId: string; readonly holder: Holder };
    }
  | { readonly type: 'LapseRegistration' }
  | {
      readonly type: 'OpenAccount';
      readonly accountId: string;
      readonly holder: Holder;
      readonly at: number;
    }
  /** Refused if the account could not be opened at that time. */
  | {
      readonly type: 'AskAccount';
      readonly accountId: string;
      readonly holder: Holder;
      readonly application: Application;
      readonly at: number;
    }
  | { readonly type: 'DeclineAccount'; readonly accountId: string; readonly reason: DeclineReason }
  | {
      readonly type: 'ApproveSecondAccount';
      readonly approvalId: string;
      readonly until: number;
      readonly at: number;
      readonly reason: string;
    }
  /** `ended` are the accounts that are closed or that the person does not own any more. */
  | {
      readonly type: 'ErasePerson';
      readonly reason: string;
      readonly cause: ErasureCause;
      readonly ended: readonly string[];
    }
  /** `from` is the sealed text that `personal` was made from, here and below: a newer one must not be replaced unread. */
  | { readonly type: 'ChangeName'; readonly from: string; readonly personal: string }
  /** With `support`: support has verified the person, whose mailbox is lost. */
  | {
      readonly type: 'AskAddressChange';
      readonly changeId: string;
      readonly personal: string;
      readonly support?: SupportCheck;
    }
  /** Once the identity of the new address is claimed. `personal` has the new address, and the name of now. */
  | {
      readonly type: 'ChangeAddress';
      readonly changeId: string;
      readonly from: string;
      readonly personal: string;
      readonly at: number;
    }
  /** `personal` has the address before the change, and the name of now. What was added to sign in with is removed. */
  | {
      readonly type: 'UndoAddressChange';
      readonly changeId: string;
      readonly from: string;
      readonly personal: string;
      readonly at: number;
    }
  | { readonly type: 'RecordUndelivered'; readonly mailId: string; readonly reason: MailFailure }
  /** `secondStep` if the sign-in was a second step as well. */
  | {
      readonly type: 'SignIn';
      readonly sessionId: string;
      readonly means: SignInMeans;
      readonly secondStep?: SecondStepMeans;
    }
  | { readonly type: 'SignOut'; readonly sessionId: string }
  | { readonly type: 'RevokeSessions'; readonly except?: string; readonly reason: string }
  | { readonly type: 'AddPasskey'; readonly passkeyId: string }
  | { readonly type: 'RemovePasskey'; readonly passkeyId: string }
  | { readonly type: 'EnableTotp' }
  | { readonly type: 'DisableTotp'; readonly reason: string }
  | { readonly type: 'RenewRecoveryCodes' }
  | { readonly type: 'PassSecondStep'; readonly sessionId: string; readonly means: SecondStepMeans }
  | { readonly type: 'JoinAccount'; readonly accountId: string }
  | { readonly type: 'LeaveAccount'; readonly accountId: string }
  | { readonly type: 'SetStaffRole'; readonly role: StaffRole | null };

/** In order of precedence. */
export const personRefusalCodes = [
  'person_exists',
  'person_not_found',
  'address_not_verified',
  'account_declined',
  'second_account_not_approved',
  'approval_ended',
  'change_not_found',
  'undo_ended',
  'person_changed',
  'passkey_not_found',
  'too_many_passkeys',
  'second_step_not_set_up',
  'last_second_step',
  'person_is_staff',
  'accounts_open',
] as const;

export type PersonRefusal = { readonly code: (typeof personRefusalCodes)[number] };
type PersonDecision = Decision<PersonEvent, PersonRefusal>;
type Of<Type extends PersonCommand['type']> = Extract<PersonCommand, { type: Type }>;

export const MAX_PASSKEYS = 20;
/** How long the old address can take a change back. */
export const UNDO_MS = 7 * 24 * 60 * 60 * 1000;

/** On disk. */
export const UNDONE = 'a change of address was undone';

const no = (code: PersonRefusal['code']): PersonDecision => refuse({ code });

export const decidePerson = (command: PersonCommand, person: Person): PersonDecision => {
  const { status } = person;
  if (command.type === 'RegisterPerson') return register(command, person);
  if (status === 'unknown' || status === 'erased' || status === 'lapsed') {
    const isDone = (command.type === 'ErasePerson' && status === 'erased') || isLapsed(command, person);
    return isDone ? accept() : no('person_not_found');
  }
  switch (command.type) {
    case 'VerifyAddress':
      return verify(command, person);
    case 'LapseRegistration':
      return status === 'unverified' ? accept({ type: 'RegistrationLapsed' }) : accept();
    case 'ErasePerson':
      return erase(command, person);
    case 'RecordUndelivered': {
      const { mailId, reason } = command;
      return accept({ type: 'MailUndelivered', mailId, reason });
    }
    default:
      return status === 'verified' ? decideVerified(command, person) : no('address_not_verified');
  }
};

const isLapsed = ({ type }: PersonCommand, { status }: Person): boolean =>
  type === 'LapseRegistration' && status === 'lapsed';

type Verified = Exclude<
  PersonCommand,
  Of<'RegisterPerson' | 'VerifyAddress' | 'LapseRegistration' | 'ErasePerson' | 'RecordUndelivered'>
>;

const decideVerified = (command: Verified, person: Person): PersonDecision => {
  switch (command.type) {
    case 'AskAccount':
      return askAccount(command, person);
    case 'DeclineAccount':
      return declineAccount(command, person);
    case 'OpenAccount':
      return openAccount(command, person);
    case 'ApproveSecondAccount': {
      const { approvalId, until, at, reason } = command;
      if (person.approvals.has(approvalId) || person.usedApprovals.includes(approvalId)) return accept();
      return until > at ? accept({ type: 'SecondAccountApproved', approvalId, until, reason }) : no('approval_ended');
    }
    case 'ChangeName':
      if (command.from !== person.personal) return no('person_changed');
      return accept({ type: 'NameChanged', personal: command.personal });
    case 'AskAddressChange': {
      const { changeId, personal, support } = command;
      if (person.change?.changeId === changeId || isDone(person, changeId)) return accept();
      return accept({ type: 'AddressChangeAsked', changeId, personal, ...(support ? { support } : {}) });
    }
    case 'ChangeAddress':
      return changeAddress(command, person);
    case 'UndoAddressChange':
      return undoAddressChange(command, person);
    case 'JoinAccount':
    case 'LeaveAccount':
    case 'SetStaffRole':
      return copyRole(command, person);
    case 'SignIn':
    case 'SignOut':
    case 'RevokeSessions':
    case 'AddPasskey':
    case 'RemovePasskey':
    case 'EnableTotp':
    case 'DisableTotp':
    case 'RenewRecoveryCodes':
    case 'PassSecondStep':
      return decideSignIn(command, person);
  }
};

const copyRole = (
  command: Of<'JoinAccount' | 'LeaveAccount' | 'SetStaffRole'>,
  { accounts, joined, staffRole }: Person,
): PersonDecision => {
  switch (command.type) {
    case 'JoinAccount': {
      const { accountId } = command;
      const isKnown = accounts.includes(accountId) || joined.includes(accountId);
      return isKnown ? accept() : accept({ type: 'AccountJoined', accountId });
    }
    case 'LeaveAccount': {
      const { accountId } = command;
      return joined.includes(accountId) ? accept({ type: 'AccountLeft', accountId }) : accept();
    }
    case 'SetStaffRole':
      return staffRole === command.role ? accept() : accept({ type: 'StaffRoleSet', role: command.role });
  }
};

type SignInCommand = Of<
  | 'SignIn'
  | 'SignOut'
  | 'RevokeSessions'
  | 'AddPasskey'
  | 'RemovePasskey'
  | 'EnableTotp'
  | 'DisableTotp'
  | 'RenewRecoveryCodes'
  | 'PassSecondStep'
>;

const decideSignIn = (command: SignInCommand, person: Person): PersonDecision => {
  switch (command.type) {
    case 'SignIn': {
      const { sessionId, means, secondStep } = command;
      const passed =
        secondStep === undefined ? [] : [{ type: 'SecondStepPassed' as const, sessionId, means: secondStep }];
      return accept<PersonEvent>({ type: 'SignedIn', sessionId, means }, ...passed);
    }
    case 'SignOut':
      return accept({ type: 'SignedOut', sessionId: command.sessionId });
    case 'RevokeSessions': {
      const { except, reason } = command;
      return accept({ type: 'SessionsRevoked', ...(except === undefined ? {} : { except }), reason });
    }
    case 'AddPasskey': {
      const { passkeyId } = command;
      if (person.passkeys.has(passkeyId)) return accept();
      return person.passkeys.size < MAX_PASSKEYS
        ? accept({ type: 'PasskeyAdded', passkeyId })
        : no('too_many_passkeys');
    }
    case 'RemovePasskey': {
      const { passkeyId } = command;
      if (!person.passkeys.has(passkeyId)) return no('passkey_not_found');
      const isLastStep = person.staffRole !== null && !person.hasTotp && person.passkeys.size === 1;
      return isLastStep ? no('last_second_step') : accept({ type: 'PasskeyRemoved', passkeyId });
    }
    case 'EnableTotp':
      return accept({ type: 'TotpEnabled' });
    case 'DisableTotp': {
      if (!person.hasTotp) return accept();
      const isLastStep = person.staffRole !== null && person.passkeys.size === 0;
      return isLastStep ? no('last_second_step') : accept({ type: 'TotpDisabled', reason: command.reason });
    }
    case 'RenewRecoveryCodes':
      return hasSecondStep(person) ? accept({ type: 'RecoveryCodesRenewed' }) : no('second_step_not_set_up');
    case 'PassSecondStep': {
      const { sessionId, means } = command;
      if (!hasSecondStep(person)) return no('second_step_not_set_up');
      return accept({ type: 'SecondStepPassed', sessionId, means });
    }
  }
};

const register = ({ personal, how, asked }: Of<'RegisterPerson'>, { status }: Person): PersonDecision => {
  if (status !== 'unknown') return no('person_exists');
  return accept({ type: 'PersonRegistered', personal, how, ...(asked ? { asked } : {}) });
};

const verify = ({ how, account }: Of<'VerifyAddress'>, { status }: Person): PersonDecision => {
  if (status === 'verified') return accept();
  return accept<PersonEvent>(
    { type: 'AddressVerified', how },
    ...(account ? [{ type: 'AccountOpened' as const, accountId: account.accountId, holder: account.holder }] : []),
  );
};

const erase = ({ reason, cause, ended }: Of<'ErasePerson'>, person: Person): PersonDecision => {
  if (person.staffRole !== null) return no('person_is_staff');
  if (!accountsOfPerson(person).every((accountId) => ended.includes(accountId))) return no('accounts_open');
  return accept({ type: 'PersonErased', reason, cause });
};

const askAccount = (command: Of<'AskAccount'>, person: Person): PersonDecision => {
  const { accountId, holder, application, at } = command;
  if (person.asks.has(accountId)) return accept();
  if (needsApproval(holder, person) && approvalAt(person, at) === undefined) return no('second_account_not_approved');
  return accept({ type: 'AccountAsked', accountId, holder, application });
};

const declineAccount = ({ accountId, reason }: Of<'DeclineAccount'>, { asks, accounts }: Person): PersonDecision => {
  const isOpen = asks.get(accountId)?.declined === null && !accounts.includes(accountId);
  return isOpen ? accept({ type: 'AccountDeclined', accountId, reason }) : accept();
};

const openAccount = ({ accountId, holder, at }: Of<'OpenAccount'>, person: Person): PersonDecision => {
  if (person.accounts.includes(accountId)) return accept();
  const declined = person.asks.get(accountId)?.declined ?? null;
  if (declined !== null) return no('account_declined');
  if (!needsApproval(holder, person)) return accept({ type: 'AccountOpened', accountId, holder });
  const approvalId = approvalAt(person, at);
  if (approvalId === undefined) return no('second_account_not_approved');
  return accept({ type: 'AccountOpened', accountId, holder, approvalId });
};

const needsApproval = (holder: Holder, { personalAccounts }: Person): boolean =>
  holder === 'person' && personalAccounts > 0;

const approvalAt = ({ approvals }: Person, at: number): string | undefined =>
  [...approvals].find(([, until]) => until > at)?.[0];

const isDone = ({ changes }: Person, changeId: string): boolean => changes.some((one) => one.changeId === changeId);

const changeAddress = ({ changeId, from, personal, at }: Of<'ChangeAddress'>, person: Person): PersonDecision => {
  if (isDone(person, changeId)) return accept();
  const { change } = person;
  if (change?.changeId !== changeId) return no('change_not_found');
  if (from !== person.personal) return no('person_changed');
  return accept({ type: 'AddressChanged', changeId, personal, by: change.by, undoUntil: at + UNDO_MS });
};

const undoAddressChange = (
  { changeId, from, personal, at }: Of<'UndoAddressChange'>,
  person: Person,
): PersonDecision => {
  const change = person.changes.find((one) => one.changeId === changeId);
  if (!change) return no('change_not_found');
  if (change.undone) return accept();
  if (at >= change.undoUntil) return no('undo_ended');
  if (from !== person.personal) return no('person_changed');
  return accept<PersonEvent>(
    { type: 'AddressChangeUndone', changeId, personal },
    ...addedSince(change, person).map((passkeyId) => ({ type: 'PasskeyRemoved' as const, passkeyId, reason: UNDONE })),
    ...(change.setsTotp && person.hasTotp ? [{ type: 'TotpDisabled' as const, reason: UNDONE }] : []),
  );
};

export const personDecider: Decider<Person, PersonCommand, PersonEvent, PersonRefusal> = {
  initial: unknownPerson,
  evolve: evolvePerson,
  decide: decidePerson,
};
