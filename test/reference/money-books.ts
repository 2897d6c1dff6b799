import type { AccountEvent, PinnedPrice, SuspensionCause } from '../../src/domain/account/events.ts';
import { beyondHolds } from './ended-lots.ts';
import { sum } from '../support/money.ts';

/** Why the free credits of a lot end, now and later. */
export type Ending = 'ended' | 'account_closed' | 'forfeited' | 'waived';

/** A refund or a chargeback that waits for credits that open holds may need. */
export type Awaited = {
  readonly of:
    | { readonly cause: 'refund'; readonly reference: string; readonly refundId: string | null }
    | { readonly cause: 'chargeback'; readonly reference: string };
  amount: bigint;
};

/** The sums of a lot since it came: what it lost and what it got back. */
export type Flows = Record<
  'used' | 'reversed' | 'repaid' | 'refunded' | 'chargedBack' | 'expired' | 'forfeited' | 'waived',
  bigint
>;

/** A lot, also after nothing is left of it. */
export type Lot = {
  readonly id: string;
  readonly amount: bigint;
  readonly isGrant: boolean;
  readonly endsAt: number | undefined;
  /** What is left of it: free, held for refunds (by refund id), frozen. */
  free: bigint;
  readonly refunds: Map<string, bigint>;
  frozen: bigint;
  /** The disputes that freeze it, the oldest first. */
  readonly open: Set<string>;
  /** Every dispute that froze it or was lost. */
  readonly disputes: Set<string>;
  ended: Ending | undefined;
  readonly awaited: Awaited[];
  /** By dispute: what chargebacks took. */
  readonly chargebacks: Map<string, { taken: bigint; reversed: boolean }>;
  readonly flows: Flows;
};

export type Debt = {
  readonly lotId: string;
  readonly cause: 'refund' | 'chargeback';
  readonly reference: string;
  open: bigint;
  /** The lots that repaid it, one entry for each repayment. */
  repaid: { readonly lotId: string; readonly amount: bigint }[];
  /** What reversals of charges took off it. */
  reversed: bigint;
};

export type Hold = {
  readonly amount: bigint;
  readonly keyId: string;
  readonly price: PinnedPrice;
  readonly at: number | undefined;
};

/**
 * The money of one account, kept as plainly as possible: every lot, debt and refund is remembered for ever, and every sum is
 * computed anew at each question. It borrows nothing from the domain. It is plain data, so that a copy can be tried out.
 */
export type MoneyBooks = {
  closed: boolean;
  readonly suspensions: SuspensionCause[];
  /** In order of age. */
  readonly lots: Lot[];
  readonly holds: Map<string, Hold>;
  /** In the order in which they were incurred. */
  readonly debts: Debt[];
  /** By generation: what was reversed of its charges. */
  readonly reversals: Map<string, bigint>;
};

export const openMoneyBooks = (): MoneyBooks => ({
  closed: false,
  suspensions: [],
  lots: [],
  holds: new Map(),
  debts: [],
  reversals: new Map(),
});

/** An id that came again after its first lot was used up means the newest lot. */
export const lotOf = ({ lots }: MoneyBooks, id: string): Lot | undefined => lots.findLast((lot) => lot.id === id);
export const paidLotOf = (books: MoneyBooks, id: string): Lot | undefined => {
  const lot = lotOf(books, id);
  return lot?.isGrant === false ? lot : undefined;
};

export const heldForRefund = ({ refunds }: Lot): bigint => sum(refunds.values());
export const remainingOf = (lot: Lot): bigint => lot.free + heldForRefund(lot) + lot.frozen;

export const balanceOf = ({ lots }: MoneyBooks): bigint => sum(lots.map(remainingOf));
export const heldOf = ({ holds }: MoneyBooks): bigint => sum([...holds.values()].map(({ amount }) => amount));
export const availableOf = (books: MoneyBooks): bigint => sum(books.lots.map(({ free }) => free)) - heldOf(books);

/** What a refund, a freeze or a chargeback may take of the free part of a lot. */
export const takableOf = (books: MoneyBooks, { free }: Lot): bigint => smaller(free, availableOf(books));

export const totalOf = ({ lots }: MoneyBooks, flow: keyof Flows): bigint => sum(lots.map(({ flows }) => flows[flow]));
export const toppedUpOf = ({ lots }: MoneyBooks): bigint => sum(lots.map(({ amount }) => amount));

export const openDebtOf = ({ debts }: MoneyBooks, lotId?: string): bigint =>
  sum(debts.map((debt) => (lotId === undefined || debt.lotId === lotId ? debt.open : 0n)));

/** Grants first, then by end, then by age. */
export const inPayOrder = (lots: readonly Lot[]): readonly Lot[] => {
  const ages = new Map(lots.map((lot, age) => [lot, age]));
  const key = (lot: Lot): readonly number[] => [lot.isGrant ? 0 : 1, lot.endsAt ?? Infinity, ages.get(lot) ?? 0];
  return lots.toSorted((a, b) => {
    const [one, other] = [key(a), key(b)];
    const differing = one.findIndex((part, n) => part !== other[n]);
    return differing === -1 ? 0 : (one[differing] ?? 0) < (other[differing] ?? 0) ? -1 : 1;
  });
};

/** The lots that pay a charge of a hold that was placed at a time. Those that had ended by then pay last. */
export const drawsOf = (books: MoneyBooks, amount: bigint, at: number | undefined) => {
  const hadEnded = ({ endsAt }: Lot): boolean => at !== undefined && endsAt !== undefined && endsAt <= at;
  const order = inPayOrder(books.lots);
  let due = amount;
  return [...order.filter((lot) => !hadEnded(lot)), ...order.filter(hadEnded)].flatMap(({ id, free }) => {
    const part = smaller(free, due);
    due -= part;
    return part > 0n ? [{ lotId: id, amount: part }] : [];
  });
};

/** The free credits of a lot that no open hold needs. */
export const excessOf = (books: MoneyBooks, lot: Lot): bigint => {
  const order = inPayOrder(books.lots);
  const excess = beyondHolds(
    order.map(({ free }) => free),
    heldOf(books),
  );
  return excess[order.indexOf(lot)] ?? 0n;
};

/** Why the free credits of a lot end, if they do. */
export const endingOf = ({ closed }: MoneyBooks, { ended, isGrant }: Lot): Ending | undefined =>
  ended ?? (closed && isGrant ? 'account_closed' : undefined);

export const isSuspendedFor = ({ suspensions }: MoneyBooks, cause: SuspensionCause): boolean =>
  suspensions.some((one) => sameCause(one, cause));

export const sameCause = (one: SuspensionCause, other: SuspensionCause): boolean =>
  one.kind === other.kind &&
  (one.kind === 'dispute' ? one.disputeId : '') === (other.kind === 'dispute' ? other.disputeId : '') &&
  (one.kind === 'violation' ? one.violationId : '') === (other.kind === 'violation' ? other.violationId : '');

export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Some fields of an event. */
export type Of<T extends AccountEvent['type'], Field extends string> = {
  [Each in T]: Pick<
    Extract<AccountEvent, { type: Each }>,
    Extract<Field | 'type', keyof Extract<AccountEvent, { type: Each }>>
  >;
}[T];
