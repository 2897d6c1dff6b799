import type { Account } from '../domain/account/account.ts';
import type { AccountCommand, AccountRefusal } from '../domain/account/decide.ts';
import type { AccountEvent } from '../domain/account/events.ts';
import type { AccountLimits } from '../domain/account/limits/limits.ts';
import { readAddress, type Address } from '../domain/identity/address.ts';
import type { Approval, ApprovalCommand, ApprovalEvent, ApprovalRefusal } from '../domain/approvals/approvals.ts';
import type { AdminTokenCommand, AdminTokenEvent } from '../domain/identity/admin-token.ts';
import type { ClaimCommand, ClaimEvent, ClaimRefusal, Claims } from '../domain/identity/claims.ts';
import type { PersonCommand, PersonRefusal } from '../domain/identity/person-commands.ts';
import type {
  Invitation,
  InvitationCommand,
  InvitationEvent,
  InvitationRefusal,
} from '../domain/identity/invitations.ts';
import type { Staff, StaffCommand, StaffEvent, StaffRefusal } from '../domain/identity/staff.ts';
import type { PersonEvent } from '../domain/identity/person-events.ts';
import type { Person } from '../domain/identity/person.ts';
import type {
  ServiceTokenCommand,
  ServiceTokenEvent,
  ServiceTokenRefusal,
  ServiceTokenState,
} from '../domain/identity/service-tokens.ts';
import type { PaymentCommand, PaymentRefusal } from '../domain/payments/commands.ts';
import type { PaymentEvent } from '../domain/payments/events.ts';
import type { Payment } from '../domain/payments/payment.ts';
import type { Commands } from '../eventstore/commands.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { PersonalData, Vault } from '../eventstore/journal/personal-data.ts';
import type { RandomBytes } from '../eventstore/secrets/token-format.ts';
import type { Identity } from '../identity/identity.ts';
import type { MailCommands } from '../mail/mail-sender.ts';
import type { Identities } from './identities.ts';

type On<State, Command, Event, Refusal> = Pick<Commands<State, Command, Event, Refusal>, 'execute' | 'read'>;

/** What the rules of persons rest on: their events, their secrets, and mail. */
export type PeopleOptions = {
  readonly persons: Pick<Commands<Person, PersonCommand, PersonEvent, PersonRefusal>, 'execute' | 'read'>;
  readonly claims: Pick<Commands<Claims, ClaimCommand, ClaimEvent, ClaimRefusal>, 'execute' | 'read'>;
  readonly accounts: Pick<Commands<Account, AccountCommand, AccountEvent, AccountRefusal>, 'execute' | 'read'>;
  readonly serviceTokens: Pick<
    Commands<ServiceTokenState, ServiceTokenCommand, ServiceTokenEvent, ServiceTokenRefusal>,
    'execute' | 'read'
  >;
  readonly invitations: On<Invitation, InvitationCommand, InvitationEvent, InvitationRefusal>;
  readonly staff: On<Staff, StaffCommand, StaffEvent, StaffRefusal>;
  readonly approvals: On<Approval, ApprovalCommand, ApprovalEvent, ApprovalRefusal>;
  readonly payments: Pick<Commands<Payment, PaymentCommand, PaymentEvent, PaymentRefusal>, 'execute'>;
  readonly adminToken: Pick<Commands<null, AdminTokenCommand, AdminTokenEvent, { readonly code: never }>, 'execute'>;
  readonly mails: Pick<MailCommands, 'execute' | 'read'>;
  readonly store: Pick<EventStore, 'readStream' | 'findEvent'>;
  readonly vault: Vault;
  /** Makes the sealed texts of an id unreadable for ever. May be repeated. */
  readonly destroyKey: (id: string) => Promise<void>;
  readonly identity: Identity;
  readonly identities: Identities;
  /** The ids of invitations to an account, or with null to the staff, that can still be accepted. */
  readonly openInvitations: (accountId: string | null) => Promise<readonly string[]>;
  /** Of the accounts that persons open themselves. */
  readonly newAccountLimits: AccountLimits;
  readonly randomBytes: RandomBytes;
  readonly now: () => Date;
  /** The address of the gateway, without a slash at the end. */
  readonly publicUrl: () => string;
  /** Runs work that an answer does not wait for, and that a stop of the gateway does. */
  readonly afterwards: (work: () => Promise<unknown>) => void;
};

/** The client of a request, as far as it is known. Only the network and the family of the browser are stored. */
export type Client = {
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
};

/** Too many attempts. */
export type Wait = { readonly kind: 'wait'; readonly retryAfterMs: number };

/** What a mail carried: the code, with the secret of the browser that asked for it; or the secret of its link. */
export type Proof =
  | { readonly code: string; readonly browserSecret: string }
  | { readonly linkSecret: string; readonly browserSecret?: string | undefined };

/** A code or a link was not accepted. */
export type NotRedeemed =
  | Wait
  | { readonly kind: 'wrong'; readonly triesLeft: number }
  | { readonly kind: 'expired' }
  | { readonly kind: 'used_up' };

/** The address in a sealed text of a person; undefined after an erasure. */
export const addressIn = async (
  { vault }: Pick<PeopleOptions, 'vault'>,
  personId: string,
  sealed: string,
): Promise<Address | undefined> => {
  const personal = await vault.open(personId, sealed);
  return personal && readAddress(personal.email);
};

/** The name and the address of a person; undefined before registration and after an erasure. */
export const personalOf = async (
  { vault }: Pick<PeopleOptions, 'vault'>,
  personId: string,
  { personal }: Person,
): Promise<PersonalData | undefined> => (personal === null ? undefined : vault.open(personId, personal));
