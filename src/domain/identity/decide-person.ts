import { decideContact } from './decide-contact.ts';
import { decideSignIn } from './decide-sign-in.ts';
import { no, type Of, type PersonCommand, type PersonDecision, type PersonRefusal } from './person-commands.ts';
import { accept, type Decider } from '../decider.ts';
import type { Holder, PersonEvent } from './person-events.ts';
import { accountsOfPerson, evolvePerson, unknownPerson, type Person } from './person.ts';

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
    case 'AskAddressChange':
    case 'ChangeAddress':
    case 'UndoAddressChange':
      return decideContact(command, person);
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

export const personDecider: Decider<Person, PersonCommand, PersonEvent, PersonRefusal> = {
  initial: unknownPerson,
  evolve: evolvePerson,
  decide: decidePerson,
};
