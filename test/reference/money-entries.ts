import type { AccountEvent, Draw } from '../../src/domain/account/events.ts';
import {
  lotOf,
  sameCause,
  smaller,
  type Awaited,
  type Debt,
  type Ending,
  type Lot,
  type MoneyBooks,
  type Of,
} from './money-books.ts';

/** The fields of events that the books of money depend on. */
export type MoneyEvent =
  | Of<'AccountSuspended' | 'AccountReinstated', 'cause' | 'reason'>
  | Of<'AccountClosed', 'reason' | 'rest'>
  | Of<'CreditsToppedUp', 'lotId' | 'amount' | 'source' | 'endsAt'>
  | Of<'CreditsReserved', 'requestId' | 'amount' | 'keyId' | 'price' | 'request' | 'at'>
  | Of<'HoldExtended', 'requestId' | 'by' | 'at' | 'tokens'>
  | Of<'HoldReleased', 'requestId' | 'released'>
  | Of<'HoldSettled', 'requestId' | 'price' | 'usage' | 'cost' | 'charged' | 'held' | 'released' | 'drawn'>
  | Of<'LateUsageCharged', 'requestId' | 'keyId' | 'price' | 'usage' | 'at' | 'cost' | 'charged' | 'drawn'>
  | Of<'CreditsForfeited' | 'CreditsWaived', 'lotId' | 'amount'>
  | Extract<AccountEvent, { type: MovingType }>;
type MovingType =
  | 'LotExpired'
  | 'CreditsHeldForRefund'
  | 'RefundHoldReleased'
  | 'CreditsRefunded'
  | 'LotFrozen'
  | 'LotUnfrozen'
  | 'CreditsChargedBack'
  | 'ChargebackReversed'
  | 'DebtIncurred'
  | 'DebtRepaid'
  | 'DebtWrittenOff'
  | 'ChargeReversed';

const moving = new Set<string>([
  ...['AccountSuspended', 'AccountReinstated', 'AccountClosed', 'CreditsToppedUp', 'CreditsReserved', 'HoldExtended'],
  ...['HoldReleased', 'HoldSettled', 'LateUsageCharged', 'LotExpired', 'CreditsHeldForRefund', 'RefundHoldReleased'],
  ...['CreditsRefunded', 'LotFrozen', 'LotUnfrozen', 'CreditsChargedBack', 'ChargebackReversed', 'CreditsForfeited'],
  ...['CreditsWaived', 'DebtIncurred', 'DebtRepaid', 'DebtWrittenOff', 'ChargeReversed'],
]);
export const isMoneyEvent = (event: { readonly type: string }): event is MoneyEvent => moving.has(event.type);

