import type { Credits } from '../money.ts';
import type { BookAccount } from './chart.ts';

/** One line of double entry: positive is a debit, negative a credit. The lines of an event sum to zero. */
export type Posting = { readonly account: BookAccount; readonly amount: Credits };

/** Debits one account and credits another. Without an amount there is nothing to post. */
export const post = (debit: BookAccount, credit: BookAccount, amount: Credits): readonly Posting[] =>
  amount === 0n
    ? []
    : [
        { account: debit, amount },
        { account: credit, amount: -amount },
      ];
