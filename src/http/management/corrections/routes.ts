import type { Route } from '../router/route.ts';
import { listDebts, writeOffDebt } from './debts.ts';
import { forfeitCredits, waiveCredits } from './end-credits.ts';
import { reverseCharge } from './reverse-charge.ts';

/** How staff correct what was charged, and end what is owed. */
export const correctionRoutes: readonly Route[] = [
  reverseCharge,
  ...[listDebts, writeOffDebt],
  ...[waiveCredits, forfeitCredits],
];
