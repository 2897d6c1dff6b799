import { min, type Credits } from '../../money.ts';
import type { Draw } from '../events.ts';

/** Credits that were refunded or charged back after they had been used. Changes in place. */
export type Debt = {
  /** The lot of the payment that was refunded or charged back. */
  readonly lotId: string;
  readonly cause: 'refund' | 'chargeback';
  /** The partner's id of the refund or the dispute. */
  readonly reference: string;
  readonly amount: Credits;
  /** What is still owed. */
  open: Credits;
  /** What lots of later payments have repaid. */
  readonly repaid: Draw[];
  /** What reversals of charges have taken off it. */
  reduced: Credits;
};

/** What is owed for one lot. */
export const debtOf = (debts: readonly Debt[], lotId: string): Credits =>
  debts.reduce((sum, debt) => (debt.lotId === lotId ? sum + debt.open : sum), 0n);

/** What is owed, by lot: the lot whose debt is the oldest first. */
export const debtsByLot = (debts: readonly Debt[]): ReadonlyMap<string, Credits> => {
  const owed = new Map<string, Credits>();
  for (const { lotId, open } of debts) if (open > 0n) owed.set(lotId, (owed.get(lotId) ?? 0n) + open);
  return owed;
};

/** Reduces the debts of a lot, the oldest first. `record` notes in a debt why `part` of it has ended. */
export const reduceDebts = (
  debts: readonly Debt[],
  { lotId, amount }: Draw,
  record?: (debt: Debt, part: Credits) => void,
): void => {
  let left = amount;
  for (const debt of debts) {
    if (debt.lotId !== lotId || left === 0n) continue;
    const part = min(debt.open, left);
    debt.open -= part;
    left -= part;
    if (part > 0n) record?.(debt, part);
  }
};
