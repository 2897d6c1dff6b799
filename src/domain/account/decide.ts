import { accept, type Decider } from '../decider.ts';
import { evolveAccount, initialAccount, type Account } from './account.ts';
import { closeAccount, erasePersonalData, isRefusedOnceClosed } from './closing.ts';
import { acceptByUse } from './conduct/acceptance.ts';
import {
  answerNotice,
  authorizeResale,
  endResaleAuthorization,
  noteContact,
  noteContactAnswer,
  queueNotice,
  recordViolation,
} from './conduct/decide.ts';
import type { AccountCommand, AccountDecision, AccountRefusal, CommandOf } from './commands.ts';
import type { AccountEvent, SuspensionCause } from './events.ts';
import { dismissDuplicate, suspectDuplicate } from './holder/duplicates.ts';
import { chargeLateUsage, extendHold, releaseHold, settleHold, writeOffLateUsage } from './holds.ts';
import { isReplaced, MAX_KEYS, MAX_LIVE_KEYS } from './keys.ts';
import { noticeLowBalance, setLowBalanceThreshold } from './low-balance.ts';
import { addMember, changeMemberRole, createToken, removeMember } from './holder/members.ts';
import { areValid, earliestEnd, limitNothing, meanTheSame, type Limits } from './limits/limits.ts';
import { no, refuseSuspended, reserve } from './reserve.ts';
import { writeOffDebt, topUp } from './refunds/debt-commands.ts';
import { freezeLot, recordChargeback, reverseChargeback, unfreezeLot } from './refunds/disputes.ts';
import { afterExpiry, expireLots, forfeitCredits, waiveCredits } from './refunds/endings.ts';
import { holdForRefund, recordRefund, releaseRefundHold } from './refunds/refunds.ts';
import { reverseCharge } from './refunds/reversal.ts';
import { isSuspendedFor, type Standing } from './standing.ts';
import { openDebt } from './wallet.ts';

export { refusalCodes, type AccountCommand, type AccountRefusal, type ReserveCredits } from './commands.ts';

const STAFF: SuspensionCause = { kind: 'staff' };

export const decideAccount = (command: AccountCommand, account: Account): AccountDecision =>
  noticeLowBalance(acceptByUse(afterExpiry(command, account, decide), command, account), account);

