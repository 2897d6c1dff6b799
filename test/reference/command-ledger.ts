import { isDeepStrictEqual } from 'node:util';
import type { CommandOf } from '../../src/domain/account/commands.ts';
import type { AccountCommand } from '../../src/domain/account/decide.ts';
import type { Limits } from '../../src/domain/account/limits/limits.ts';
import { openLimitBooks } from './limit-books.ts';
import { balanceOf, isSuspendedFor, openDebtOf, openMoneyBooks } from './money-books.ts';
import { enter, isMoneyEvent } from './money-entries.ts';
import { close, erase } from './rules/closing.ts';
import { changeConduct, noteConduct, openConduct } from './rules/conduct.ts';
import { topUp, writeOffDebt } from './rules/debts.ts';
import {
  begin,
  happens,
  lift,
  refused,
  refusedAsSuspended,
  suspend,
  write,
  type Effect,
  type Verdict,
} from './rules/decision.ts';
import { freezeLot, recordChargeback, reverseChargeback, unfreezeLot } from './rules/disputes.ts';
import { endPaid, expireLots } from './rules/endings.ts';
import { chargeLate, extend, releaseHold, reserve, settle, writeOffLate } from './rules/holds.ts';
import type { Ledger } from './rules/ledger.ts';
import { holdForRefund, recordRefund, releaseRefundHold } from './rules/refunds.ts';
import { reverseCharge } from './rules/reversals.ts';
import { tokensOf } from './usage-cost.ts';

export type { Effect, Verdict } from './rules/decision.ts';
export type { Ledger } from './rules/ledger.ts';

/**
 * A second, deliberately simple implementation of one account that shares no code with the domain's deciders. It
 * receives commands one after another, in the order of the log, and returns the only events or refusal that are right.
 * audit-history.ts checks promises of events alone. Both share the books of money and limits, and usage-cost.ts.
 */
export const openLedger = (): Ledger => ({
  registered: false,
  erased: false,
  terms: undefined,
  keys: new Map(),
  hashed: new Set(),
  money: openMoneyBooks(),
  writtenOff: 0n,
  threshold: null,
  limits: openLimitBooks(),
  conduct: openConduct(),
});

/** The expected outcome of a command now. Changes nothing. */
export const ask = (ledger: Ledger, command: AccountCommand): Verdict => {
  const verdict = verdictOf(ledger, command);
  const { threshold, money } = ledger;
  if (threshold === null || 'refusal' in verdict || verdict.effects.length === 0) return verdict;
  const after = begin(money);
  write(after, ...verdict.effects);
  const balance = balanceOf(after.books);
  if (after.books.closed || balance >= threshold || balanceOf(money) < threshold) return verdict;
  return happens(...verdict.effects, { type: 'BalanceBelowThreshold', balance, threshold });
};

/** Executes a command if it is accepted, and returns the outcome. */
export const carryOut = (ledger: Ledger, command: AccountCommand): Verdict => {
  const verdict = ask(ledger, command);
  for (const effect of 'effects' in verdict ? verdict.effects : []) change(ledger, effect);
  return verdict;
};

