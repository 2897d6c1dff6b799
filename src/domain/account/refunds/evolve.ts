import { min, type Credits } from '../../money.ts';
import { lotOf, type Awaited, type Lot } from '../lots.ts';
import { changeLot, endLot, mark, type Wallet } from '../wallet.ts';
import { reduceDebts } from './debts.ts';
import type { CorrectionEvent, DebtEvent, RefundEvent } from './events.ts';

/** Longer than the time in which a charge can be reversed. */
const REVERSALS_KEPT_MS = 400 * 24 * 60 * 60 * 1000;

type EventOf<Type extends RefundEvent['type']> = Extract<RefundEvent, { type: Type }>;

/** Changes the wallet in place. */
export const evolveRefunds = (wallet: Wallet, event: RefundEvent | DebtEvent | CorrectionEvent): Wallet => {
  if (event.type === 'ChargeReversed') return reverseCharge(wallet, event);
  const lot = lotOf(wallet, event.lotId);
  if (!lot) return wallet;
  switch (event.type) {
    case 'CreditsHeldForRefund':
      wallet.refunds.set(event.refundId, { lotId: event.lotId, amount: event.amount });
      return lock(wallet, lot, 'heldForRefund', event.amount);
    case 'RefundHoldReleased':
      wallet.refunds.delete(event.refundId);
      lock(wallet, lot, 'heldForRefund', -event.amount);
      break;
    case 'CreditsRefunded':
      refund(wallet, lot, event);
      break;
    case 'LotFrozen':
      if (!lot.disputes.has(event.disputeId)) lot.disputes.set(event.disputeId, { state: 'open', taken: 0n });
      lock(wallet, lot, 'frozen', event.amount);
      break;
    case 'LotUnfrozen':
      if (lot.disputes.get(event.disputeId)?.state === 'open') endDispute(lot, event.disputeId, 'won', 0n);
      lock(wallet, lot, 'frozen', -event.amount);
      break;
    case 'CreditsChargedBack':
      chargeBack(wallet, lot, event);
      break;
    case 'ChargebackReversed':
      reverseChargeback(wallet, lot, event);
      break;
    case 'CreditsForfeited':
      return endLot(wallet, event.lotId, { kind: 'forfeited', reason: event.reason }, event.amount);
    case 'CreditsWaived':
      return endLot(wallet, event.lotId, { kind: 'waived', reason: event.reason }, event.amount);
    case 'DebtIncurred': {
      const { type: _, ...debt } = event;
      wallet.debts.push({ ...debt, open: event.amount, repaid: [], reduced: 0n });
      return wallet;
    }
    case 'DebtRepaid':
      repay(wallet, event.from, event.amount);
      reduceDebts(wallet.debts, event, (debt, amount) => debt.repaid.push({ lotId: event.from, amount }));
      return wallet;
    case 'DebtWrittenOff':
      reduceDebts(wallet.debts, event);
      return wallet;
  }
  return mark(wallet, event.lotId, lot);
};

/** Moves free credits of a lot into what cannot be spent. */
const lock = (wallet: Wallet, lot: Lot, where: 'heldForRefund' | 'frozen', amount: Credits): Wallet => {
  lot[where] += amount;
  wallet.locked += amount;
  return wallet;
};

const endDispute = (lot: Lot, disputeId: string, state: 'lost' | 'won', taken: Credits): void =>
  void lot.disputes.set(disputeId, { state, taken });

/** Frozen credits are taken first, then free ones. */
const takeFrozen = (wallet: Wallet, lot: Lot, amount: Credits): void =>
  void lock(wallet, lot, 'frozen', -min(lot.frozen, amount));

const awaits = (lot: Lot, awaited: Awaited): void => {
  const others = lot.awaited.filter(({ of, reference }) => of !== awaited.of || reference !== awaited.reference);
  const place = lot.awaited.findIndex(({ of, reference }) => of === awaited.of && reference === awaited.reference);
  if (awaited.amount === 0n) lot.awaited = others;
  else lot.awaited = place < 0 ? [...others, awaited] : lot.awaited.with(place, awaited);
};