const decide = (command: AccountCommand, account: Account): AccountDecision => {
  const { standing } = account;
  if (command.type === 'RegisterAccount') return register(command, standing);
  if (standing.status === 'unregistered') return no('account_not_found');
  if (standing.status === 'closed' && isRefusedOnceClosed(command)) return no('account_closed');

  switch (command.type) {
    case 'AcceptTerms': {
      const { version, how } = command;
      return standing.termsVersion === version ? accept() : accept({ type: 'TermsAccepted', version, how });
    }
    case 'SuspendAccount':
      if (isSuspendedFor(standing, STAFF)) return accept();
      return accept({ type: 'AccountSuspended', reason: command.reason, cause: STAFF });
    case 'ReinstateAccount': {
      const { reason, cause = STAFF } = command;
      if (!isSuspendedFor(standing, cause)) return no('account_not_suspended');
      if (cause.kind === 'debt' && openDebt(account.wallet) > 0n) return no('debt_open');
      return accept({ type: 'AccountReinstated', reason, cause });
    }
    case 'CloseAccount':
      return closeAccount(command, account);
    case 'ErasePersonalData':
      return erasePersonalData(command, account);
    case 'ChangeContact':
      if (standing.erased) return no('personal_data_erased');
      if (command.from !== standing.registration?.personal) return no('contact_changed');
      return accept({ type: 'ContactChanged', personal: command.personal });
    case 'AddMember':
      return addMember(command, account.members, standing.registration?.holder);
    case 'ChangeMemberRole':
      return changeMemberRole(command, account.members);
    case 'RemoveMember':
      return removeMember(command, account.members);
    case 'CreateToken':
      return createToken(command, account.members);
    case 'RevokeToken':
      return accept({ type: 'TokenRevoked', tokenId: command.tokenId, reason: command.reason });
    case 'SuspectDuplicate':
      return suspectDuplicate(command, account.duplicates);
    case 'DismissDuplicate':
      return dismissDuplicate(command, account.duplicates);
    case 'IssueKey':
      return issueKey(command, account);
    case 'RehashKey':
      return rehashKey(command, account);
    case 'RevokeKey':
      return revokeKey(command, account);
    case 'ReportKeyLeak':
      return reportKeyLeak(command, account);
    case 'SetKeyLimits':
      return setKeyLimits(command, account);
    case 'SetAccountLimits':
      return setAccountLimits(command, account);
    case 'SetLowBalanceThreshold':
      return setLowBalanceThreshold(command, account);
    case 'TopUp':
      return topUp(command, account);
    case 'HoldForRefund':
      return holdForRefund(command, account);
    case 'ReleaseRefundHold':
      return releaseRefundHold(command, account);
    case 'RecordRefund':
      return recordRefund(command, account);
    case 'FreezeLot':
      return freezeLot(command, account);
    case 'UnfreezeLot':
      return unfreezeLot(command, account);
    case 'RecordChargeback':
      return recordChargeback(command, account);
    case 'ReverseChargeback':
      return reverseChargeback(command, account);
    case 'WriteOffDebt':
      return writeOffDebt(command, account);
    case 'ReverseCharge':
      return reverseCharge(command, account);
    case 'ForfeitCredits':
      return forfeitCredits(command, account);
    case 'WaiveCredits':
      return waiveCredits(command, account);
    case 'ExpireLots':
      return expireLots(command, account);
    case 'QueueNotice':
      return queueNotice(command, account);
    case 'AnswerNotice':
      return answerNotice(command, account);
    case 'AuthorizeResale':
      return authorizeResale(command, account);
    case 'EndResaleAuthorization':
      return endResaleAuthorization(command, account);
    case 'RecordViolation':
      return recordViolation(command, account);
    case 'NoteContact':
      return noteContact(command, account);
    case 'NoteContactAnswer':
      return noteContactAnswer(command, account);
    case 'ReserveCredits':
      return reserve(command, account);
    case 'ExtendHold':
      return extendHold(command, account);
    case 'SettleHold':
      return settleHold(command, account);
    case 'ReleaseHold':
      return releaseHold(command, account);
    case 'ChargeLateUsage':
      return chargeLateUsage(command, account);
    case 'WriteOffLateUsage':
      return writeOffLateUsage(command, account.wallet);
  }
};

const register = (
  { holder, personal, adult, owner, limits = {} }: CommandOf<'RegisterAccount'>,
  standing: Standing,
): AccountDecision => {
  if (standing.status !== 'unregistered') return no('account_exists');
  if (holder === 'person' && !adult) return no('under_age');
  if (!areValid(limits)) return no('invalid_limits');
  return accept<AccountEvent>(
    { type: 'AccountRegistered', holder, personal },
    ...(owner === undefined ? [] : [{ type: 'MemberAdded' as const, personId: owner, role: 'owner' as const }]),
    ...(limitNothing(limits) ? [] : [{ type: 'AccountLimitsSet' as const, limits }]),
  );
};

const issueKey = (command: CommandOf<'IssueKey'>, account: Account): AccountDecision => {
  const { standing, keys, tallies } = account;
  const { keyId, name, hash, pepperId, hint, replaces } = command;
  if (standing.status === 'suspended') return refuseSuspended(standing);
  if (standing.termsVersion === null) return no('terms_not_accepted');
  if (keys.has(keyId)) return accept();
  const before = replaces === undefined ? undefined : keys.get(replaces);
  if (replaces !== undefined && !before) return no('key_not_found');
  if (replaces !== undefined && isReplaced(keys, replaces)) return no('key_already_replaced');
  const at = command.at ?? 0;
  const isRevokedNow = replaces !== undefined && command.overlapUntil === undefined;
  const live = liveKeys(account, at).filter((one) => !isRevokedNow || one !== replaces).length;
  if (keys.size >= MAX_KEYS || live >= MAX_LIVE_KEYS) return no('too_many_keys');
  const inherited = replaces === undefined ? {} : (tallies.keys.get(replaces)?.limits ?? {});
  // An end that is over would refuse the new key at once.
  const { expiresAt: end, ...others } = inherited;
  const limits = command.limits ?? (end !== undefined && Date.parse(end) <= at ? others : inherited);
  const ending = replaces === undefined || before?.revoked !== false ? [] : endReplaced(command, replaces, inherited);
  if (!areValid(limits) || !ending.every(hasValidLimits)) return no('invalid_limits');
  const issued = { type: 'KeyIssued' as const, keyId, name, hash, pepperId, hint };
  return accept<AccountEvent>(
    replaces === undefined ? issued : { ...issued, replaces },
    ...(limitNothing(limits) ? [] : [{ type: 'KeyLimitsSet' as const, keyId, limits }]),
    ...ending,
  );
};

