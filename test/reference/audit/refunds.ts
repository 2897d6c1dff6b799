import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { heldForRefund, lotOf, smaller, takableOf, type Lot } from '../money-books.ts';
import type { Audited, Auditor, EventOf } from './auditor.ts';

/** Refunds, freezes and chargebacks draw only what they may, and all of it. What is used instead becomes a debt. */
export const auditRefunds = ({ books, check, expectNext }: Audited): Auditor => {
  /** The refund or chargeback that the event before was: the debt that it may or must lead to. */
  let owing: { lotId: string; cause: string; reference: string; mayOwe: boolean } | undefined;
  let last: EventOf<'CreditsChargedBack'> | undefined;

  const paidLot = (lotId: string): Lot => {
    const lot = lotOf(books, lotId);
    check(lot?.isGrant === false, 'only paid credits are refunded, frozen or charged back');
    return lot as Lot;
  };

  const checkTaken = (event: EventOf<'CreditsRefunded' | 'CreditsChargedBack'>): void => {
    const { lotId, amount, awaited } = event;
    const lot = paidLot(lotId);
    const [cause, reference] =
      event.type === 'CreditsRefunded'
        ? (['refund', event.reference] as const)
        : (['chargeback', event.disputeId] as const);
    const refundId = event.type === 'CreditsRefunded' ? event.refundId : null;
    const before = lot.awaited.find(
      ({ of }) =>
        of.cause === cause && of.reference === reference && (of.cause !== 'refund' || of.refundId === refundId),
    )?.amount;
    const takable = lot.frozen + takableOf(books, lot);
    if (before !== undefined) {
      check(amount === smaller(takable, before), 'what is awaited is taken as soon as no hold needs it');
      check(awaited === smaller(before - amount, lot.frozen + lot.free - amount), 'what is left of a lot is awaited');
      check(amount > 0n || awaited < before, 'a refund is recorded again only if it changes');
      const debt = before - amount - awaited;
      if (debt > 0n) {
        expectNext('what holds used of an awaited refund is a debt', (next) => isDebt(next, lotId, reference, debt));
      }
      owing = { lotId, cause, reference, mayOwe: debt > 0n };
      return;
    }
    const own = refundId === null ? 0n : (lot.refunds.get(refundId) ?? 0n);
    const most = own + takable;
    check(amount >= 0n && amount <= most, 'a refund takes at most what no hold needs');
    const others = heldForRefund(lot) - own;
    const all = amount === most && (others === 0n || event.type === 'CreditsChargedBack');
    const left = lot.frozen + lot.free - takable;
    check(awaited === 0n || (all && awaited <= left), 'a refund awaits only what holds may need');
    owing = { lotId, cause, reference, mayOwe: all && awaited === left };
  };

  const checkFrozen = ({ lotId, disputeId, amount }: EventOf<'LotFrozen'>): void => {
    const lot = paidLot(lotId);
    check(amount === takableOf(books, lot), 'a freeze takes all that no hold needs');
    if (!lot.disputes.has(disputeId)) {
      check(lot.refunds.size === 0, 'a dispute ends the refunds of a payment');
      const { closed } = books;
      expectNext('a dispute suspends the account', (next) => closed || isSuspension(next, disputeId));
    } else check([...lot.open][0] === disputeId && amount > 0n, 'the oldest open dispute freezes what is given back');
  };

  const checkUnfrozen = ({ lotId, disputeId, amount }: EventOf<'LotUnfrozen'>, isRest: boolean): void => {
    const lot = paidLot(lotId);
    check(lot.open.has(disputeId) || (isRest && lot.open.size === 0), 'only a disputed lot is unfrozen');
    const isLast = [...lot.open].every((one) => one === disputeId);
    check(
      amount === (isLast ? lot.frozen : 0n),
      'the end of the last dispute unfreezes all of a lot, of others nothing',
    );
  };

  return {
    before: (event) => {
      const [debtor, chargeback] = [owing, last];
      [owing, last] = [undefined, undefined];
      switch (event.type) {
        case 'CreditsHeldForRefund': {
          const lot = paidLot(event.lotId);
          check(!books.lots.some(({ refunds }) => refunds.has(event.refundId)), 'a refund is held for once');
          check(lot.open.size === 0, 'a disputed payment is not refunded on request');
          check(
            event.amount > 0n && event.amount <= takableOf(books, lot),
            'a refund takes at most what no hold needs',
          );
          break;
        }
        case 'RefundHoldReleased':
          check(
            lotOf(books, event.lotId)?.refunds.get(event.refundId) === event.amount,
            'a refund that is released was held',
          );
          break;
        case 'CreditsRefunded':
          checkTaken(event);
          break;
        case 'CreditsChargedBack':
          checkTaken(event);
          last = event;
          break;
        case 'LotFrozen':
          checkFrozen(event);
          break;
        case 'LotUnfrozen':
          checkUnfrozen(event, chargeback?.lotId === event.lotId && chargeback.disputeId === event.disputeId);
          break;
        case 'ChargebackReversed':
          check(
            paidLot(event.lotId).chargebacks.get(event.disputeId)?.taken === event.restored,
            'a reversal restores what the chargeback took',
          );
          break;
        case 'DebtIncurred': {
          const { lotId, cause, reference, amount } = event;
          const isOwed = debtor?.lotId === lotId && debtor.cause === cause && debtor.reference === reference;
          check(isOwed && debtor.mayOwe && amount > 0n, 'a debt is what a refund or chargeback could not take');
          break;
        }
        default:
      }
    },
    after: (event) => {
      if (event.type !== 'CreditsChargedBack') return;
      const lot = lotOf(books, event.lotId);
      if (!lot || lot.open.size > 0 || lot.frozen === 0n) return;
      expectNext('nothing stays frozen without an open dispute', (next) => next?.type === 'LotUnfrozen');
    },
  };
};

const isSuspension = (next: AccountEvent | undefined, disputeId: string): boolean =>
  next?.type === 'AccountSuspended' && next.cause.kind === 'dispute' && next.cause.disputeId === disputeId;

const isDebt = (
  next: { readonly type: string } | undefined,
  lotId: string,
  reference: string,
  amount: bigint,
): boolean => {
  if (next?.type !== 'DebtIncurred') return false;
  const debt = next as EventOf<'DebtIncurred'>;
  return debt.lotId === lotId && debt.reference === reference && debt.amount === amount;
};