const refund = (wallet: Wallet, lot: Lot, event: EventOf<'CreditsRefunded'>): void => {
  const { lotId, reference, refundId, amount, awaited } = event;
  const held = refundId === null ? undefined : wallet.refunds.get(refundId);
  // A later event of the same refund takes what open holds did not use.
  const isFirst = !lot.awaited.some((one) => one.of === 'refund' && one.reference === reference);
  const isOfHold = isFirst && held?.lotId === lotId;
  const ofHold = isOfHold ? min(held.amount, amount) : 0n;
  if (refundId !== null && isOfHold) {
    if (held.amount === ofHold) wallet.refunds.delete(refundId);
    else wallet.refunds.set(refundId, { lotId, amount: held.amount - ofHold });
    lock(wallet, lot, 'heldForRefund', -ofHold);
  }
  takeFrozen(wallet, lot, amount - ofHold);
  lot.refunded += amount;
  wallet.refunded += amount;
  changeLot(wallet, lotId, lot, -amount);
  awaits(lot, { of: 'refund', reference, refundId, amount: awaited });
};

const chargeBack = (wallet: Wallet, lot: Lot, event: EventOf<'CreditsChargedBack'>): void => {
  const { lotId, disputeId, amount, awaited } = event;
  takeFrozen(wallet, lot, amount);
  lot.chargedBack += amount;
  wallet.chargedBack += amount;
  changeLot(wallet, lotId, lot, -amount);
  endDispute(lot, disputeId, 'lost', (lot.disputes.get(disputeId)?.taken ?? 0n) + amount);
  awaits(lot, { of: 'chargeback', reference: disputeId, refundId: null, amount: awaited });
};

const reverseChargeback = (wallet: Wallet, lot: Lot, event: EventOf<'ChargebackReversed'>): void => {
  const { lotId, disputeId, restored, returned, reduced } = event;
  lot.chargedBack -= restored;
  wallet.chargedBack -= restored;
  lot.reversed += reduced;
  wallet.reversed += reduced;
  changeLot(wallet, lotId, lot, restored + reduced);
  endDispute(lot, disputeId, 'won', 0n);
  awaits(lot, { of: 'chargeback', reference: disputeId, refundId: null, amount: 0n });
  // A debt may have arisen in several parts, as holds ended.
  const others = wallet.debts.filter((debt) => debt.lotId !== lotId || debt.reference !== disputeId);
  wallet.debts.splice(0, wallet.debts.length, ...others);
  for (const draw of returned) {
    repay(wallet, draw.lotId, -draw.amount);
    const other = lotOf(wallet, draw.lotId);
    if (other) mark(wallet, draw.lotId, other);
  }
};

const repay = (wallet: Wallet, from: string, amount: Credits): void => {
  const lot = lotOf(wallet, from);
  if (!lot) return;
  lot.repaid += amount;
  wallet.repaid += amount;
  changeLot(wallet, from, lot, -amount);
};

const reverseCharge = (wallet: Wallet, event: CorrectionEvent): Wallet => {
  const { requestId, amount, at, returned, debtReduced } = event;
  for (const draw of returned) {
    const lot = lotOf(wallet, draw.lotId);
    if (!lot) continue;
    lot.reversed += draw.amount;
    wallet.reversed += draw.amount;
    changeLot(wallet, draw.lotId, lot, draw.amount);
    mark(wallet, draw.lotId, lot);
  }
  for (const draw of debtReduced) reduceDebts(wallet.debts, draw, (debt, part) => (debt.reduced += part));
  for (const [id, reversal] of wallet.reversals) {
    if (reversal.at < at - REVERSALS_KEPT_MS) wallet.reversals.delete(id);
  }
  const before = wallet.reversals.get(requestId)?.amount ?? 0n;
  wallet.reversals.set(requestId, { amount: before + amount, at });
  return wallet;
};