const verdictOf = (ledger: Ledger, command: AccountCommand): Verdict => {
  const { money } = ledger;
  if (command.type === 'RegisterAccount') {
    if (ledger.registered) return refused('account_exists');
    if (command.holder === 'person' && !command.adult) return refused('under_age');
    return happens({ type: 'AccountRegistered', holder: command.holder, personal: command.personal });
  }
  if (!ledger.registered) return refused('account_not_found');
  switch (command.type) {
    case 'AcceptTerms':
      if (money.closed) return refused('account_closed');
      return ledger.terms === command.version
        ? happens()
        : happens({ type: 'TermsAccepted', version: command.version, how: command.how });
    case 'SuspendAccount':
    case 'ReinstateAccount':
      return changeStanding(ledger, command);
    case 'CloseAccount':
      return close(ledger, command);
    case 'ErasePersonalData':
      return erase(ledger, command);
    case 'IssueKey':
    case 'RehashKey':
    case 'RevokeKey':
      return changeKey(ledger, command);
    case 'ReportKeyLeak':
    case 'ChangeContact':
    case 'AddMember':
    case 'ChangeMemberRole':
    case 'RemoveMember':
    case 'SuspectDuplicate':
    case 'DismissDuplicate':
    case 'CreateToken':
    case 'RevokeToken':
      throw new Error(`The histories have no ${command.type}.`);
    case 'QueueNotice':
    case 'AnswerNotice':
    case 'AuthorizeResale':
    case 'EndResaleAuthorization':
    case 'RecordViolation':
    case 'NoteContact':
    case 'NoteContactAnswer':
      return changeConduct(ledger, command);
    case 'SetKeyLimits':
    case 'SetAccountLimits':
    case 'SetLowBalanceThreshold':
      return setLimit(ledger, command);
    case 'ReserveCredits':
      return reserve(ledger, command);
    case 'ExtendHold':
      return extend(ledger, command);
    case 'ReleaseHold':
      return releaseHold(ledger, command);
    case 'SettleHold':
      return settle(ledger, command);
    case 'ChargeLateUsage':
      return chargeLate(ledger, command);
    case 'WriteOffLateUsage':
      return writeOffLate(ledger, command);
    case 'TopUp':
      return topUp(money, command);
    case 'ExpireLots':
      return expireLots(money, command);
    case 'HoldForRefund':
      return holdForRefund(money, command);
    case 'ReleaseRefundHold':
      return releaseRefundHold(money, command);
    case 'RecordRefund':
      return recordRefund(money, command);
    case 'FreezeLot':
      return freezeLot(money, command);
    case 'UnfreezeLot':
      return unfreezeLot(money, command);
    case 'RecordChargeback':
      return recordChargeback(money, command);
    case 'ReverseChargeback':
      return reverseChargeback(money, command);
    case 'WriteOffDebt':
      return writeOffDebt(money, command);
    case 'ReverseCharge':
      return reverseCharge(money, command);
    case 'ForfeitCredits':
      if (money.closed && !ledger.conduct.terminated) return refused('account_not_terminated');
      return endPaid(money, 'forfeited');
    case 'WaiveCredits':
      return endPaid(money, 'waived', command.lotId, command.below);
  }
};

const changeStanding = ({ money }: Ledger, command: CommandOf<'SuspendAccount' | 'ReinstateAccount'>): Verdict => {
  const cause = command.type === 'ReinstateAccount' ? (command.cause ?? STAFF) : STAFF;
  if (money.closed) return refused('account_closed');
  const decision = begin(money);
  if (command.type === 'SuspendAccount') {
    if (!isSuspendedFor(money, STAFF)) suspend(decision, STAFF, command.reason);
    return happens(...decision.effects);
  }
  if (!isSuspendedFor(money, cause)) return refused('account_not_suspended');
  if (cause.kind === 'debt' && openDebtOf(money) > 0n) return refused('debt_open');
  lift(decision, cause, command.reason);
  return happens(...decision.effects);
};
const STAFF = { kind: 'staff' } as const;

const changeKey = (ledger: Ledger, command: CommandOf<'IssueKey' | 'RehashKey' | 'RevokeKey'>): Verdict => {
  const { keys, money, terms, hashed } = ledger;
  const { keyId } = command;
  if (command.type === 'IssueKey') {
    if (money.closed) return refused('account_closed');
    if (money.suspensions.length > 0) return refusedAsSuspended(money);
    if (terms === undefined) return refused('terms_not_accepted');
    if (keys.has(keyId)) return happens();
    if ([...keys.values()].filter(Boolean).length >= 500) return refused('too_many_keys');
    return happens({ type: 'KeyIssued', keyId, pepperId: command.pepperId });
  }
  if (!keys.has(keyId)) return refused('key_not_found');
  if (command.type === 'RevokeKey') return keys.get(keyId) ? happens({ type: 'KeyRevoked', keyId }) : happens();
  if (!keys.get(keyId)) return refused('key_revoked');
  const { pepperId } = command;
  return hashed.has(`${keyId} ${pepperId}`) ? happens() : happens({ type: 'KeyRehashed', keyId, pepperId });
};

