import type { AccountEvent } from '../../../src/domain/account/events.ts';
import type { MoneyBooks } from '../money-books.ts';

/** One kind of promise. It is asked about each event with the books before it, and with the books after it. */
export type Auditor = {
  readonly before?: (event: AccountEvent) => void;
  readonly after?: (event: AccountEvent) => void;
  readonly end?: () => void;
};

export type Audited = {
  /** Change with each event. */
  readonly books: MoneyBooks;
  /** Throws unless the promise is kept. */
  readonly check: (kept: boolean, what: string) => void;
  /** A promise about the next event; undefined at the end of the history. */
  readonly expectNext: (what: string, isKept: (next: AccountEvent | undefined) => boolean) => void;
};

export type EventOf<Type extends AccountEvent['type']> = Extract<AccountEvent, { type: Type }>;

/** What a command leads to after its first event. The command may also begin with most of these. */
const followers = new Set<AccountEvent['type']>([
  ...(['UsageWrittenOff', 'LotExpired', 'RefundHoldReleased', 'CreditsRefunded', 'CreditsChargedBack'] as const),
  ...(['LotFrozen', 'LotUnfrozen', 'CreditsForfeited', 'CreditsWaived', 'DebtIncurred', 'DebtRepaid'] as const),
  ...(['AccountSuspended', 'AccountReinstated', 'BalanceBelowThreshold'] as const),
]);
export const mayFollow = ({ type }: AccountEvent): boolean => followers.has(type);