/** Changes the books by an event that happened. It checks nothing. */
export const enter = (books: MoneyBooks, event: MoneyEvent): void => {
  switch (event.type) {
    case 'AccountSuspended':
      books.suspensions.push(event.cause);
      break;
    case 'AccountReinstated': {
      const lifted = books.suspensions.findIndex((one) => sameCause(one, event.cause));
      if (lifted !== -1) books.suspensions.splice(lifted, 1);
      break;
    }
    case 'AccountClosed':
      books.closed = true;
      break;
    case 'CreditsToppedUp':
      books.lots.push(newLot(event));
      break;
    case 'CreditsReserved': {
      const { requestId, amount, keyId, price, at } = event;
      books.holds.set(requestId, { amount, keyId, price, at });
      break;
    }
    case 'HoldExtended': {
      const hold = books.holds.get(event.requestId);
      if (hold) books.holds.set(event.requestId, { ...hold, amount: hold.amount + event.by });
      break;
    }
    case 'HoldReleased':
      books.holds.delete(event.requestId);
      break;
    case 'HoldSettled':
    case 'LateUsageCharged':
      books.holds.delete(event.requestId);
      for (const { lotId, amount } of event.drawn) {
        takeFree(books, lotId, 'used', amount);
      }
      break;
    case 'LotExpired':
      end(books, event, 'expired', event.reason);
      break;
    case 'CreditsForfeited':
      end(books, event, 'forfeited', 'forfeited');
      break;
    case 'CreditsWaived':
      end(books, event, 'waived', 'waived');
      break;
    case 'DebtIncurred': {
      const { lotId, cause, reference, amount } = event;
      books.debts.push({ lotId, cause, reference, open: amount, repaid: [], reversed: 0n });
      break;
    }
    case 'DebtRepaid':
      takeFree(books, event.from, 'repaid', event.amount);
      lower(books.debts, event, (debt, amount) => debt.repaid.push({ lotId: event.from, amount }));
      break;
    case 'DebtWrittenOff':
      lower(books.debts, event);
      break;
    case 'ChargeReversed': {
      const { requestId, amount, returned, debtReduced } = event;
      books.reversals.set(requestId, (books.reversals.get(requestId) ?? 0n) + amount);
      for (const part of debtReduced) lower(books.debts, part, (debt, amount) => (debt.reversed += amount));
      for (const part of returned) giveBack(books, part, 'reversed', part.amount);
      break;
    }
    case 'CreditsHeldForRefund':
    case 'RefundHoldReleased':
    case 'CreditsRefunded':
    case 'LotFrozen':
    case 'LotUnfrozen':
    case 'CreditsChargedBack':
    case 'ChargebackReversed':
      enterOfLot(books, event);
      break;
  }
};

type OfLot = Extract<
  MoneyEvent,
  {
    type:
      | 'CreditsHeldForRefund'
      | 'RefundHoldReleased'
      | 'CreditsRefunded'
      | 'LotFrozen'
      | 'LotUnfrozen'
      | 'CreditsChargedBack'
      | 'ChargebackReversed';
  }
>;

/** Refunds and disputes: they concern the parts of one lot. */
const enterOfLot = (books: MoneyBooks, event: OfLot): void => {
  const lot = lotOf(books, event.lotId);
  if (!lot) return;
  switch (event.type) {
    case 'CreditsHeldForRefund':
      lot.free -= event.amount;
      lot.refunds.set(event.refundId, event.amount);
      break;
    case 'RefundHoldReleased':
      lot.refunds.delete(event.refundId);
      lot.free += event.amount;
      break;
    case 'CreditsRefunded': {
      const { reference, refundId, amount, awaited } = event;
      // Only its first event takes what is held for it. Later ones take what holds did not use.
      const isFirst = setAwaited(lot, { cause: 'refund', reference, refundId }, awaited);
      const ofHold = isFirst && refundId !== null ? takeHeld(lot, refundId, amount) : 0n;
      lot.flows.refunded += amount;
      takeFrozenFirst(lot, amount - ofHold);
      break;
    }
    case 'LotFrozen':
      lot.free -= event.amount;
      lot.frozen += event.amount;
      lot.open.add(event.disputeId);
      lot.disputes.add(event.disputeId);
      break;
    case 'LotUnfrozen':
      lot.frozen -= event.amount;
      lot.free += event.amount;
      lot.open.delete(event.disputeId);
      break;
    case 'CreditsChargedBack': {
      const { disputeId, amount, awaited } = event;
      setAwaited(lot, { cause: 'chargeback', reference: disputeId }, awaited);
      takeFrozenFirst(lot, amount);
      lot.flows.chargedBack += amount;
      const taken = lot.chargebacks.get(disputeId)?.taken ?? 0n;
      lot.chargebacks.set(disputeId, { taken: taken + amount, reversed: false });
      lot.open.delete(disputeId);
      lot.disputes.add(disputeId);
      break;
    }
    case 'ChargebackReversed':
      reverseChargeback(books, lot, event);
      break;
  }
};

