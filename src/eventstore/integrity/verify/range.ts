import { createPublicKey, type KeyObject } from 'node:crypto';
import { chainHash } from '../chain.ts';
import { digestOf, isSignedBy, keyIdOf, type Checkpoint } from '../checkpoint.ts';

/** The first defect of the log. */
export type Flaw = {
  readonly position: number;
  readonly what: string;
  readonly expected: string;
  readonly found: string;
};

/** The event that the next one is chained to. `time` is in milliseconds since 1970. */
export type Link = { readonly position: number; readonly time: number; readonly hash: string };

/** An event reduced to what the chain covers. `content` is its `contentHash`. */
export type Chained = Link & { readonly content: string };

/** The first and last revision of each stream in a range. In columns, because they are passed between threads. */
export type Streams = {
  readonly names: readonly string[];
  /** Three numbers per stream: the first revision, its position, the last revision. */
  readonly places: Float64Array<ArrayBuffer>;
};

/** The result of one thread for a part of the log. The merger compares it with the part before. */
export type RangeReport = {
  readonly first: Chained | undefined;
  readonly last: Link | undefined;
  readonly events: number;
  readonly streams: Streams;
  readonly firstCheckpoint: Checkpoint | undefined;
  readonly lastDigest: string | undefined;
  readonly signatures: { readonly good: number; readonly unchecked: number };
  readonly flaw: Flaw | undefined;
};

/** What a verifier trusts beside the log. */
export type Trusted = {
  /** Public keys, as PEM. Without any, signatures are not checked. */
  readonly publicKeys: readonly string[];
  /** Checkpoints that were kept elsewhere. */
  readonly kept: readonly Checkpoint[];
};

export type RangeChecker = {
  /** Both return whether the range is correct so far. After the first flaw nothing more is checked. */
  event(event: Chained, stream: string, revision: number): boolean;
  checkpoint(checkpoint: Checkpoint): boolean;
  fail(flaw: Flaw): void;
  /** The position that the next event must have; undefined before the first event. */
  readonly next: number | undefined;
  readonly failed: boolean;
  report(): RangeReport;
};

type Seen = { readonly first: number; readonly position: number; last: number };

/** The flaw of an event that follows another; undefined if it is correct. */
export const brokenLink = (previous: Link, { position, time, hash, content }: Chained): Flaw | undefined => {
  const expected = previous.position + 1;
  if (position > expected) {
    return { position: expected, what: 'the event is missing', expected: `${expected}`, found: `${position}` };
  }
  if (position < expected) {
    return { position: expected, what: 'another event is here', expected: `${expected}`, found: `${position}` };
  }
  const rightHash = chainHash(previous.hash, content, position, new Date(time));
  if (hash !== rightHash) {
    const what = 'the hash is not that of the event and the one before it';
    return { position, what, expected: rightHash, found: hash };
  }
  if (time < previous.time) {
    const what = 'the time is before that of the event before it';
    return { position, what, expected: `${isoOf(previous.time)} or later`, found: isoOf(time) };
  }
  return undefined;
};

export const brokenRevision = (position: number, stream: string, expected: number, found: number): Flaw => ({
  ...{ position, what: `the revision does not follow in its stream ${stream}` },
  ...{ expected: `${expected}`, found: `${found}` },
});

export const brokenCheckpointChain = ({ position, previous }: Checkpoint, expected: string): Flaw => {
  const what = 'the checkpoint here does not follow the one before it: one was taken away, put in or changed';
  return { position, what, expected, found: previous };
};

/** Returns a check of signatures: a flaw, or whether the signature was checked. It is not if no public keys are given. */
export const createSignatureCheck = (publicKeys: readonly string[]): ((one: Checkpoint) => Flaw | boolean) => {
  const keys = new Map<string, KeyObject>(
    publicKeys.map((pem) => createPublicKey(pem)).map((key) => [keyIdOf(key), key]),
  );
  return (checkpoint) => {
    const { position, keyId, signature } = checkpoint;
    if (keys.size === 0) return false;
    const key = keys.get(keyId);
    if (!key) {
      const what = 'the checkpoint here is signed by a key that was not given';
      return { position, what, expected: [...keys.keys()].join(' or '), found: keyId };
    }
    if (isSignedBy(checkpoint, key)) return true;
    return {
      position,
      what: 'the signature of the checkpoint here is not good',
      expected: `one by ${keyId}`,
      found: signature,
    };
  };
};

type State = {
  readonly streams: Map<string, Seen>;
  readonly signatures: { good: number; unchecked: number };
  first: Chained | undefined;
  last: Link | undefined;
  firstCheckpoint: Checkpoint | undefined;
  lastDigest: string | undefined;
  /** A checkpoint that was kept elsewhere and whose event was read: the log must contain the checkpoint as well. */
  owed: Checkpoint | undefined;
};

/**
 * `signedLater`: a checkpoint that was kept elsewhere may be newer than the source, for example an export; then its event is
 * enough.
 */
