import {
  endingOf,
  excessOf,
  inPayOrder,
  smaller,
  takableOf,
  type Awaited,
  type Ending,
  type Lot,
} from '../money-books.ts';
import type { MoneyEvent } from '../money-entries.ts';
import { incur, write, type Decision } from './decision.ts';

/** What marked lots lose of the credits that no hold needs any more. One lot after another, in the order in which they pay. */
export const settleMarks = (decision: Decision): void => {
  const { books } = decision;
  for (const lot of inPayOrder(books.lots)) {
    for (const awaited of [...lot.awaited]) settleAwaited(decision, lot, { ...awaited });
    for (const disputeId of [...lot.open].slice(0, 1)) {
      const amount = takableOf(books, lot);
      if (amount > 0n) write(decision, { type: 'LotFrozen', lotId: lot.id, disputeId, amount });
    }
    const ending = endingOf(books, lot);
    const excess = excessOf(books, lot);
    if (ending !== undefined && excess > 0n) write(decision, endOf(lot.id, excess, ending));
  }
};

const settleAwaited = (decision: Decision, lot: Lot, { of, amount: awaited }: Awaited): void => {
  const { cause, reference } = of;
  const taken = smaller(lot.frozen + takableOf(decision.books, lot), awaited);
  const still = smaller(awaited - taken, lot.frozen + lot.free - taken);
  const amounts = { lotId: lot.id, amount: taken, awaited: still };
  if (taken > 0n || still < awaited) {
    if (of.cause === 'refund') {
      write(decision, { type: 'CreditsRefunded', reference, refundId: of.refundId, ...amounts });
    } else write(decision, { type: 'CreditsChargedBack', disputeId: reference, ...amounts });
  }
  incur(decision, { lotId: lot.id, amount: awaited - taken - still, cause, reference });
};

/** The reason of a forfeiture or a waiver is no concern of the books. */
export const endOf = (
  lotId: string,
  amount: bigint,
  ending: Ending,
): Extract<MoneyEvent, { type: 'LotExpired' | 'CreditsForfeited' | 'CreditsWaived' }> => {
  if (ending === 'forfeited') return { type: 'CreditsForfeited', lotId, amount };
  if (ending === 'waived') return { type: 'CreditsWaived', lotId, amount };
  return { type: 'LotExpired', lotId, amount, reason: ending };
};
