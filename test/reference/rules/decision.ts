import type { ConductEvent, ContactNote, NoticeEvent } from '../../../src/domain/account/conduct/events.ts';
import type { AccountRefusal } from '../../../src/domain/account/decide.ts';
import type { AccountEvent, SuspensionCause } from '../../../src/domain/account/events.ts';
import { isMoneyEvent, enter, type MoneyEvent } from '../money-entries.ts';
import { isSuspendedFor, openDebtOf, type MoneyBooks, type Of } from '../money-books.ts';

/** The part of a command's event that concerns money, names or standing. */
export type Effect =
  | MoneyEvent
  | Of<'AccountRegistered', 'holder' | 'personal'>
  | Of<'TermsAccepted', 'version' | 'how' | 'notice'>
  | ConductEvent
  | NoticeEvent
  | ContactNote
  | Of<'PersonalDataErased', 'reason'>
  | Of<'KeyIssued' | 'KeyRehashed', 'keyId' | 'pepperId'>
  | Of<'KeyRevoked', 'keyId'>
  | Of<'KeyLimitsSet' | 'AccountLimitsSet', 'keyId' | 'limits'>
  | Of<'LowBalanceThresholdSet' | 'BalanceBelowThreshold', 'amount' | 'balance' | 'threshold'>
  | Of<'UsageWrittenOff', 'requestId' | 'amount' | 'beyond'>;

/** The expected outcome of a command: events (none if nothing changes), or a refusal. */
export type Verdict = { readonly effects: readonly Effect[] } | { readonly refusal: AccountRefusal };

export const refused = (code: AccountRefusal['code']): Verdict => ({ refusal: { code } });
/** With each kind of cause once, in the order in which they came. */
export const refusedAsSuspended = ({ suspensions }: MoneyBooks): Verdict => ({
  refusal: { code: 'account_suspended', causes: [...new Set(suspensions.map(({ kind }) => kind))] },
});
export const happens = (...effects: Effect[]): Verdict => ({ effects });

/** The events of one command so far, and the books after them. */
export type Decision = { readonly books: MoneyBooks; readonly effects: Effect[] };

/** The given books stay as they are. */
export const begin = (books: MoneyBooks): Decision => ({ books: structuredClone(books), effects: [] });

export const write = ({ books, effects }: Decision, ...events: readonly Effect[]): void => {
  for (const event of events) {
    effects.push(event);
    if (isMoneyEvent(event)) enter(books, event);
  }
};

export const suspend = (decision: Decision, cause: SuspensionCause, reason: string): void => {
  const { books } = decision;
  if (!books.closed && !isSuspendedFor(books, cause)) write(decision, { type: 'AccountSuspended', reason, cause });
};

export const lift = (decision: Decision, cause: SuspensionCause, reason: string): void => {
  const { books } = decision;
  if (!books.closed && isSuspendedFor(books, cause)) write(decision, { type: 'AccountReinstated', reason, cause });
};

/** What credits of a lot cannot cover because they were used. */
export const incur = (
  decision: Decision,
  debt: Pick<Extract<AccountEvent, { type: 'DebtIncurred' }>, 'lotId' | 'amount' | 'cause' | 'reference'>,
): void => {
  if (debt.amount === 0n) return;
  write(decision, { type: 'DebtIncurred', ...debt });
  suspend(decision, { kind: 'debt' }, 'credits that were used have been refunded');
};

export const liftIfNothingIsOwed = (decision: Decision): void => {
  if (openDebtOf(decision.books) === 0n) lift(decision, { kind: 'debt' }, 'debt repaid');
};
