/** Sums of a checkout, in cents. */
export type Amounts = {
  /** Before the discount. */
  readonly subTotal: number;
  readonly discount: number;
  /** Before tax. */
  readonly amount: number;
  readonly tax: number;
  /** What the customer pays. */
  readonly total: number;
};

export type DiscountCode = {
  readonly code: string;
} & ({ readonly type: 'percentage'; readonly percent: number } | { readonly type: 'fixed'; readonly cents: number });

export const DISCOUNTS: readonly DiscountCode[] = [
  { code: 'TENOFF', type: 'percentage', percent: 10 },
  { code: 'FIVEOFF', type: 'fixed', cents: 500 },
];

export type Country = { readonly code: string; readonly name: string; readonly taxBasisPoints: number };

/** The countries of the payment page, with their standard rates. */
export const COUNTRIES: readonly Country[] = [
  { code: 'US', name: 'United States', taxBasisPoints: 0 },
  { code: 'AT', name: 'Austria', taxBasisPoints: 2_000 },
  { code: 'CH', name: 'Switzerland', taxBasisPoints: 810 },
  { code: 'DE', name: 'Germany', taxBasisPoints: 1_900 },
  { code: 'ES', name: 'Spain', taxBasisPoints: 2_100 },
  { code: 'FR', name: 'France', taxBasisPoints: 2_000 },
  { code: 'GB', name: 'United Kingdom', taxBasisPoints: 2_000 },
  { code: 'IT', name: 'Italy', taxBasisPoints: 2_200 },
  { code: 'JP', name: 'Japan', taxBasisPoints: 1_000 },
  { code: 'SE', name: 'Sweden', taxBasisPoints: 2_500 },
];

/** `value × numerator ÷ denominator`, half a cent rounded up. Exact for the amounts that Creem accepts. */
const share = (value: number, numerator: number, denominator: number): number =>
  Number((BigInt(value) * BigInt(numerator) * 2n + BigInt(denominator)) / (BigInt(denominator) * 2n));

const discountOf = (subTotal: number, code: DiscountCode | undefined): number => {
  if (!code) return 0;
  return code.type === 'percentage' ? share(subTotal, code.percent, 100) : Math.min(subTotal, code.cents);
};

export const amountsOf = (
  subTotal: number,
  { taxBasisPoints }: Country,
  code: DiscountCode | undefined,
  taxMode: 'exclusive' | 'inclusive',
): Amounts => {
  const discount = discountOf(subTotal, code);
  const stated = subTotal - discount;
  if (taxMode === 'exclusive') {
    const tax = share(stated, taxBasisPoints, 10_000);
    return { subTotal, discount, amount: stated, tax, total: stated + tax };
  }
  const tax = share(stated, taxBasisPoints, 10_000 + taxBasisPoints);
  return { subTotal, discount, amount: stated - tax, tax, total: stated };
};

/** The part of the tax in a refund. */
export const taxOfRefund = (refund: number, tax: number, paid: number): number =>
  paid === 0 ? 0 : share(refund, tax, paid);

/**
 * 3.9 % of the total with tax, and 0.40. Creem does not document how it rounds; its example (24.00 costs 1.33) rounds down.
 */
export const saleFee = (total: number): number => Math.floor((total * 39) / 1_000) + 40;

export const CHARGEBACK_FEE = 2_500;

/** 7.00 or 1 %, the higher of both. */
export const payoutFee = (amount: number): number => Math.max(700, share(amount, 1, 100));

/** 0.30 for 1,000 units of moderation. */
export const moderationFee = (units: number): number => Math.floor((units * 3) / 100);

/** For example `1234.50`, negative amounts with a minus sign. */
export const decimal = (cents: number): string => {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return `${cents < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};
