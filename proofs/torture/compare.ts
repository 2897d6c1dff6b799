import { GENESIS } from '../../src/eventstore/integrity/chain.ts';
import { expectedHash } from '../../test/eventstore/integrity/expected-hash.ts';
import type { ChainedEvent } from '../../src/eventstore/chained-log.ts';
import { ID_AT, ID_END, positionIn, RECORD_BYTES, recordOf, UNPLACED } from './records.ts';

/** The complete log as records. */
export type LogImage = {
  readonly events: number;
  /** Positions or stream revisions that are not consecutive. */
  readonly outOfPlace: number;
  /** Events whose hash does not match the chain. */
  readonly brokenLinks: number;
  readonly idsTwice: number;
  /** The index (from 0) of the event with the id of this record; undefined if there is none. */
  findId(record: Buffer): number | undefined;
  /** Like `findId`, but the stream must match as well, and the position, if the record has one. */
  find(record: Buffer): number | undefined;
};

type Chunks = AsyncIterable<Buffer> | Iterable<Buffer>;

export const imageOfLog = async (
  pages: AsyncIterable<readonly ChainedEvent[]> | Iterable<readonly ChainedEvent[]>,
): Promise<LogImage> => {
  const parts: Buffer[] = [];
  const revisions = new Map<string, number>();
  const before = { position: 0, hash: GENESIS };
  let outOfPlace = 0;
  let brokenLinks = 0;
  for await (const page of pages) {
    for (const event of page) {
      const { position, stream, revision, hash } = event;
      if (position !== before.position + 1 || revision !== (revisions.get(stream) ?? -1) + 1) outOfPlace++;
      if (hash !== expectedHash(before.hash, event)) brokenLinks++;
      revisions.set(stream, revision);
      Object.assign(before, { position, hash });
    }
    parts.push(Buffer.concat(page.map(recordOf)));
  }
  const log = Buffer.concat(parts);
  const events = log.length / RECORD_BYTES;

  // From ids to indexes. Open addressing, because a Map of as many strings would take ten times the memory.
  const table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * events + 2)));
  const slotOf = (record: Buffer): number => {
    // The end of an id is random in every kind of UUID that is used here; its beginning is a time.
    for (let slot = record.readUInt32BE(ID_END - 4); ; slot++) {
      const taken = table[slot % table.length] ?? 0;
      if (taken === 0) return slot % table.length;
      const at = (taken - 1) * RECORD_BYTES;
      if (log.compare(record, ID_AT, ID_END, at + ID_AT, at + ID_END) === 0) return slot % table.length;
    }
  };
  let idsTwice = 0;
  for (let n = 0; n < events; n++) {
    const slot = slotOf(log.subarray(n * RECORD_BYTES, (n + 1) * RECORD_BYTES));
    if (table[slot]) idsTwice++;
    else table[slot] = n + 1;
  }
  const findId = (record: Buffer): number | undefined => {
    const taken = table[slotOf(record)] ?? 0;
    return taken === 0 ? undefined : taken - 1;
  };
  return {
    events,
    outOfPlace,
    brokenLinks,
    idsTwice,
    findId,
    find: (record) => {
      const n = findId(record);
      if (n === undefined) return undefined;
      const from = positionIn(record) === UNPLACED ? ID_AT : 0;
      const isSame = log.compare(record, from, RECORD_BYTES, n * RECORD_BYTES + from, (n + 1) * RECORD_BYTES) === 0;
      return isSame ? n : undefined;
    },
  };
};

async function* recordsIn(chunks: Chunks): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += RECORD_BYTES) yield chunk.subarray(at, at + RECORD_BYTES);
  }
}

export type Deliveries = {
  readonly deliveries: number;
  /** Events of the log that were never delivered. */
  readonly losses: number;
  /** Events that were delivered again. */
  readonly duplicates: number;
  /** Events that were delivered after one of their successors. */
  readonly reorderings: number;
  /** Delivered events that are not in the log, or are at another place in it. */
  readonly strangers: number;
};

/** Compares the deliveries to one follower with the log. */
export const compareDeliveries = async (log: LogImage, chunks: Chunks): Promise<Deliveries> => {
  const seen = new Uint8Array(log.events);
  const counts = { deliveries: 0, losses: log.events, duplicates: 0, reorderings: 0, strangers: 0 };
  let highest = -1;
  for await (const record of recordsIn(chunks)) {
    counts.deliveries++;
    const n = log.find(record);
    if (n === undefined) counts.strangers++;
    else if (seen[n]) counts.duplicates++;
    else {
      seen[n] = 1;
      counts.losses--;
      if (n < highest) counts.reorderings++;
      highest = Math.max(highest, n);
    }
  }
  return counts;
};

/**
 * Counts the events that were acknowledged to a writer as durable, and those of them that the log lacks at that place.
 */
export const compareAcknowledged = async (
  log: LogImage,
  chunks: Chunks,
): Promise<{ readonly acknowledged: number; readonly lost: number }> => {
  const counts = { acknowledged: 0, lost: 0 };
  for await (const record of recordsIn(chunks)) {
    counts.acknowledged++;
    if (log.find(record) === undefined) counts.lost++;
  }
  return counts;
};

/** Counts the events that a writer rolled back, and those of them that are in the log nevertheless. */
export const compareWithdrawn = async (
  log: LogImage,
  chunks: Chunks,
): Promise<{ readonly withdrawn: number; readonly kept: number }> => {
  const counts = { withdrawn: 0, kept: 0 };
  for await (const record of recordsIn(chunks)) {
    counts.withdrawn++;
    if (log.findId(record) !== undefined) counts.kept++;
  }
  return counts;
};
