import type { Route } from '../router/route.ts';
import { listSignals, listSignalsOfAccount } from './list-signals.ts';
import { listViolations } from './list-violations.ts';
import { recordViolation } from './record-violation.ts';
import { authorizeResale, endResale } from './resale.ts';

/** What staff decide about the conduct of a customer. */
export const conductRoutes: readonly Route[] = [
  ...[recordViolation, listViolations, authorizeResale, endResale],
  ...[listSignals, listSignalsOfAccount],
];
