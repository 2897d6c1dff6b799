import { endingOf, excessOf, takableOf } from '../money-books.ts';
import { mayFollow, type Audited, type Auditor } from './auditor.ts';

/** When a hold ends, marked lots lose what it does not need any more. */
export const auditMarks = ({ books, check }: Audited): Auditor => {
  let isDue = false;
  const checkSettled = (): void => {
    if (!isDue) return;
    isDue = false;
    for (const lot of books.lots) {
      const takable = takableOf(books, lot);
      check(lot.awaited.length === 0 || takable === 0n, 'an awaited refund takes what a hold gives back');
      check(lot.open.size === 0 || takable === 0n, 'a frozen lot is frozen as holds give back');
      const excess = excessOf(books, lot);
      check(endingOf(books, lot) === undefined || excess === 0n, 'a lot that has ended loses what holds give back');
    }
  };
  return {
    before: (event) => {
      if (!mayFollow(event) || event.type === 'RefundHoldReleased' || event.type === 'LotUnfrozen') checkSettled();
      if (event.type === 'HoldSettled' || event.type === 'HoldReleased') isDue = true;
    },
    end: checkSettled,
  };
};
