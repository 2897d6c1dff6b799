import { credentialRoutes } from './credentials/credential-routes.ts';
import { conductRoutes } from './conduct/routes.ts';
import { contactingRoutes } from './contacting/routes.ts';
import { correctionRoutes } from './corrections/routes.ts';
import { memberRoutes } from './members/routes.ts';
import { staffRoutes } from './staff/routes.ts';
import { listSessions, readMe, revokeOtherSessions, revokeSession, signOut } from './people/me.ts';
import { register, verifyRegistration } from './people/register.ts';
import { askSignInCode, redeemSignInCode } from './people/sign-in.ts';
import { ownRoutes } from './own/own.ts';
import { paymentRoutes } from './payments/routes.ts';
import { supportRoutes } from './support/support.ts';
import { contactRoutes } from './contacts/routes.ts';
import { acceptTerms } from './accounts/accept-terms.ts';
import { closeAccount, erasePersonalData } from './accounts/close-account.ts';
import { createAccount } from './accounts/create-account.ts';
import { grantCredits } from './accounts/grant-credits.ts';
import { issueKey } from './keys/issue-key.ts';
import { listEvents } from './accounts/list-events.ts';
import { listKeys } from './keys/list-keys.ts';
import { noticeRoutes } from './notices/routes.ts';
import { priceRoutes } from './prices/routes.ts';
import { termsRoutes } from './terms/routes.ts';
import { listOwed } from './accounts/list-owed.ts';
import { readCheckpoint } from './read-checkpoint.ts';
import { readAccount } from './accounts/read-account.ts';
import { readRequest } from './requests/read-request.ts';
import { revokeKey } from './keys/revoke-key.ts';
import { listRefusals } from './requests/list-refusals.ts';
import { listRequests } from './requests/list-requests.ts';
import { reportLeak } from './keys/report-leak.ts';
import { rotateKey } from './keys/rotate-key.ts';
import type { Route } from './router/route.ts';
import { setAccountLimits, setKeyLimits } from './accounts/set-limits.ts';
import { reinstateAccount, suspendAccount } from './accounts/suspend-account.ts';

/** In the order of the documentation. */
export const routes: readonly Route[] = [
  register,
  verifyRegistration,
  askSignInCode,
  redeemSignInCode,
  readMe,
  listSessions,
  revokeSession,
  revokeOtherSessions,
  signOut,
  ...credentialRoutes,
  ...contactRoutes,
  createAccount,
  listOwed,
  readAccount,
  listEvents,
  acceptTerms,
  grantCredits,
  ...paymentRoutes,
  issueKey,
  listKeys,
  setKeyLimits,
  rotateKey,
  reportLeak,
  revokeKey,
  setAccountLimits,
  suspendAccount,
  reinstateAccount,
  ...conductRoutes,
  closeAccount,
  ...correctionRoutes,
  erasePersonalData,
  listRequests,
  listRefusals,
  readRequest,
  ...memberRoutes,
  ...staffRoutes,
  ...ownRoutes,
  ...supportRoutes,
  ...contactingRoutes,
  ...termsRoutes,
  ...priceRoutes,
  ...noticeRoutes,
  readCheckpoint,
];
