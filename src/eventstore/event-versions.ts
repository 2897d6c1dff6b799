/** For each event type the newest version that a run can read. A type that is missing cannot be read at all. */
export type ReadableVersions = Readonly<Record<string, number>>;

/** What a run can read whose heartbeat does not state it: everything that releases without that statement write. */
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

/** The newest version of each event type that all of them can read. */
export const readableByAll = (all: readonly ReadableVersions[]): ReadableVersions => {
  const [first = {}, ...others] = all;
  const common = Object.entries(first).flatMap(([type, version]) => {
    const lowest = Math.min(version, ...others.map((one) => one[type] ?? 0));
    return lowest > 0 ? [[type, lowest] as const] : [];
  });
  return Object.fromEntries(common);
};

/**
 * Fault: the event cannot be written yet, because a gateway of an older release is running that could not read it.
 * Nothing was written. The same command succeeds once that gateway has stopped.
 */
export class NotReadableByAll extends Error {
  override readonly name = 'NotReadableByAll';
  readonly code = 'upgrade_in_progress';

  constructor(type: string, version: number) {
    super(`${type} version ${version} cannot be written while a gateway is running that cannot read it`);
  }
}
