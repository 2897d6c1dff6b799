/** For each event type the newest version that a run can read. A type that is missing cannot be read at all. */
export type ReadableVersions = Readonly<Record<string, number>>;

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
 * Fault: the event cannot be written yet, because a running gateway of an older release could not read it. Nothing was
 * written. The same command succeeds once that gateway has stopped.
 */
export class NotReadableByAll extends Error {
  override readonly name = 'NotReadableByAll';
  readonly code = 'upgrade_in_progress';

  constructor(type: string, version: number) {
    super(`${type} version ${version} cannot be written while a gateway is running that cannot read it`);
  }
}