/** Keys that are neither revoked nor expired. */
const liveKeys = ({ keys, tallies }: Account, at: number): readonly string[] =>
  [...keys].flatMap(([keyId, { revoked }]) => {
    const expiresAt = tallies.keys.get(keyId)?.limits?.expiresAt;
    return !revoked && (expiresAt === undefined || Date.parse(expiresAt) > at) ? [keyId] : [];
  });

/** Ends a live key that is replaced: at once, or after the overlap. */
const endReplaced = (
  { keyId, overlapUntil }: CommandOf<'IssueKey'>,
  replaced: string,
  limits: Limits,
): readonly AccountEvent[] => {
  if (overlapUntil === undefined) return [{ type: 'KeyRevoked', keyId: replaced, reason: `replaced by ${keyId}` }];
  const ended = { ...limits, expiresAt: earliestEnd(limits.expiresAt, overlapUntil) };
  return [{ type: 'KeyLimitsSet', keyId: replaced, limits: ended }];
};

const hasValidLimits = (event: AccountEvent): boolean => event.type !== 'KeyLimitsSet' || areValid(event.limits);

const rehashKey = ({ keyId, hash, pepperId }: CommandOf<'RehashKey'>, { keys }: Account): AccountDecision => {
  const key = keys.get(keyId);
  if (!key) return no('key_not_found');
  if (key.revoked) return no('key_revoked');
  // Several nodes may see the key in use. The first one writes the event.
  return key.pepperIds.includes(pepperId) ? accept() : accept({ type: 'KeyRehashed', keyId, hash, pepperId });
};

const revokeKey = ({ keyId, reason }: CommandOf<'RevokeKey'>, { keys }: Account): AccountDecision => {
  const key = keys.get(keyId);
  if (!key) return no('key_not_found');
  return key.revoked ? accept() : accept({ type: 'KeyRevoked', keyId, reason });
};

const reportKeyLeak = ({ keyId, since }: CommandOf<'ReportKeyLeak'>, { keys }: Account): AccountDecision => {
  const key = keys.get(keyId);
  if (!key) return no('key_not_found');
  if (!key.revoked) return no('key_not_revoked');
  return key.leaked === true ? accept() : accept({ type: 'KeyLeakReported', keyId, since });
};

const setKeyLimits = ({ keyId, limits }: CommandOf<'SetKeyLimits'>, { keys, tallies }: Account): AccountDecision => {
  if (!keys.has(keyId)) return no('key_not_found');
  // Limits without its end would give a replaced key a longer life. Its usage counts against the limits of the new key.
  if (isReplaced(keys, keyId)) return no('key_already_replaced');
  if (!areValid(limits)) return no('invalid_limits');
  const same = meanTheSame(limits, tallies.keys.get(keyId)?.limits ?? {});
  return same ? accept() : accept({ type: 'KeyLimitsSet', keyId, limits });
};

const setAccountLimits = ({ limits }: CommandOf<'SetAccountLimits'>, { tallies }: Account): AccountDecision => {
  if (!areValid(limits) || 'expiresAt' in limits) return no('invalid_limits');
  const same = meanTheSame(limits, tallies.account.limits ?? {});
  return same ? accept() : accept({ type: 'AccountLimitsSet', limits });
};

export const accountDecider: Decider<Account, AccountCommand, AccountEvent, AccountRefusal> = {
  initial: initialAccount,
  evolve: evolveAccount,
  decide: decideAccount,
};
