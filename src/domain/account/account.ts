import type { Credits } from '../money.ts';
import { evolveDuplicates, type Duplicates } from './holder/duplicates.ts';
import { evolveConduct, noConduct, type Conduct } from './conduct/conduct.ts';
import type { AccountEvent } from './events.ts';
import { evolveKeys, type Keys } from './keys.ts';
import { evolveMembers, type Members } from './holder/members.ts';
import { evolveStanding, unregistered, type Standing } from './standing.ts';
import { emptyTallies, evolveTallies, type Tallies } from './limits/tallies.ts';
import { evolveRefunds } from './refunds/evolve.ts';
import { emptyWallet, endGrants, evolveWallet, type Wallet } from './wallet.ts';

/** One state, decided on as a whole: a suspended or closed account, or one at a limit, cannot place one more request. */
export type Account = {
  readonly standing: Standing;
  readonly members: Members;
  readonly duplicates: Duplicates;
  readonly keys: Keys;
  readonly wallet: Wallet;
  readonly tallies: Tallies;
  readonly conduct: Conduct;
  /** Below this balance a mail is sent; null: never. */
  readonly lowBalance: Credits | null;
};

/** Raised whenever the same events fold to another state: snapshots of other versions are ignored. */
export const ACCOUNT_STATE_VERSION = 11;

export const initialAccount = (): Account => ({
  standing: unregistered,
  members: new Map(),
  duplicates: new Map(),
  keys: new Map(),
  wallet: emptyWallet(),
  tallies: emptyTallies(),
  conduct: noConduct(),
  lowBalance: null,
});

/** Changes the given state in place: see `Decider`. */
export const evolveAccount = (account: Account, event: AccountEvent): Account => {
  switch (event.type) {
    case 'AccountRegistered':
    case 'TermsAccepted':
    case 'AccountSuspended':
    case 'AccountReinstated':
    case 'ContactChanged':
    case 'PersonalDataErased':
      return { ...account, standing: evolveStanding(account.standing, event) };
    case 'AccountClosed':
      return { ...account, standing: evolveStanding(account.standing, event), wallet: endGrants(account.wallet) };
    case 'LowBalanceThresholdSet':
      return { ...account, lowBalance: event.amount };
    case 'BalanceBelowThreshold':
      return account;
    case 'KeyIssued':
      evolveTallies(account.tallies, event, account.wallet.holds);
      return { ...account, keys: evolveKeys(account.keys, event) };
    case 'MemberAdded':
    case 'MemberRoleChanged':
    case 'MemberRemoved':
      return { ...account, members: evolveMembers(account.members, event) };
    // Tokens are kept outside the log. These events are their evidence.
    case 'TokenCreated':
    case 'TokenRevoked':
      return account;
    case 'DuplicateSuspected':
    case 'DuplicateDismissed':
      return { ...account, duplicates: evolveDuplicates(account.duplicates, event) };
    case 'KeyRehashed':
    case 'KeyRevoked':
    case 'KeyLeakReported':
      return { ...account, keys: evolveKeys(account.keys, event) };
    case 'KeyLimitsSet':
    case 'AccountLimitsSet':
      evolveTallies(account.tallies, event, account.wallet.holds);
      return account;
    case 'CreditsToppedUp':
    case 'CreditsReserved':
    case 'HoldExtended':
    case 'HoldSettled':
    case 'HoldReleased':
    case 'LateUsageCharged':
    case 'UsageWrittenOff':
    case 'LotExpired':
      evolveTallies(account.tallies, event, account.wallet.holds);
      evolveWallet(account.wallet, event);
      return account;
    case 'CreditsHeldForRefund':
    case 'RefundHoldReleased':
    case 'CreditsRefunded':
    case 'LotFrozen':
    case 'LotUnfrozen':
    case 'CreditsChargedBack':
    case 'ChargebackReversed':
    case 'CreditsForfeited':
    case 'CreditsWaived':
    case 'DebtIncurred':
    case 'DebtRepaid':
    case 'DebtWrittenOff':
    case 'ChargeReversed':
      evolveRefunds(account.wallet, event);
      return account;
    case 'NoticeQueued':
    case 'NoticeAnswered':
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
    case 'ViolationRecorded':
    case 'AccountTerminated':
    case 'ContactNoted':
    case 'ContactAnswerNoted':
      return { ...account, conduct: evolveConduct(account.conduct, event, account.members) };
  }
};

export const accountStream = (accountId: string): string => `account-${accountId}`;

/** The account of a stream; undefined for streams of other kinds. */
export const accountOfStream = (stream: string): string | undefined =>
  stream.startsWith('account-') ? stream.slice('account-'.length) : undefined;
