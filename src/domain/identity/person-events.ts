import type { MailFailure } from '../mail/mail.ts';

/**
 * The events of a person, who owns an e-mail address and signs in. Names and fields are on disk permanently. `personal` is
 * a sealed text (name and address), so that it can be made unreadable without changing the log. Times are in ms since the
 * epoch.
 */
export type PersonEvent = RegistrationEvent | AddressEvent | SignInEvent | RoleEvent;

export type RegistrationEvent =
  /** Nothing is open to the person before the address is verified. */
  | {
      readonly type: 'PersonRegistered';
      readonly personal: string;
      readonly how: 'registration' | 'invitation' | 'operator';
      /** The account that the person asked for; without it, the person joins one as a member, or is staff. */
      readonly asked?: AskedAccount;
    }
  /** The evidence that the person reads mail to the address. */
  | { readonly type: 'AddressVerified'; readonly how: 'code' | 'link' | 'invitation' | 'migrated' }
  /** The address was not verified in time. The personal data is erased. */
  | { readonly type: 'RegistrationLapsed' }
  /** The person asked for a further account, which is opened once the identity of its entity is claimed. */
  | {
      readonly type: 'AccountAsked';
      readonly accountId: string;
      readonly holder: Holder;
      readonly application: Application;
    }
  /** The account is not opened: the entity has one, or there was no approval. The key of its contact is destroyed. */
  | { readonly type: 'AccountDeclined'; readonly accountId: string; readonly reason: DeclineReason }
  /** The person owns this account. A second personal account needs an approval. */
  | {
      readonly type: 'AccountOpened';
      readonly accountId: string;
      readonly holder: Holder;
      readonly approvalId?: string;
    }
  | {
      readonly type: 'SecondAccountApproved';
      readonly approvalId: string;
      readonly until: number;
      readonly reason: string;
    }
  /**
   * The data key is destroyed. The sealed texts of this person cannot be opened any more. After `own_wish` the address can
   * register again, after `violation` it cannot.
   */
  | { readonly type: 'PersonErased'; readonly reason: string; readonly cause: ErasureCause };

export type AddressEvent =
  | { readonly type: 'NameChanged'; readonly personal: string }
  /** Takes effect when the new address is verified. `support` is there for a lost mailbox. */
  | {
      readonly type: 'AddressChangeAsked';
      readonly changeId: string;
      readonly personal: string;
      readonly support?: SupportCheck;
    }
  /** `by: 'support'` is for a lost mailbox. Until `undoUntil` the old address can take it back. */
  | {
      readonly type: 'AddressChanged';
      readonly changeId: string;
      readonly personal: string;
      readonly by: 'holder' | 'support';
      readonly undoUntil: number;
    }
  /** The old address is in force again. Later changes that were not undone yet are undone with it. */
  | { readonly type: 'AddressChangeUndone'; readonly changeId: string; readonly personal: string }
  /** A mail to the address was not delivered, and is not sent again. */
  | { readonly type: 'MailUndelivered'; readonly mailId: string; readonly reason: MailFailure };

export type SignInEvent =
  | { readonly type: 'SignedIn'; readonly sessionId: string; readonly means: SignInMeans }
  | { readonly type: 'SignedOut'; readonly sessionId: string }
  /** All sessions but `except`. */
  | { readonly type: 'SessionsRevoked'; readonly except?: string; readonly reason: string }
  /** Its name is personal, and is kept with the passkey outside the log. */
  | { readonly type: 'PasskeyAdded'; readonly passkeyId: string }
  /** `reason` if it was not the wish of the person. */
  | { readonly type: 'PasskeyRemoved'; readonly passkeyId: string; readonly reason?: string }
  /** Also if it replaces an earlier authenticator app. */
  | { readonly type: 'TotpEnabled' }
  | { readonly type: 'TotpDisabled'; readonly reason: string }
  /** New codes were shown, and earlier ones became invalid. */
  | { readonly type: 'RecoveryCodesRenewed' }
  /** The evidence that a session was more than a mailbox. */
  | { readonly type: 'SecondStepPassed'; readonly sessionId: string; readonly means: SecondStepMeans };

/** Copies for look-ups. The stream of the account or of the staff decides, and is written first. */
export type RoleEvent =
  /** The person has become a member of an account. Opened accounts have no such event. */
  | { readonly type: 'AccountJoined'; readonly accountId: string }
  | { readonly type: 'AccountLeft'; readonly accountId: string }
  /** Null: the person is not staff any more. */
  | { readonly type: 'StaffRoleSet'; readonly role: StaffRole | null };

/** How support has verified the person before it asked for the change, and the reason. */
export type SupportCheck = { readonly check: string; readonly reason: string };

export type Holder = 'person' | 'entity';
export type SignInMeans = 'code' | 'link' | 'passkey';
export type SecondStepMeans = 'totp' | 'recovery_code' | 'passkey';
export type StaffRole = (typeof staffRoles)[number];
export const staffRoles = ['support', 'finance', 'operator', 'owner'] as const;

export const erasureCauses = ['own_wish', 'violation'] as const;
export type ErasureCause = (typeof erasureCauses)[number];

export const declineReasons = ['entity_taken', 'second_account_not_approved'] as const;
export type DeclineReason = (typeof declineReasons)[number];

/** What was accepted and declared for a later account of a person. */
export type Application = {
  readonly termsVersion: string;
  readonly declared: AskedAccount['declared'];
  /** The name, address and entity of the account, sealed for the account. */
  readonly contact: string;
};

export type AskedAccount = {
  readonly holder: Holder;
  /** The version of the terms that was accepted. */
  readonly termsVersion: string;
  /** The declaration of age that was accepted, with its wording. No birth date is stored. */
  readonly declared: { readonly adult: true; readonly wording: string };
};
