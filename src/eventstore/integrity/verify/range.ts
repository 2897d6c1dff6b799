import { createPublicKey, type KeyObject } from 'node:crypto';
import { chainHash } from '../chain.ts';
import { digestOf, isSignedBy, keyIdOf, type Checkpoint } from '../checkpoint.ts';

/** The first place where the log is not what it must be. */
export type Flaw = {
  readonly position: number;
  readonly what: string;
  readonly expected: string;
  readonly found: string;
};

/** What the next event is chained to. */
export type Link = { readonly position: number; readonly time: number; readonly hash: string };

/** An event as far as the chain goes: `content` is the hash over all that its writer said. Times are in milliseconds. */
export type Chained = Link & { readonly content: string };

/** Streams of a range: where each begins in it, and where it ends. In columns, for they go from thread to thread. */
export type Streams = {
  readonly names: readonly string[];
  /** Of each: the first revision, its position, the last revision. */
  readonly places: Float64Array<ArrayBuffer>;
};

/** What one thread found in a part of the log; what came before that part vouches for it, and is looked at elsewhere. */
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

/** What a verifier is given beside the log. */
export type Trusted = {
  /** Public keys, as PEM. Without any, signatures are not checked. */
  readonly publicKeys: readonly string[];
  /** Checkpoints that were kept elsewhere. */
  readonly kept: readonly Checkpoint[];
};

export type RangeChecker = {
  /** Each tells whether all is well so far; after the first flaw nothing is looked at any more. */
  event(event: Chained, stream: string, revision: number): boolean;
  checkpoint(checkpoint: Checkpoint): boolean;
  fail(flaw: Flaw): void;
  /** Where the next event must be; undefined before the first. */
  readonly next: number | undefined;
  readonly failed: boolean;
  report(): RangeReport;
};

type Seen = { readonly first: number; readonly position: number; last: number };

/** What is wrong with an event that comes after another. */
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

/** Whether who signed it is known, and it is what was signed; undefined where there is no key to tell by. */
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

/**
 * `signedLater`: whether a checkpoint that was kept elsewhere may be younger than what is read here, as an export, so that
 * the event that it vouches for is enough.
 */
export const createRangeChecker = ({ publicKeys, kept }: Trusted, signedLater = false): RangeChecker => {
  const checkSignature = createSignatureCheck(publicKeys);
  const keptAt = new Map(kept.map((one) => [one.position, one]));
  const streams = new Map<string, Seen>();
  const signatures = { good: 0, unchecked: 0 };
  let first: Chained | undefined;
  let last: Link | undefined;
  let firstCheckpoint: Checkpoint | undefined;
  let lastDigest: string | undefined;
  /** A checkpoint kept elsewhere whose event was here, so that the log must have it too. */
  let owed: Checkpoint | undefined;
  let flaw: Flaw | undefined;

  const fail = (found: Flaw): false => {
    flaw ??= found;
    return false;
  };

  const failOwed = (missing: Checkpoint): false => {
    const { position } = missing;
    const what = 'a checkpoint that was kept elsewhere is not in the log';
    return fail({ position, what, expected: digestOf(missing), found: 'none' });
  };
  const settleOwed = (): boolean => !owed || signedLater || failOwed(owed);

  return {
    event: (event, stream, revision) => {
      const { position, time, hash } = event;
      if (flaw || !settleOwed()) return false;
      if (!Number.isInteger(time) || Math.abs(time) > MAX_TIME_MS) {
        // What is finer than the hash can tell was not written by the store.
        const what = 'the time is not one of whole milliseconds';
        return fail({ position, what, expected: 'whole milliseconds', found: `${time} ms since 1970` });
      }
      const broken = last && brokenLink(last, event);
      if (broken) return fail(broken);
      const seen = streams.get(stream);
      if (seen && revision !== seen.last + 1) return fail(brokenRevision(position, stream, seen.last + 1, revision));
      if (seen) seen.last = revision;
      else streams.set(stream, { first: revision, position, last: revision });
      const signed = keptAt.size > 0 ? keptAt.get(position) : undefined;
      if (signed && signed.hash !== hash) {
        const what = 'the event is not the one that a checkpoint kept elsewhere vouches for';
        return fail({ position, what, expected: signed.hash, found: hash });
      }
      owed = signed;
      first ??= event;
      last = event;
      return true;
    },
    checkpoint: (checkpoint) => {
      const { position, hash, time, previous } = checkpoint;
      if (flaw) return false;
      if (last?.position !== position) {
        const what = 'the event that the checkpoint here vouches for is missing';
        return fail({ position, what, expected: hash, found: 'none' });
      }
      const signed = checkSignature(checkpoint);
      if (typeof signed === 'object') return fail(signed);
      if (last.hash !== hash) {
        return fail({ position, what: 'the event is not the one that was signed', expected: hash, found: last.hash });
      }
      if (!(time.getTime() >= last.time)) {
        const what = 'the checkpoint was signed before its event was written';
        return fail({ position, what, expected: `${isoOf(last.time)} or later`, found: isoOf(time.getTime()) });
      }
      if (lastDigest !== undefined && previous !== lastDigest)
        return fail(brokenCheckpointChain(checkpoint, lastDigest));
      lastDigest = digestOf(checkpoint);
      if (owed && digestOf(owed) !== lastDigest) return failOwed(owed);
      owed = undefined;
      firstCheckpoint ??= checkpoint;
      if (signed) signatures.good++;
      else signatures.unchecked++;
      return true;
    },
    fail: (found) => void fail(found),
    get next() {
      return last && last.position + 1;
    },
    get failed() {
      return flaw !== undefined;
    },
    report: () => {
      if (!flaw) settleOwed();
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
    },
  };
};

/** Of what Date can hold. */
const MAX_TIME_MS = 8.64e15;

const isoOf = (ms: number): string => (Math.abs(ms) <= MAX_TIME_MS ? new Date(ms).toISOString() : `${ms} ms`);
