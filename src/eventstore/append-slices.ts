import type { QueryConfig } from 'pg';
import { contentHash } from './chain.ts';
import type { Slice } from './event-store.ts';

/**
 * The call of the SQL function that appends a batch: one round trip, prepared once per connection. Its arrays travel in
 * PostgreSQL's binary form, which costs a fraction of what escaping them does; and texts stay texts, for PostgreSQL reads
 * what is nested in JSON, and refuses the escapes \u0000 and \ud800.
 */
export const appendSlices = (writer: string, slices: readonly Slice[]): QueryConfig => {
  const numbered = slices.flatMap(({ stream, expectedRevision, events }, n) =>
    events.map((event, i) => ({ event, stream, revision: expectedRevision + 1 + i, slice: n + 1 })),
  );
  return {
    name: 'append_slices',
    text: 'select first_positions, appended_at from append_slices($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
    values: [
      writer,
      texts(slices.map(({ stream }) => stream)),
      bigints(slices.map(({ expectedRevision }) => expectedRevision)),
      ints(numbered.map(({ slice }) => slice)),
      texts(numbered.map(({ stream }) => stream)),
      bigints(numbered.map(({ revision }) => revision)),
      uuids(numbered.map(({ event }) => event.id)),
      texts(numbered.map(({ event }) => event.type)),
      smallints(numbered.map(({ event }) => event.version)),
      hashes(numbered.map(({ event, stream, revision }) => contentHash(event, stream, revision))),
      texts(numbered.map(({ event }) => event.data)),
      texts(numbered.map(({ event }) => event.metadata)),
    ],
  };
};

// Types of PostgreSQL, by the numbers that its catalogue gives them for ever.
const BYTEA = 17;
const INT8 = 20;
const INT2 = 21;
const INT4 = 23;
const TEXT = 25;
const UUID = 2950;

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;

/** Room for an array of one dimension whose elements have so many bytes together, with its header written. */
const arrayOf = (type: number, count: number, elementBytes: number): Buffer => {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + count * LENGTH_BYTES + elementBytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(0, 4); // No element is null.
  buffer.writeInt32BE(type, 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16); // Counted from 1.
  return buffer;
};

const texts = (values: readonly string[]): Buffer => {
  const buffer = arrayOf(
    TEXT,
    values.length,
    values.reduce((bytes, value) => bytes + Buffer.byteLength(value), 0),
  );
  let at = HEADER_BYTES;
  for (const value of values) {
    const bytes = buffer.write(value, at + LENGTH_BYTES);
    buffer.writeInt32BE(bytes, at);
    at += LENGTH_BYTES + bytes;
  }
  return buffer;
};

/** Values of one size each. */
const fixed =
  <T>(type: number, size: number, write: (buffer: Buffer, value: T, at: number) => void) =>
  (values: readonly T[]): Buffer => {
    const buffer = arrayOf(type, values.length, values.length * size);
    let at = HEADER_BYTES;
    for (const value of values) {
      buffer.writeInt32BE(size, at);
      write(buffer, value, at + LENGTH_BYTES);
      at += LENGTH_BYTES + size;
    }
    return buffer;
  };

const smallints = fixed(INT2, 2, (buffer, value: number, at) => buffer.writeInt16BE(value, at));
const ints = fixed(INT4, 4, (buffer, value: number, at) => buffer.writeInt32BE(value, at));
const bigints = fixed(INT8, 8, (buffer, value: number, at) => buffer.writeBigInt64BE(BigInt(value), at));
const uuids = fixed(UUID, 16, (buffer, value: string, at) => buffer.write(value.replaceAll('-', ''), at, 'hex'));
const hashes = fixed(BYTEA, 32, (buffer, value: string, at) => buffer.write(value, at, 'hex'));
