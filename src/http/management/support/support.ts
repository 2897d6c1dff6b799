import type { Route } from '../router/route.ts';
import { approveSecondAccount, approveSecondOwner } from './approvals.ts';
import { dismissDuplicate, listDuplicates } from './duplicates.ts';
import { erasePerson } from './erase-person.ts';
import { search } from './search.ts';

/** What support does with persons and accounts. */
export const supportRoutes: readonly Route[] = [
  ...[search, listDuplicates, dismissDuplicate],
  ...[approveSecondAccount, approveSecondOwner, erasePerson],
];
