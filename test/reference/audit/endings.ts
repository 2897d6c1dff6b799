import { endingOf, excessOf, inPayOrder, lotOf, remainingOf, type Lot } from '../money-books.ts';
import type { Audited, Auditor, EventOf } from './auditor.ts';

/** Lots that end lose all that no hold needs, and nothing else ends. */
export const auditEndings = ({ books, check }: Audited): Auditor => {
  let last = '';
  /** Grants of a closed account that still have credits that no hold needs, in the order in which they end. */
  const dueToEnd = (): readonly Lot[] =>
    inPayOrder(books.lots).filter((lot) => books.closed && lot.isGrant && excessOf(books, lot) > 0n);
  const grantsHaveEnded = (): void => check(dueToEnd().length === 0, PROMOTIONAL);

  const checkExpired = ({ lotId, amount, reason }: EventOf<'LotExpired'>): void => {
    const lot = lotOf(books, lotId);
    check(lot !== undefined && amount === excessOf(books, lot), 'a lot loses all that no hold needs, at its end');
    if (reason === 'account_closed') {
      const isBack = last === 'CreditsToppedUp' && lot?.isGrant === true && books.lots.at(-1) === lot;
      check(isBack || dueToEnd()[0]?.id === lotId, 'a lot loses all that no hold needs, at its end');
    } else {
      check(lot?.endsAt !== undefined && lot.isGrant, 'only a lot with an end has ended');
      const isAgain = lot !== undefined && endingOf(books, lot) !== undefined;
      check(isAgain ? amount > 0n : (lot?.free ?? 0n) > 0n, 'a lot ends once, and then by what holds give back');
    }
  };

  const checkGivenUp = ({ type, lotId, amount }: EventOf<'CreditsForfeited' | 'CreditsWaived'>): void => {
    const lot = lotOf(books, lotId);
    check(books.closed, 'only credits of a closed account are forfeited or waived');
    check(lot?.isGrant === false, 'only paid credits are forfeited or waived');
    check(lot !== undefined && amount === excessOf(books, lot), 'a lot loses all that no hold needs, at its end');
    const isForfeited = type === 'CreditsForfeited';
    const isAgain = lot?.ended === (isForfeited ? 'forfeited' : 'waived');
    // What a refund or a dispute keeps is forfeited when it returns.
    const left = (lot && isForfeited ? remainingOf(lot) : lot?.free) ?? 0n;
    check(isAgain ? amount > 0n : left > 0n, 'a lot ends once, and then by what holds give back');
  };

  return {
    before: (event) => {
      // What a closing or the end of a hold leads to comes in the same append, right after it.
      const isBack = event.type === 'CreditsToppedUp' && last === 'ChargeReversed';
      if (!['KeyRevoked', 'LotExpired', 'UsageWrittenOff'].includes(event.type) && !isBack) grantsHaveEnded();
      if (event.type === 'LotExpired') checkExpired(event);
      if (event.type === 'CreditsForfeited' || event.type === 'CreditsWaived') checkGivenUp(event);
      if (event.type === 'CreditsToppedUp') {
        check(
          !books.closed || event.source.kind === 'payment' || isBack,
          'a closed account is granted nothing but what it is given back',
        );
      }
      last = event.type;
    },
    end: grantsHaveEnded,
  };
};

const PROMOTIONAL = 'promotional credits end with the account, as soon as no hold needs them';
