import type { ReadableVersions } from '../event-versions.ts';

/** What a run can read if its heartbeat does not state it: all that was written before heartbeats stated it. */
export const UNSTATED_VERSIONS: ReadableVersions = {
  AccountRegistered: 2,
  TermsAccepted: 1,
  AccountSuspended: 1,
  AccountReinstated: 1,
  KeyIssued: 1,
  KeyRevoked: 1,
  KeyLimitsSet: 1,
  AccountLimitsSet: 1,
  CreditsToppedUp: 1,
  CreditsReserved: 3,
  HoldExtended: 2,
  HoldSettled: 1,
  HoldReleased: 2,
  LateUsageCharged: 2,
  UsageWrittenOff: 2,
  PriceListed: 1,
  TermsPublished: 1,
};
