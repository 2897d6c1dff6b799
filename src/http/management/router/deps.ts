import type { Account } from '../../../domain/account/account.ts';
import type { AccountCommand, AccountRefusal } from '../../../domain/account/decide.ts';
import type { AccountEvent } from '../../../domain/account/events.ts';
import type { Staff } from '../../../domain/identity/staff.ts';
import type { Credits } from '../../../domain/money.ts';
import type { ClaimCommand, ClaimEvent, ClaimRefusal, Claims } from '../../../domain/identity/claims.ts';
import type { PersonCommand, PersonRefusal } from '../../../domain/identity/person-commands.ts';
import type { PersonEvent } from '../../../domain/identity/person-events.ts';
import type { Person } from '../../../domain/identity/person.ts';
import type { AttemptLimits } from '../../../identity/attempt-limits.ts';
import type { Sessions } from '../../../identity/sessions.ts';
import type { Tokens } from '../../../identity/tokens.ts';
import type { People } from '../../../people/people.ts';
import type { PriceCommand, PriceRefusal } from '../../../domain/prices/decide.ts';
import type { PriceEvent } from '../../../domain/prices/events.ts';
import type { PriceBook } from '../../../domain/prices/price-book.ts';
import type { CatalogueModel, Margin } from '../../../domain/prices/proposals.ts';
import type { Commands } from '../../../eventstore/commands.ts';
import type { CheckpointJson } from '../../../eventstore/integrity/checkpoint.ts';
import type { ChainedLog } from '../../../eventstore/chained-log.ts';
import type { Vault } from '../../../eventstore/journal/personal-data.ts';
import type { Moment } from '../../../eventstore/snapshots.ts';
import type { NewSecret } from '../../auth/api-keys.ts';
import type { FindHttpRequest } from '../requests/read-request.ts';
import type { Payments } from '../../../payments/payments.ts';
import type { PaymentCommands } from '../../../payments/payments-options.ts';
import type { Receipt, ReceiptFacts } from '../../../payments/receipt/receipt.ts';
import type { Duplicate } from '../../../projections/views/open-matters.ts';
import type { OpenPayments } from '../../../projections/views/open-payments.ts';
import type { FindCharges } from '../corrections/reverse-charge.ts';
import type { ListOwed } from '../accounts/list-owed.ts';
import type { FindNotices } from '../notices/routes.ts';
import type { ListSignals } from '../conduct/list-signals.ts';
import type { ListPayments } from '../payments/payments.ts';
import type { Refusals } from '../../../reactions/refusals.ts';
import type { ListRequests } from '../requests/list-requests.ts';
import type { Contacts } from '../../../people/contacting/contacts.ts';
import type { ContactList } from '../../../people/contacting/contacts-options.ts';
import type { Support } from '../../server/support.ts';
import type { TermsEvent } from '../../../domain/terms/events.ts';
import type { Terms, TermsCommand, TermsRefusal } from '../../../domain/terms/terms.ts';
import type { TermsTexts } from '../../../eventstore/journal/terms-texts.ts';
import type { FindProvider } from '../../price-views.ts';
import type { ListTerms } from '../../published-terms.ts';

