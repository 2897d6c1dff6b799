/**
 * The chart of accounts. Assets and expenses grow by a debit; liabilities and revenue grow by a credit. A code of four digits
 * fits Xero; the names fit hledger and beancount, and QuickBooks as parents and children.
 */
export const chart = {
  '1010': 'Assets:Bank:USD',
  /** What Creem owes the operator. */
  '1100': 'Assets:Creem:Clearing',
  '1110': 'Assets:Creem:Payout-In-Transit',
  /** Withdrawn by Creem because of an open dispute. */
  '1120': 'Assets:Creem:Disputed',
  /** Quarantined payments: a credit, because the money is in clearing and its owner is not decided. */
  '1130': 'Assets:Creem:Suspense',
  /**
   * What has moved at Creem and not yet on the customer's account (a debit: taken back by Creem and not yet from the lot), or
   * the reverse (a credit: received by Creem and not yet credited). Zero for each payment once its account has caught up.
   */
  '1140': 'Assets:Creem:Unapplied',
  /** Owed by customers: refunded or charged back after the credits had been used. */
  '1200': 'Assets:Customers:Refund-Debt',
  '1300': 'Assets:Providers:Prepaid',
  /** These four are the balance of a customer. */
  '2010': 'Liabilities:Customer-Credits:Paid',
  '2020': 'Liabilities:Customer-Credits:Promotional',
  '2030': 'Liabilities:Customer-Credits:Held-For-Refund',
  '2040': 'Liabilities:Customer-Credits:Frozen',
  /** Contra to 2020: a promotion is not an expense until it is used. */
  '2021': 'Liabilities:Customer-Credits:Promotional-Unearned',
  '2100': 'Liabilities:Providers:Accrued',
  /** By model, as charged. */
  '4010': 'Revenue:Usage',
  '4090': 'Revenue:Forfeiture',
  '4095': 'Revenue:Breakage',
  '4900': 'Revenue:Contra:Promotional',
  /** Charges that were given back. Apart from 4010, because a reversal does not name the model. */
  '4910': 'Revenue:Contra:Reversals',
  '5010': 'Cost-Of-Revenue',
  '5020': 'Cost-Of-Revenue:Moderation',
  '6010': 'Expenses:Payment-Fees',
  '6020': 'Expenses:Bad-Debt',
  '6090': 'Expenses:Rounding',
} as const;

type AccountCode = keyof typeof chart;

/** A code, and the part below it if it has parts: `2010`, `4010:gpt-4o`, `6010:Platform`. */
export type BookAccount = AccountCode | `${'4010' | '6010'}:${string}`;

/** The accounts whose sum is the balance of a customer's wallet. */
export const customerCredits = ['2010', '2020', '2030', '2040'] as const satisfies readonly AccountCode[];

/** `4010:gpt-4o` as `Revenue:Usage:gpt-4o`. An export replaces what its format does not allow in the last part. */
export const accountName = (account: BookAccount): string => {
  const code = account.slice(0, 4) as AccountCode;
  return `${chart[code]}${account.slice(4)}`;
};
