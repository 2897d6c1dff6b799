import { acceptTerms } from './accept-terms.ts';
import { createAccount } from './create-account.ts';
import { delistModel, relistModel } from './delist-model.ts';
import { grantCredits } from './grant-credits.ts';
import { issueKey } from './issue-key.ts';
import { listEvents } from './list-events.ts';
import { listKeys } from './list-keys.ts';
import { listPrices } from './list-prices.ts';
import { listTerms } from './list-terms.ts';
import { readCheckpoint } from './read-checkpoint.ts';
import { readAccount } from './read-account.ts';
import { readRequest } from './read-request.ts';
import { revokeKey } from './revoke-key.ts';
import type { Route } from './route.ts';
import { setAccountLimits, setKeyLimits } from './set-limits.ts';
import { reinstateAccount, suspendAccount } from './suspend-account.ts';

/** In the order in which the documentation tells them. */
export const routes: readonly Route[] = [
  createAccount,
  readAccount,
  listEvents,
  acceptTerms,
  grantCredits,
  issueKey,
  listKeys,
  setKeyLimits,
  revokeKey,
  setAccountLimits,
  suspendAccount,
  reinstateAccount,
  readRequest,
  listTerms,
  listPrices,
  delistModel,
  relistModel,
  readCheckpoint,
];
