import type { AccountEvent, Draw } from '../../../src/domain/account/events.ts';
import { availableOf, balanceOf, lotOf, remainingOf } from '../money-books.ts';
import { sum } from '../../support/money.ts';
import type { Audited, Auditor } from './auditor.ts';
import type { Charge } from './reversals.ts';

/** Every nano-dollar is in a lot: what came into each lot is there, or an event states where it went. */
export const auditLots = ({ books, check }: Audited, lost: readonly Charge[]): Auditor => {
  const lostBy = (lotId: string): bigint =>
    sum(lost.flatMap(({ drawn }) => drawn).map((draw) => (draw.lotId === lotId ? draw.amount : 0n)));
  /** By lot: the sum of what events moved. */
  const moved = new Map<string, bigint>();
  return {
    before: (event) => {
      if (event.type !== 'CreditsToppedUp') return;
      const known = lotOf(books, event.lotId);
      check(event.amount > 0n && (!known || remainingOf(known) === 0n), 'a lot is new and has something in it');
      check(event.source.kind === 'grant' || event.endsAt === undefined, 'a payment does not end');
    },
    after: (event) => {
      for (const { lotId, amount } of movementsOf(event)) moved.set(lotId, (moved.get(lotId) ?? 0n) + amount);
      check(availableOf(books) >= 0n, 'holds never exceed the balance');
      check(balanceOf(books) === sum(moved.values()), 'all that came in is there, or an event states where it went');
      for (const lot of books.lots) {
        const parts = [lot.free, lot.frozen, ...lot.refunds.values()];
        check(
          parts.every((part) => part >= 0n),
          'no part of a lot is ever negative',
        );
        if (lotOf(books, lot.id) !== lot) continue;
        check(remainingOf(lot) === moved.get(lot.id), 'of each lot: amount = remaining + all that left it');
        const { used, reversed, repaid, refunded, chargedBack, expired, forfeited, waived } = lot.flows;
        check(reversed <= used + lostBy(lot.id), 'no more goes back into a lot than it paid');
        check(repaid >= 0n && chargedBack >= 0n, 'no more goes back into a lot than it lost');
        const left = used - reversed + repaid + refunded + chargedBack + expired + forfeited + waived;
        check(lot.amount === remainingOf(lot) + left, 'of each lot: amount = remaining + all that left it');
      }
    },
  };
};

/** What an event adds to the lots. Parts that stay in a lot do not move. */
const movementsOf = (event: AccountEvent): readonly Draw[] => {
  const lost = ({ lotId, amount }: Draw): Draw => ({ lotId, amount: -amount });
  switch (event.type) {
    case 'CreditsToppedUp':
      return [event];
    case 'HoldSettled':
    case 'LateUsageCharged':
      return event.drawn.map(lost);
    case 'LotExpired':
    case 'CreditsRefunded':
    case 'CreditsChargedBack':
    case 'CreditsForfeited':
    case 'CreditsWaived':
      return [lost(event)];
    case 'DebtRepaid':
      return [lost({ lotId: event.from, amount: event.amount })];
    case 'ChargebackReversed':
      return [{ lotId: event.lotId, amount: event.restored + event.reduced }, ...event.returned];
    case 'ChargeReversed':
      return event.returned;
    default:
      return [];
  }
};
