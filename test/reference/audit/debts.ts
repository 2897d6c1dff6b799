import { isSuspendedFor, lotOf, openDebtOf } from '../money-books.ts';
import { sum } from '../../support/money.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import type { Audited, Auditor, EventOf } from './auditor.ts';

/** A debt suspends the account, a payment repays it first, and no more is repaid or written off than is owed. */
export const auditDebts = ({ books, check, expectNext }: Audited): Auditor => {
  const DEBT = { kind: 'debt' } as const;
  /** The payment that repays at the moment. */
  let payment: string | undefined;

  const suspendsOrLifts = (): void => {
    if (books.closed) return;
    const owes = openDebtOf(books) > 0n;
    if (owes && !isSuspendedFor(books, DEBT)) {
      expectNext('no account is active with an open debt', (next) => isStanding(next, 'AccountSuspended'));
    }
    if (!owes && isSuspendedFor(books, DEBT)) {
      expectNext('the end of the last debt ends its suspension', (next) => isStanding(next, 'AccountReinstated'));
    }
  };

  const repays = (lotId: string): void => {
    const isSpent = lotOf(books, lotId)?.free === 0n;
    payment = isSpent || openDebtOf(books) === 0n ? undefined : lotId;
    if (payment === undefined) return;
    expectNext(
      'a payment repays open debt before all else',
      (next) => next?.type === 'DebtRepaid' && next.from === lotId,
    );
  };

  const checkRepaid = ({ lotId, amount, from }: EventOf<'DebtRepaid'>): void => {
    check(payment === from, 'only a payment repays debt, at once');
    const oldest = books.debts.find(({ open }) => open > 0n);
    check(oldest?.lotId === lotId, 'the oldest debt is repaid first');
    const free = lotOf(books, from)?.free ?? 0n;
    const owed = openDebtOf(books, lotId);
    check(amount > 0n && amount === (free < owed ? free : owed), 'a payment repays all that it can');
  };

  return {
    before: (event) => {
      switch (event.type) {
        case 'DebtRepaid':
          checkRepaid(event);
          break;
        case 'DebtWrittenOff':
          check(
            event.amount > 0n && event.amount <= openDebtOf(books, event.lotId),
            'no more is written off than is owed',
          );
          break;
        case 'ChargebackReversed': {
          const own = books.debts.filter(
            ({ lotId, cause, reference }) =>
              lotId === event.lotId && cause === 'chargeback' && reference === event.disputeId,
          );
          check(event.cancelled === sum(own.map(({ open }) => open)), 'a reversal cancels what is owed');
          const repaid = sum(own.flatMap((debt) => debt.repaid.map(({ amount }) => amount)));
          check(sum(event.returned.map(({ amount }) => amount)) === repaid, 'a reversal returns what was repaid');
          const reversed = sum(own.map((debt) => debt.reversed));
          check(event.reduced === reversed, 'a reversal returns what reversals of charges took off the debt');
          break;
        }
        default:
      }
    },
    after: (event) => {
      if (event.type === 'CreditsToppedUp' && event.source.kind === 'payment') repays(event.lotId);
      if (event.type === 'DebtRepaid') repays(event.from);
      const isLast =
        ['DebtIncurred', 'DebtWrittenOff', 'ChargebackReversed'].includes(event.type) ||
        (event.type === 'DebtRepaid' && payment === undefined) ||
        (event.type === 'ChargeReversed' && event.granted.length === 0) ||
        (event.type === 'CreditsToppedUp' && event.source.kind === 'grant');
      if (isLast || event.type === 'AccountReinstated') suspendsOrLifts();
    },
  };
};

const isStanding = (next: AccountEvent | undefined, type: 'AccountSuspended' | 'AccountReinstated'): boolean =>
  next?.type === type && next.cause.kind === 'debt';