export const createRangeChecker = ({ publicKeys, kept }: Trusted, signedLater = false): RangeChecker => {
  const checkSignature = createSignatureCheck(publicKeys);
  const keptAt = new Map(kept.map((one) => [one.position, one]));
  const state: State = {
    ...{ streams: new Map(), signatures: { good: 0, unchecked: 0 } },
    ...{ first: undefined, last: undefined, firstCheckpoint: undefined, lastDigest: undefined, owed: undefined },
  };
  let flaw: Flaw | undefined;

  /** Keeps the first flaw. Returns whether there is none. */
  const record = (found: Flaw | undefined): boolean => {
    flaw ??= found;
    return flaw === undefined;
  };
  const owedFlaw = (): Flaw | undefined => (state.owed && !signedLater ? missingCheckpoint(state.owed) : undefined);

  return {
    event: (event, stream, revision) => {
      if (flaw || !record(owedFlaw() ?? eventFlaw(state, event, stream, revision))) return false;
      const { position, hash } = event;
      const signed = keptAt.size > 0 ? keptAt.get(position) : undefined;
      if (signed && signed.hash !== hash) {
        const what = 'the event is not the one that a checkpoint kept elsewhere vouches for';
        return record({ position, what, expected: signed.hash, found: hash });
      }
      state.owed = signed;
      addEvent(state, event, stream, revision);
      return true;
    },
    checkpoint: (checkpoint) => {
      if (flaw) return false;
      const signed = checkSignature(checkpoint);
      if (!record(checkpointFlaw(state, checkpoint, signed))) return false;
      state.lastDigest = digestOf(checkpoint);
      if (state.owed && digestOf(state.owed) !== state.lastDigest) return record(missingCheckpoint(state.owed));
      state.owed = undefined;
      state.firstCheckpoint ??= checkpoint;
      if (signed) state.signatures.good++;
      else state.signatures.unchecked++;
      return true;
    },
    fail: (found) => void record(found),
    get next() {
      return state.last && state.last.position + 1;
    },
    get failed() {
      return flaw !== undefined;
    },
    report: () => {
      if (!flaw) record(owedFlaw());
      return reportOf(state, flaw);
    },
  };
};

const missingCheckpoint = (missing: Checkpoint): Flaw => ({
  ...{ position: missing.position, what: 'a checkpoint that was kept elsewhere is not in the log' },
  ...{ expected: digestOf(missing), found: 'none' },
});

const eventFlaw = ({ last, streams }: State, event: Chained, stream: string, revision: number): Flaw | undefined => {
  const { position, time } = event;
  if (!Number.isInteger(time) || Math.abs(time) > MAX_TIME_MS) {
    // The store writes milliseconds, and the hash covers no more.
    const what = 'the time is not one of whole milliseconds';
    return { position, what, expected: 'whole milliseconds', found: `${time} ms since 1970` };
  }
  const broken = last && brokenLink(last, event);
  if (broken) return broken;
  const seen = streams.get(stream);
  return seen && revision !== seen.last + 1 ? brokenRevision(position, stream, seen.last + 1, revision) : undefined;
};

const addEvent = (state: State, event: Chained, stream: string, revision: number): void => {
  const seen = state.streams.get(stream);
  if (seen) seen.last = revision;
  else state.streams.set(stream, { first: revision, position: event.position, last: revision });
  state.first ??= event;
  state.last = event;
};

const checkpointFlaw = (
  { last, lastDigest }: State,
  checkpoint: Checkpoint,
  signed: Flaw | boolean,
): Flaw | undefined => {
  const { position, hash, time, previous } = checkpoint;
  if (last?.position !== position) {
    const what = 'the event that the checkpoint here vouches for is missing';
    return { position, what, expected: hash, found: 'none' };
  }
  if (typeof signed === 'object') return signed;
  if (last.hash !== hash) {
    return { position, what: 'the event is not the one that was signed', expected: hash, found: last.hash };
  }
  if (!(time.getTime() >= last.time)) {
    const what = 'the checkpoint was signed before its event was written';
    return { position, what, expected: `${isoOf(last.time)} or later`, found: isoOf(time.getTime()) };
  }
  return lastDigest !== undefined && previous !== lastDigest
    ? brokenCheckpointChain(checkpoint, lastDigest)
    : undefined;
};

const reportOf = (state: State, flaw: Flaw | undefined): RangeReport => {
  const { streams, first, last, firstCheckpoint, lastDigest, signatures } = state;
  const places = new Float64Array(streams.size * 3);
  let n = 0;
  for (const seen of streams.values()) {
    places.set([seen.first, seen.position, seen.last], n);
    n += 3;
  }
  return {
    first,
    last: last && { position: last.position, time: last.time, hash: last.hash },
    events: first && last ? last.position - first.position + 1 : 0,
    streams: { names: [...streams.keys()], places },
    ...{ firstCheckpoint, lastDigest, signatures, flaw },
  };
};

/** The largest time that Date can represent. */
const MAX_TIME_MS = 8.64e15;

const isoOf = (ms: number): string => (Math.abs(ms) <= MAX_TIME_MS ? new Date(ms).toISOString() : `${ms} ms`);
