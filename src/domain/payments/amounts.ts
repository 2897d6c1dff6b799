import { max, min, type Credits } from '../money.ts';
import type { MinorUnits } from './events.ts';

/** The smallest unit of a payment partner. */
export const CENT: Credits = 10_000_000n;

export const CURRENCY = 'USD';

export const fromMinorUnits = (amount: MinorUnits): Credits => amount * CENT;

/** With tax, and without. */
export type Parts = { readonly gross: Credits; readonly net: Credits };

/** What was paid for a payment, and what was credited for it. Both are positive. */
export type Whole = { readonly paid: Credits; readonly credited: Credits };

export const nothing: Parts = { gross: 0n, net: 0n };
export const sum = (parts: readonly Parts[]): Parts =>
  parts.reduce((one, { gross, net }) => ({ gross: one.gross + gross, net: one.net + net }), nothing);

/** What is left of a payment after `taken`. Never negative. */
export const left = ({ paid, credited }: Whole, taken: Parts): Parts => ({
  gross: max(0n, paid - taken.gross),
  net: max(0n, credited - taken.net),
});

/**
 * The credits that a refund of `gross` takes: in proportion, rounded down to a cent, and at most what is left. A refund that
 * completes the gross amount takes all that is left.
 */
export const netOf = (gross: Credits, whole: Whole, returned: Parts): Credits => {
  const rest = left(whole, returned);
  if (gross >= rest.gross) return rest.net;
  const proportion = (gross * whole.credited) / whole.paid;
  return min(proportion - (proportion % CENT), rest.net);
};

/** What the partner is to return for `net` credits: in proportion, rounded up to a cent, and at most what is left. */
export const grossOf = (net: Credits, whole: Whole, taken: Parts): Credits => {
  const cents = (net * whole.paid + whole.credited * CENT - 1n) / (whole.credited * CENT);
  return min(cents * CENT, left(whole, taken).gross);
};
