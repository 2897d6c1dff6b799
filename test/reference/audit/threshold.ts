import { balanceOf } from '../money-books.ts';
import { mayFollow, type Audited, type Auditor } from './auditor.ts';

/** A fall below the threshold is recorded at the end of the decision that led to it. */
export const auditThreshold = ({ books, check }: Audited): Auditor => {
  let threshold: bigint | null = null;
  let before = 0n;
  let fell: 'no' | 'surely' | 'maybe' = 'no';
  /** A reversal found the balance below the threshold. If it also takes something again, the balance has not fallen by it. */
  let rose = false;
  let last = '';
  const isRecorded = (): void => check(fell !== 'surely', 'a fall below the threshold is recorded');
  return {
    before: (event) => {
      before = balanceOf(books);
      // A hold may follow the lots that end before it.
      const goesOn = (event.type === 'CreditsReserved' || event.type === 'HoldExtended') && last === 'LotExpired';
      const isBack = event.type === 'CreditsToppedUp' && last === 'ChargeReversed';
      if (!mayFollow(event) && !goesOn && !isBack) {
        isRecorded();
        [fell, rose] = ['no', false];
      }
      if (event.type === 'LowBalanceThresholdSet') threshold = event.amount;
      if (event.type === 'BalanceBelowThreshold') {
        check(fell !== 'no', 'a balance below the threshold is recorded when it falls below it');
        check(event.threshold === threshold && event.balance === before, 'it states both amounts');
        fell = 'no';
      }
      last = event.type;
    },
    after: (event) => {
      // What a payment repays leaves no less than there was before the payment.
      if (event.type === 'DebtRepaid') return;
      const balance = balanceOf(books);
      if (books.closed || threshold === null) return;
      if (event.type === 'ChargeReversed' || event.type === 'ChargebackReversed') rose = before < threshold;
      if (before >= threshold && balance < threshold) fell = rose ? 'maybe' : 'surely';
    },
    end: isRecorded,
  };
};