/** The dependencies of the management API. */
export type ManagementDeps = {
  readonly commands: Pick<Commands<Account, AccountCommand, AccountEvent, AccountRefusal>, 'execute' | 'read'>;
  readonly personCommands: Pick<Commands<Person, PersonCommand, PersonEvent, PersonRefusal>, 'execute'>;
  readonly claimCommands: Pick<Commands<Claims, ClaimCommand, ClaimEvent, ClaimRefusal>, 'execute'>;
  readonly priceCommands: Pick<Commands<PriceBook, PriceCommand, PriceEvent, PriceRefusal>, 'execute' | 'read'>;
  readonly termsCommands: Pick<Commands<Terms, TermsCommand, TermsEvent, TermsRefusal>, 'execute' | 'read'>;
  readonly termsTexts: Pick<TermsTexts, 'store'>;
  readonly store: Pick<ChainedLog, 'readStream' | 'findEvent' | 'head'>;
  readonly vault: Vault;
  /** An account's stream as it was at a moment. */
  readonly foldAccount: (
    stream: string,
    until: Moment,
  ) => Promise<{ readonly state: Account; readonly revision: number }>;
  /** The price book of this node, which follows the log. */
  readonly priceBook: () => PriceBook;
  /** The models of the catalogue, and the margin of proposed prices over their cost. */
  readonly catalogue: { readonly models: readonly CatalogueModel[]; readonly margin: Margin };
  readonly findProvider: FindProvider;
  /** The newest signed head of the log; undefined before the first. */
  readonly newestCheckpoint: () => Promise<CheckpointJson | undefined>;
  /** The public half of the key that signs the log, as PEM. */
  readonly publicKey: string;
  readonly findHttpRequest: FindHttpRequest;
  readonly listRequests: ListRequests;
  readonly refusals: Pick<Refusals, 'ofAccount' | 'byRequest'>;
  /** The version of the document `terms` that is in force. */
  readonly termsInForce: () => string;
  /** The address at which clients reach the gateway, without a trailing slash. */
  readonly publicUrl: () => string;
  readonly support: () => Support;
  readonly publishedTerms: ListTerms;
  readonly createSecret: () => NewSecret;
  /** The owner of an API key by its text, under any accepted pepper. */
  readonly findKey: (secret: string) => { readonly accountId: string; readonly keyId: string } | undefined;
  /** Resolves once the look-ups of this node (keys, prices) have followed the log to a position. */
  readonly publishKey: (position: number) => Promise<void>;
  readonly people: People;
  readonly contacts: Contacts;
  /** Contacts with support. Includes everything acknowledged before the call. */
  readonly listContacts: () => Promise<Pick<ContactList, 'list'>>;
  readonly sessions: Pick<Sessions, 'find' | 'list'>;
  readonly tokens: Pick<Tokens, 'find'>;
  readonly attemptLimits: Pick<AttemptLimits, 'allow'>;
  /** The network of an IP address; undefined if there is none. */
  readonly networkOf: (address: string | undefined) => string | undefined;
  readonly readPerson: (personId: string) => Promise<Person>;
  readonly readStaff: () => Promise<Staff>;
  /** The open invitations to an account, or with null to the staff: their ids. */
  readonly openInvitations: (accountId: string | null) => Promise<readonly string[]>;
  /** The ids of the approvals that can still be given. */
  readonly waitingApprovals: () => Promise<readonly string[]>;
  /** Those that staff has not dismissed, the newest first. */
  readonly suspectedDuplicates: () => Promise<readonly Duplicate[]>;
  /** Larger grants need a second person. */
  readonly grantAlone: Credits;
  readonly payments: Payments;
  readonly paymentCommands: PaymentCommands;
  /** Whether payments by a partner of this name move no money. */
  readonly isSimulatedPartner: (name: string) => boolean;
  /** The payments of an account, the newest first. Includes everything acknowledged before the call. */
  readonly listPayments: ListPayments;
  readonly listOwed: ListOwed;
  /** What is under way with payments. Includes everything acknowledged before the call. */
  readonly openPayments: () => Promise<Pick<OpenPayments, 'refunds' | 'disputes' | 'quarantined'>>;
  readonly notices: FindNotices;
  readonly findGenerations: FindCharges;
  readonly signals: ListSignals;
  readonly receipts: {
    /** Undefined if nothing has been credited. */
    readonly of: (facts: ReceiptFacts) => Receipt | undefined;
    readonly pdf: (receipt: Receipt) => Promise<Uint8Array>;
  };
  /** What may be asked for. An unpaid payment expires after `payableMs`. */
  readonly topUps: {
    readonly least: Credits;
    readonly most: Credits;
    readonly presets: readonly Credits[];
    readonly payableMs: number;
  };
  /** Larger refunds need a second person. */
  readonly refundAlone: Credits;
  /** In production each use of the admin token is recorded, and the token has no privilege over persons. */
  readonly recordsAdminToken: boolean;
  /** KISSAPI_ADMIN_TOKEN. */
  readonly adminToken: string;
  /** A time-ordered UUID. */
  readonly newId: () => string;
  readonly now: () => Date;
};