const setLimit = (
  { keys, limits, threshold }: Ledger,
  command: CommandOf<'SetKeyLimits' | 'SetAccountLimits' | 'SetLowBalanceThreshold'>,
): Verdict => {
  switch (command.type) {
    case 'SetKeyLimits':
      if (!keys.has(command.keyId)) return refused('key_not_found');
      if (sameLimits(command.limits, limits.limitsOf(command.keyId))) return happens();
      return happens({ type: 'KeyLimitsSet', keyId: command.keyId, limits: command.limits });
    case 'SetAccountLimits':
      if (sameLimits(command.limits, limits.limitsOfAccount())) return happens();
      return happens({ type: 'AccountLimitsSet', limits: command.limits });
    case 'SetLowBalanceThreshold': {
      const { amount } = command;
      if (amount !== null && amount <= 0n) return refused('invalid_amount');
      return amount === threshold ? happens() : happens({ type: 'LowBalanceThresholdSet', amount });
    }
  }
};

const change = (ledger: Ledger, effect: Effect): void => {
  const { keys, money, limits } = ledger;
  if (isMoneyEvent(effect)) enter(money, effect);
  noteConduct(ledger.conduct, effect);
  switch (effect.type) {
    case 'AccountRegistered':
      ledger.registered = true;
      break;
    case 'TermsAccepted':
      ledger.terms = effect.version;
      break;
    case 'PersonalDataErased':
      ledger.erased = true;
      break;
    case 'KeyIssued':
    case 'KeyRehashed':
      keys.set(effect.keyId, true);
      ledger.hashed.add(`${effect.keyId} ${effect.pepperId}`);
      break;
    case 'KeyRevoked':
      keys.set(effect.keyId, false);
      break;
    case 'KeyLimitsSet':
      limits.setKeyLimits(effect.keyId, effect.limits);
      break;
    case 'AccountLimitsSet':
      limits.setAccountLimits(effect.limits);
      break;
    case 'LowBalanceThresholdSet':
      ledger.threshold = effect.amount;
      break;
    case 'CreditsReserved': {
      const { requestId, keyId, amount, request, at } = effect;
      const tokens = request.inputTokensBound + request.outputTokensBound;
      limits.reserve({ requestId, keyId, at, held: amount, tokens });
      break;
    }
    case 'HoldExtended':
      limits.extend(effect.requestId, effect.by, effect.at, effect.tokens);
      break;
    case 'HoldReleased':
      limits.end(effect.requestId, 0n, 0);
      break;
    case 'HoldSettled':
      limits.end(effect.requestId, effect.charged, tokensOf(effect.usage));
      break;
    case 'LateUsageCharged': {
      const { requestId, keyId, at, charged: spent, usage } = effect;
      limits.late({ requestId, keyId, at, spent, tokens: tokensOf(usage) });
      break;
    }
    case 'UsageWrittenOff':
      ledger.writtenOff += effect.amount;
      break;
    case 'BalanceBelowThreshold':
    case 'AccountSuspended':
    case 'AccountReinstated':
    case 'AccountClosed':
    case 'CreditsToppedUp':
    case 'LotExpired':
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
    case 'NoticeQueued':
    case 'NoticeAnswered':
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
    case 'ViolationRecorded':
    case 'AccountTerminated':
    case 'ContactNoted':
    case 'ContactAnswerNoted':
      break;
  }
};

const sameLimits = (one: Limits, other: Limits): boolean => {
  const plain = ({ spending = {}, models, ...most }: Limits) => [most, { ...spending }, models && [...models].sort()];
  return isDeepStrictEqual(plain(one), plain(other));
};
