import { isAscii } from 'node:buffer';
import { hash } from 'node:crypto';
import type { Chained } from './range.ts';

/** The columns of an event, in the order that `readEvent` expects. */
export const EVENT_COLUMNS = 'position, time, stream, revision, id, type, version, data, metadata, hash';

export type EventBytes = {
  readonly event: Chained;
  readonly stream: string;
  readonly revision: number;
};

/** PostgreSQL counts microseconds from 2000-01-01. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
const LINE_FEED = 10;
const DASH = 45;
const HEX = Buffer.from('0123456789abcdef');
const DASHES_BEFORE = new Set([4, 6, 8, 10]);

let scratch = Buffer.allocUnsafe(64 * 1024);

/** Exact up to 2^53. Larger values are rounded, so a comparison with the correct value fails. */
export const int64 = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);

/** In milliseconds since 1970; a fraction if the time has microseconds. */
export const instant = (bytes: Buffer, at: number): number => int64(bytes, at) / 1000 + EPOCH_MS;

/**
 * Reads an event from its row in binary format, and computes the hash of its content. The hash is that of `contentHash` in
 * chain.ts, computed from the bytes of the row without a string for each column.
 */
export const readEvent = (bytes: Buffer, firstColumn: number): EventBytes => {
  let at = firstColumn;
  /** The end of the column at this offset. Its value starts four bytes later. */
  const end = (start: number): number => start + 4 + Math.max(0, bytes.readInt32BE(start));
  const position = int64(bytes, at + 4);
  at = end(at);
  const time = instant(bytes, at + 4);
  at = end(at);
  const streamAt = at + 4;
  const streamEnd = (at = end(at));
  const revision = int64(bytes, at + 4);
  at = end(at);
  const idAt = at + 4;
  at = end(at);
  const typeAt = at + 4;
  const typeEnd = (at = end(at));
  const version = bytes.readInt16BE(at + 4);
  at = end(at);
  const dataAt = at + 4;
  const dataEnd = (at = end(at));
  const metadataAt = at + 4;
  const metadataEnd = (at = end(at));
  const storedHash = bytes.toString('hex', at + 4, end(at));

  const most = metadataEnd - firstColumn + 128;
  if (scratch.length < most) scratch = Buffer.allocUnsafe(2 * most);
  let n = bytes.copy(scratch, 0, streamAt, streamEnd);
  scratch[n++] = LINE_FEED;
  n += scratch.write(`${revision}`, n, 'latin1');
  scratch[n++] = LINE_FEED;
  for (let i = 0; i < 16; i++) {
    if (DASHES_BEFORE.has(i)) scratch[n++] = DASH;
    const byte = bytes[idAt + i] ?? 0;
    scratch[n++] = HEX[byte >> 4] ?? 0;
    scratch[n++] = HEX[byte & 15] ?? 0;
  }
  scratch[n++] = LINE_FEED;
  n += bytes.copy(scratch, n, typeAt, typeEnd);
  // The length of the data is in UTF-16 units, as in chain.ts.
  const dataLength = isAscii(bytes.subarray(dataAt, dataEnd))
    ? dataEnd - dataAt
    : bytes.toString('utf8', dataAt, dataEnd).length;
  n += scratch.write(`\n${version}\n${dataLength}\n`, n, 'latin1');
  n += bytes.copy(scratch, n, dataAt, dataEnd);
  n += bytes.copy(scratch, n, metadataAt, metadataEnd);
  const content = hash('sha256', scratch.subarray(0, n), 'hex');
  return {
    event: { position, time, hash: storedHash, content },
    stream: bytes.toString('utf8', streamAt, streamEnd),
    revision,
  };
};
