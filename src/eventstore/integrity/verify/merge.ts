import { NO_CHECKPOINT } from '../checkpoint.ts';
import { GENESIS } from '../chain.ts';
import {
  brokenCheckpointChain,
  brokenLink,
  brokenRevision,
  type Flaw,
  type Link,
  type RangeReport,
  type Streams,
} from './range.ts';

/** The result of a verification, up to the end of the log or to its first flaw. */
export type Verdict = {
  /** The position of the first correct event; undefined without one. */
  readonly first: number | undefined;
  /** The last correct event. */
  readonly last: Link | undefined;
  readonly events: number;
  readonly streams: number;
  readonly signatures: { readonly good: number; readonly unchecked: number };
  readonly flaw: Flaw | undefined;
};

export type Merger = {
  /** Adds the reports of the parts of the log in order; false after the first flaw. */
  add(report: RangeReport): boolean;
  fail(flaw: Flaw): void;
  verdict(): Verdict;
};

export const BEGINNING: Link = { position: 0, time: Number.NEGATIVE_INFINITY, hash: GENESIS };

/**
 * Combines the reports of the parts: the first event of each part must be chained to the last event of the part before.
 * `before` is what the very first event must follow: the beginning of the log, or an event that is trusted.
 */
export const createMerger = (before: Link): Merger => {
  const fromTheBeginning = before.position === 0;
  const revisions = new Map<string, number>();
  const signatures = { good: 0, unchecked: 0 };
  let first: number | undefined;
  let last = before;
  let events = 0;
  let digest = fromTheBeginning ? NO_CHECKPOINT : undefined;
  let flaw: Flaw | undefined;

  const firstOf = (...flaws: readonly (Flaw | undefined)[]): Flaw | undefined =>
    flaws
      .filter((one) => one !== undefined)
      .reduce<Flaw | undefined>((a, b) => (a && a.position <= b.position ? a : b), undefined);

  const addStreams = ({ names, places }: Streams): Flaw | undefined => {
    let broken: Flaw | undefined;
    names.forEach((stream, n) => {
      const [revision = 0, position = 0, lastRevision = 0] = places.subarray(3 * n, 3 * n + 3);
      const known = revisions.get(stream);
      // If the log is not read from its beginning, the first revision of a stream in it cannot be checked.
      const expected = known === undefined ? (fromTheBeginning ? 0 : revision) : known + 1;
      if (revision !== expected) broken = firstOf(broken, brokenRevision(position, stream, expected, revision));
      revisions.set(stream, lastRevision);
    });
    return broken;
  };

  return {
    add: (report) => {
      if (flaw) return false;
      const { firstCheckpoint, lastDigest } = report;
      flaw = report.first && brokenLink(last, report.first);
      if (flaw) return false;
      const { flaw: own } = report;
      flaw = firstOf(
        addStreams(report.streams),
        firstCheckpoint && digest !== undefined && firstCheckpoint.previous !== digest
          ? brokenCheckpointChain(firstCheckpoint, digest)
          : undefined,
        own && { ...own, position: Number.isNaN(own.position) ? last.position + 1 : own.position },
      );
      first ??= report.first?.position;
      last = report.last ?? last;
      events += report.events;
      digest = lastDigest ?? digest;
      signatures.good += report.signatures.good;
      signatures.unchecked += report.signatures.unchecked;
      return flaw === undefined;
    },
    fail: (found) => void (flaw ??= found),
    verdict: () => ({
      first,
      last: last === before ? undefined : last,
      ...{ events, streams: revisions.size, signatures, flaw },
    }),
  };
};
