import { isDeepStrictEqual } from 'node:util';
import type { Draw } from '../../../src/domain/account/events.ts';
import { endingOf, lotOf, openDebtOf } from '../money-books.ts';
import { sum } from '../../support/money.ts';
import type { Audited, Auditor, EventOf } from './auditor.ts';

export type Charge = EventOf<'HoldSettled' | 'LateUsageCharged'>;

/** All reversals of a generation together are at most its charge, and go to the lots that paid it. */
export const auditReversals = ({ books, check, expectNext }: Audited, lost: readonly Charge[]): Auditor => {
  const charges = new Map<string, Charge[]>();
  /** A charge that was lost may be written again. */
  const put = (charge: Charge): void => {
    const known = charges.get(charge.requestId) ?? [];
    const isLost = lost.length > 0 && known.some((one) => isDeepStrictEqual(one, charge));
    if (!isLost) charges.set(charge.requestId, [...known, charge]);
  };
  lost.forEach(put);
  const back = new Map<string, bigint>();

  const checkReversed = (event: EventOf<'ChargeReversed'>): void => {
    const { requestId, amount, returned, debtReduced, granted } = event;
    const own = charges.get(requestId) ?? [];
    check(total([...returned, ...debtReduced, ...granted]) === amount && amount > 0n, 'a reversal has its amount');
    back.set(requestId, (back.get(requestId) ?? 0n) + amount);
    check(
      (back.get(requestId) ?? 0n) <= sum(own.map(({ charged }) => charged)),
      'no more of a generation is reversed than was charged',
    );
    for (const { lotId } of [...returned, ...debtReduced, ...granted]) {
      const key = `${requestId} ${lotId}`;
      const part = total([...returned, ...debtReduced, ...granted].filter((one) => one.lotId === lotId));
      const paid = total(own.flatMap(({ drawn }) => drawn).filter((one) => one.lotId === lotId));
      check((back.get(key) ?? 0n) + part <= paid, 'a reversal goes to lots that paid');
    }
    for (const lotId of new Set([...returned, ...debtReduced, ...granted].map((one) => one.lotId))) {
      const key = `${requestId} ${lotId}`;
      back.set(
        key,
        (back.get(key) ?? 0n) + total([...returned, ...debtReduced, ...granted].filter((one) => one.lotId === lotId)),
      );
    }
    for (const { lotId } of returned) {
      const lot = lotOf(books, lotId);
      check(lot !== undefined && endingOf(books, lot) === undefined, 'credits do not go back to a lot that has ended');
      check(!books.debts.some((debt) => debt.lotId === lotId), 'credits do not go back to a lot that is owed for');
    }
    for (const { lotId, amount: part } of debtReduced) {
      check(part <= openDebtOf(books, lotId), 'no more debt ends than is owed');
    }
    const owed = (lotId: string): bigint => openDebtOf(books, lotId) - total(debtReduced.filter(isOf(lotId)));
    for (const { lotId } of [...returned, ...granted]) check(owed(lotId) === 0n, 'a reversal reduces debt first');
    if (granted.length === 0) return;
    expectNext(
      'a grant takes the place of lots that have ended',
      (next) => next?.type === 'CreditsToppedUp' && next.source.kind === 'grant' && next.amount === total(granted),
    );
  };

  return {
    before: (event) => {
      if (event.type === 'HoldSettled' || event.type === 'LateUsageCharged') put(event);
      if (event.type === 'ChargeReversed') checkReversed(event);
    },
  };
};

const total = (parts: readonly Draw[]): bigint => sum(parts.map(({ amount }) => amount));
const isOf =
  (lotId: string) =>
  (one: Draw): boolean =>
    one.lotId === lotId;
