import type { AccountEvent } from '../account/events.ts';
import { invariant } from '../decider.ts';
import { min, type Credits } from '../money.ts';

/** What the books store about the lots of one customer. It decides which accounts of the chart an event moves. Changes in place. */
export type BookedLots = Map<string, BookedLot>;

export type BookedLot = {
  readonly kind: 'paid' | 'promotional';
  /** By the id of the refund. */
  readonly heldForRefund: Map<string, Credits>;
  frozen: Credits;
  /** References of refunds of which something is still to be taken. */
  readonly awaited: Set<string>;
  /** Oldest first. */
  readonly debts: BookedDebt[];
};

/** `reference` is that of the refund, or the id of the dispute. */
type BookedDebt = { readonly reference: string; open: Credits; writtenOff: Credits };

export const bookedLot = (lots: BookedLots, lotId: string): BookedLot => {
  const lot = lots.get(lotId);
  invariant(lot !== undefined, 'a lot is in the books before credits of it move');
  return lot;
};

/** Where a refund or chargeback takes credits from: held for this refund, then frozen, then free. */
export type Taken = { readonly held: Credits; readonly frozen: Credits; readonly free: Credits };

type Refunded = Extract<AccountEvent, { type: 'CreditsRefunded' }>;
type ChargedBack = Extract<AccountEvent, { type: 'CreditsChargedBack' }>;

/** Later events of the same refund take what open holds did not use, and nothing that is held. */
export const takenBy = (event: Refunded | ChargedBack, lot: BookedLot): Taken => {
  const { amount } = event;
  const isOfHold = event.type === 'CreditsRefunded' && event.refundId !== null && !lot.awaited.has(event.reference);
  const held = min(amount, (isOfHold ? lot.heldForRefund.get(event.refundId) : undefined) ?? 0n);
  const frozen = min(amount - held, lot.frozen);
  return { held, frozen, free: amount - held - frozen };
};

/** The debt of a lost dispute that was written off and is received after all. */
export const writtenOffOf = (lot: BookedLot, disputeId: string): Credits =>
  lot.debts.reduce((sum, { reference, writtenOff }) => (reference === disputeId ? sum + writtenOff : sum), 0n);

/** The lots after an event. Events that are not listed change nothing that the books remember. */
export const evolveBookedLots = (lots: BookedLots, event: AccountEvent): BookedLots => {
  switch (event.type) {
    case 'CreditsToppedUp':
      lots.set(event.lotId, {
        kind: event.source.kind === 'payment' ? 'paid' : 'promotional',
        ...{ heldForRefund: new Map(), frozen: 0n, awaited: new Set(), debts: [] },
      });
      return lots;
    case 'CreditsHeldForRefund':
      bookedLot(lots, event.lotId).heldForRefund.set(event.refundId, event.amount);
      return lots;
    case 'RefundHoldReleased':
      reduceHold(bookedLot(lots, event.lotId), event.refundId, event.amount);
      return lots;
    case 'CreditsRefunded':
      take(bookedLot(lots, event.lotId), event);
      return lots;
    case 'LotFrozen':
      bookedLot(lots, event.lotId).frozen += event.amount;
      return lots;
    case 'LotUnfrozen':
      bookedLot(lots, event.lotId).frozen -= event.amount;
      return lots;
    case 'CreditsChargedBack':
      take(bookedLot(lots, event.lotId), event);
      return lots;
    case 'ChargebackReversed': {
      const { debts } = bookedLot(lots, event.lotId);
      debts.splice(0, debts.length, ...debts.filter(({ reference }) => reference !== event.disputeId));
      return lots;
    }
    case 'DebtIncurred':
      bookedLot(lots, event.lotId).debts.push({ reference: event.reference, open: event.amount, writtenOff: 0n });
      return lots;
    case 'DebtRepaid':
      reduceDebts(bookedLot(lots, event.lotId), event.amount);
      return lots;
    case 'DebtWrittenOff':
      reduceDebts(bookedLot(lots, event.lotId), event.amount, (debt, part) => (debt.writtenOff += part));
      return lots;
    case 'ChargeReversed':
      for (const { lotId, amount } of event.debtReduced) reduceDebts(bookedLot(lots, lotId), amount);
      return lots;
    // These neither open a lot nor move credits between its parts.
    case 'CreditsReserved':
    case 'HoldExtended':
    case 'HoldSettled':
    case 'HoldReleased':
    case 'LateUsageCharged':
    case 'UsageWrittenOff':
    case 'LotExpired':
    case 'CreditsForfeited':
    case 'CreditsWaived':
    case 'AccountRegistered':
    case 'TermsAccepted':
    case 'AccountSuspended':
    case 'AccountReinstated':
    case 'ContactChanged':
    case 'AccountClosed':
    case 'PersonalDataErased':
    case 'MemberAdded':
    case 'MemberRoleChanged':
    case 'MemberRemoved':
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
    case 'NoticeQueued':
    case 'NoticeAnswered':
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
    case 'ViolationRecorded':
    case 'AccountTerminated':
    case 'ContactNoted':
    case 'ContactAnswerNoted':
      return lots;
  }
};

const take = (lot: BookedLot, event: Refunded | ChargedBack): void => {
  const { held, frozen } = takenBy(event, lot);
  lot.frozen -= frozen;
  if (event.type === 'CreditsChargedBack') return;
  if (event.refundId !== null) reduceHold(lot, event.refundId, held);
  if (event.awaited > 0n) lot.awaited.add(event.reference);
  else lot.awaited.delete(event.reference);
};

const reduceHold = ({ heldForRefund }: BookedLot, refundId: string, amount: Credits): void => {
  const left = (heldForRefund.get(refundId) ?? 0n) - amount;
  if (left > 0n) heldForRefund.set(refundId, left);
  else heldForRefund.delete(refundId);
};

const reduceDebts = (
  { debts }: BookedLot,
  amount: Credits,
  record?: (debt: BookedDebt, part: Credits) => void,
): void => {
  let left = amount;
  for (const debt of debts) {
    const part = min(debt.open, left);
    debt.open -= part;
    left -= part;
    record?.(debt, part);
  }
};
