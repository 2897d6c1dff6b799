import { accept } from '../decider.ts';
import type { Credits } from '../money.ts';
import type { Account } from './account.ts';
import type { AccountDecision, CommandOf } from './commands.ts';
import type { AccountEvent, Draw } from './events.ts';
import { no } from './reserve.ts';

export const setLowBalanceThreshold = (
  { amount }: CommandOf<'SetLowBalanceThreshold'>,
  { lowBalance }: Account,
): AccountDecision => {
  if (amount !== null && amount <= 0n) return no('invalid_amount');
  return amount === lowBalance ? accept() : accept({ type: 'LowBalanceThresholdSet', amount });
};

/**
 * Adds BalanceBelowThreshold to the decision by which the balance falls below the threshold. The next one comes only after the
 * balance has reached the threshold again. Holds do not count: most of a hold is released, so they would cause false alarms. A
 * closed account needs no credits.
 */
export const noticeLowBalance = (decision: AccountDecision, account: Account): AccountDecision => {
  const { lowBalance, wallet, standing } = account;
  if (lowBalance === null || decision.kind === 'refused' || wallet.balance < lowBalance) return decision;
  if (standing.status === 'closed' || decision.events.some(({ type }) => type === 'AccountClosed')) return decision;
  const balance = decision.events.reduce((sum, event) => sum + changeOf(event), wallet.balance);
  if (balance >= lowBalance) return decision;
  return accept<AccountEvent>(...decision.events, { type: 'BalanceBelowThreshold', balance, threshold: lowBalance });
};

/** What an event adds to the balance. */
const changeOf = (event: AccountEvent): Credits => {
  switch (event.type) {
    case 'CreditsToppedUp':
      return event.amount;
    case 'HoldSettled':
    case 'LateUsageCharged':
      return -event.charged;
    case 'LotExpired':
    case 'CreditsRefunded':
    case 'CreditsChargedBack':
    case 'CreditsForfeited':
    case 'CreditsWaived':
    case 'DebtRepaid':
      return -event.amount;
    case 'ChargebackReversed':
      return event.restored + event.reduced + sumOf(event.returned);
    case 'ChargeReversed':
      return sumOf(event.returned);
    case 'AccountRegistered':
    case 'TermsAccepted':
    case 'AccountSuspended':
    case 'AccountReinstated':
    case 'ContactChanged':
    case 'MemberAdded':
    case 'MemberRoleChanged':
    case 'MemberRemoved':
    case 'AccountClosed':
    case 'PersonalDataErased':
    case 'TokenCreated':
    case 'TokenRevoked':
    case 'DuplicateSuspected':
    case 'DuplicateDismissed':
    case 'KeyIssued':
    case 'KeyRehashed':
    case 'KeyRevoked':
    case 'KeyLeakReported':
    case 'KeyLimitsSet':
    case 'AccountLimitsSet':
    case 'LowBalanceThresholdSet':
    case 'BalanceBelowThreshold':
    case 'CreditsReserved':
    case 'HoldExtended':
    case 'HoldReleased':
    case 'UsageWrittenOff':
    case 'CreditsHeldForRefund':
    case 'RefundHoldReleased':
    case 'LotFrozen':
    case 'LotUnfrozen':
    case 'DebtIncurred':
    case 'DebtWrittenOff':
    case 'NoticeQueued':
    case 'NoticeAnswered':
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
    case 'ViolationRecorded':
    case 'AccountTerminated':
    case 'ContactNoted':
    case 'ContactAnswerNoted':
      return 0n;
  }
};

const sumOf = (draws: readonly Draw[]): Credits => draws.reduce((sum, { amount }) => sum + amount, 0n);