const newLot = ({ lotId, amount, source, endsAt }: Extract<MoneyEvent, { type: 'CreditsToppedUp' }>): Lot => ({
  id: lotId,
  amount,
  isGrant: source.kind === 'grant',
  endsAt,
  free: amount,
  refunds: new Map(),
  frozen: 0n,
  open: new Set(),
  disputes: new Set(),
  ended: undefined,
  awaited: [],
  chargebacks: new Map(),
  flows: {
    ...{ used: 0n, reversed: 0n, repaid: 0n, refunded: 0n },
    ...{ chargedBack: 0n, expired: 0n, forfeited: 0n, waived: 0n },
  },
});

const takeFree = (books: MoneyBooks, lotId: string, flow: 'used' | 'repaid', amount: bigint): void => {
  const lot = lotOf(books, lotId);
  if (!lot) return;
  lot.free -= amount;
  lot.flows[flow] += amount;
};

const end = (
  books: MoneyBooks,
  { lotId, amount }: Draw,
  flow: 'expired' | 'forfeited' | 'waived',
  ending: Ending,
): void => {
  const lot = lotOf(books, lotId);
  if (!lot) return;
  lot.free -= amount;
  lot.flows[flow] += amount;
  lot.ended = ending;
};

/** `by` counts in the flow: a reversal adds to what came back, and takes from what was repaid. */
const giveBack = (books: MoneyBooks, { lotId, amount }: Draw, flow: 'reversed' | 'repaid', by: bigint): void => {
  const lot = lotOf(books, lotId);
  if (!lot) return;
  lot.free += amount;
  lot.flows[flow] += by;
};

const takeHeld = (lot: Lot, refundId: string, amount: bigint): bigint => {
  const held = lot.refunds.get(refundId) ?? 0n;
  const part = smaller(held, amount);
  if (part === held) lot.refunds.delete(refundId);
  else lot.refunds.set(refundId, held - part);
  return part;
};

const takeFrozenFirst = (lot: Lot, amount: bigint): void => {
  const frozen = smaller(lot.frozen, amount);
  lot.frozen -= frozen;
  lot.free -= amount - frozen;
};

/** Replaces what is awaited. Returns whether this is the first event of the refund or chargeback. */
const setAwaited = ({ awaited }: Lot, of: Awaited['of'], amount: bigint): boolean => {
  const before = awaited.findIndex((one) => sameAwaited(one.of, of));
  const now = amount > 0n ? [{ of, amount }] : [];
  if (before === -1) awaited.push(...now);
  else awaited.splice(before, 1, ...now);
  return before === -1;
};

const sameAwaited = (one: Awaited['of'], other: Awaited['of']): boolean =>
  one.cause === other.cause &&
  one.reference === other.reference &&
  (one.cause === 'refund' ? one.refundId : null) === (other.cause === 'refund' ? other.refundId : null);

/** The oldest debts of the lot first. */
const lower = (
  debts: readonly Debt[],
  { lotId, amount }: Draw,
  note: (debt: Debt, part: bigint) => unknown = () => undefined,
): void => {
  let left = amount;
  for (const debt of debts.filter((one) => one.lotId === lotId)) {
    const part = smaller(debt.open, left);
    left -= part;
    debt.open -= part;
    if (part > 0n) note(debt, part);
  }
};

const reverseChargeback = (
  books: MoneyBooks,
  lot: Lot,
  { disputeId, restored, returned, reduced }: Extract<MoneyEvent, { type: 'ChargebackReversed' }>,
): void => {
  lot.free += restored + reduced;
  lot.flows.chargedBack -= restored;
  lot.flows.reversed += reduced;
  lot.chargebacks.set(disputeId, { taken: 0n, reversed: true });
  const awaited = lot.awaited.findIndex(({ of }) => of.cause === 'chargeback' && of.reference === disputeId);
  if (awaited !== -1) lot.awaited.splice(awaited, 1);
  for (const part of returned) giveBack(books, part, 'repaid', -part.amount);
  const others = books.debts.filter(({ lotId, reference }) => lotId !== lot.id || reference !== disputeId);
  books.debts.splice(0, books.debts.length, ...others);
};
