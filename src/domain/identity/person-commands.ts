import { refuse, type Decision } from '../decider.ts';
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
export type PersonDecision = Decision<PersonEvent, PersonRefusal>;
/** The command of one type. */
export type Of<Type extends PersonCommand['type']> = Extract<PersonCommand, { type: Type }>;

export const no = (code: PersonRefusal['code']): PersonDecision => refuse({ code });
