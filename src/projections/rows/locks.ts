import type { RefundEvent } from '../../domain/account/refunds/events.ts';
import { min, type Credits } from '../../domain/money.ts';

/** What is held for refunds, by refund, and what is frozen, by lot. */
type Locks = {
  readonly refunds: readonly (readonly [refundId: string, lotId: string, amount: Credits])[];
  readonly frozen: readonly (readonly [lotId: string, amount: Credits])[];
};

/**
 * The locked credits of an account, as a text for its row. A refund or a chargeback takes them before it takes free credits,
 * and its event states only the sum. Null if nothing is locked.
 */
export const evolveLocks = (text: string | null, event: RefundEvent): string | null =>
  write(changed(read(text), event));

export const lockedIn = (text: string | null): { readonly held_for_refund: Credits; readonly frozen: Credits } => {
  const { refunds, frozen } = read(text);
  return {
    held_for_refund: refunds.reduce((sum, [, , amount]) => sum + amount, 0n),
    frozen: frozen.reduce((sum, [, amount]) => sum + amount, 0n),
  };
};

const changed = (locks: Locks, event: RefundEvent): Locks => {
  const { lotId } = event;
  switch (event.type) {
    case 'CreditsHeldForRefund':
      return withRefund(locks, event.refundId, lotId, event.amount);
    case 'RefundHoldReleased':
      return withRefund(locks, event.refundId, lotId, 0n);
    case 'CreditsRefunded': {
      const { refundId, amount } = event;
      const held = locks.refunds.find(([id, ofLot]) => id === refundId && ofLot === lotId)?.[2] ?? 0n;
      const ofHold = min(held, amount);
      const rest = refundId === null ? locks : withRefund(locks, refundId, lotId, held - ofHold);
      return withoutFrozen(rest, lotId, amount - ofHold);
    }
    case 'LotFrozen': {
      const { frozen } = locks;
      const others = frozen.filter(([id]) => id !== lotId);
      return { ...locks, frozen: [...others, [lotId, frozenIn(locks, lotId) + event.amount]] };
    }
    case 'LotUnfrozen':
    case 'CreditsChargedBack':
      return withoutFrozen(locks, lotId, event.amount);
    case 'ChargebackReversed':
    case 'CreditsForfeited':
    case 'CreditsWaived':
      return locks;
  }
};

/** What a refund holds of a lot; a hold of 0 has ended. A refund holds credits of one lot. */
const withRefund = ({ refunds, frozen }: Locks, refundId: string, lotId: string, amount: Credits): Locks => {
  const others = refunds.filter(([id, ofLot]) => id !== refundId || ofLot !== lotId);
  return { refunds: amount > 0n ? [...others, [refundId, lotId, amount]] : others, frozen };
};

const frozenIn = ({ frozen }: Locks, lotId: string): Credits => frozen.find(([id]) => id === lotId)?.[1] ?? 0n;

const withoutFrozen = (locks: Locks, lotId: string, amount: Credits): Locks => {
  const left = frozenIn(locks, lotId) - min(frozenIn(locks, lotId), amount);
  const others = locks.frozen.filter(([id]) => id !== lotId);
  return { ...locks, frozen: left > 0n ? [...others, [lotId, left]] : others };
};

const read = (text: string | null): Locks => {
  if (text === null) return { refunds: [], frozen: [] };
  const { refunds, frozen } = JSON.parse(text) as { refunds: [string, string, string][]; frozen: [string, string][] };
  return {
    refunds: refunds.map(([refundId, lotId, amount]) => [refundId, lotId, BigInt(amount)]),
    frozen: frozen.map(([lotId, amount]) => [lotId, BigInt(amount)]),
  };
};

const write = ({ refunds, frozen }: Locks): string | null =>
  refunds.length === 0 && frozen.length === 0
    ? null
    : JSON.stringify({
        refunds: refunds.map(([refundId, lotId, amount]) => [refundId, lotId, String(amount)]),
        frozen: frozen.map(([lotId, amount]) => [lotId, String(amount)]),
      });
