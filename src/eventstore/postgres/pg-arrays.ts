// Query parameters that are arrays. Binary for columns of known types: escaping long texts would dominate the cost of an append.

// Object ids of PostgreSQL's types (pg_type.dat). They never change.
const BYTEA = 17;
const INT8 = 20;
const INT2 = 21;
const INT4 = 23;
const TEXT = 25;
const UUID = 2950;

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;

/** A buffer for an array of one dimension, with its header. `elementBytes` is the size of all elements together. */
const arrayOf = (type: number, count: number, elementBytes: number): Buffer => {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + count * LENGTH_BYTES + elementBytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(0, 4); // No element is null.
  buffer.writeInt32BE(type, 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16); // Counted from 1.
  return buffer;
};

/** For types whose values differ in size. */
const varying =
  <T>(type: number, sizeOf: (value: T) => number, write: (buffer: Buffer, value: T, at: number) => number) =>
  (values: readonly T[]): Buffer => {
    const buffer = arrayOf(
      type,
      values.length,
      values.reduce((bytes, value) => bytes + sizeOf(value), 0),
    );
    let at = HEADER_BYTES;
    for (const value of values) {
      const bytes = write(buffer, value, at + LENGTH_BYTES);
      buffer.writeInt32BE(bytes, at);
      at += LENGTH_BYTES + bytes;
    }
    return buffer;
  };

/** For types whose values have one size. */
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

export const texts = varying(
  TEXT,
  (value: string) => Buffer.byteLength(value),
  (buffer, value, at) => buffer.write(value, at),
);
export const buffers = varying(
  BYTEA,
  (value: Buffer) => value.length,
  (buffer, value, at) => value.copy(buffer, at),
);
export const smallints = fixed(INT2, 2, (buffer, value: number, at) => buffer.writeInt16BE(value, at));
export const ints = fixed(INT4, 4, (buffer, value: number, at) => buffer.writeInt32BE(value, at));
export const bigints = fixed(INT8, 8, (buffer, value: number, at) => buffer.writeBigInt64BE(BigInt(value), at));
export const uuids = fixed(UUID, 16, (buffer, value: string, at) => buffer.write(value.replaceAll('-', ''), at, 'hex'));
/** SHA-256 in hexadecimal, as bytea. */
export const hashes = fixed(BYTEA, 32, (buffer, value: string, at) => buffer.write(value, at, 'hex'));
/** Bytes in hexadecimal, of any length, as bytea. */
export const hexBytes = varying(
  BYTEA,
  (value: string) => value.length / 2,
  (buffer, value, at) => buffer.write(value, at, 'hex'),
);

/** A column value of any type, or null. */
export type ColumnValue = string | number | bigint | boolean | Date | null;

/**
 * An array as text, for a column of any type. Many columns repeat a value row after row; such a value is encoded only once.
 */
export const arrayText = <T>(items: readonly T[], valueOf: (item: T) => ColumnValue | undefined): string => {
  let before: ColumnValue | undefined;
  let text = '';
  const elements = items.map((item) => {
    const value = valueOf(item) ?? null;
    if (value !== before) {
      before = value;
      text = typeof value === 'string' ? quoted(value) : value instanceof Date ? value.toISOString() : String(value);
    }
    return text;
  });
  return `{${elements.join(',')}}`;
};

const SPECIAL = /["\\\0\ud800-\udfff]/;
const quoted = (text: string): string =>
  SPECIAL.test(text) ? `"${storable(text).replaceAll(/["\\]/g, '\\$&')}"` : `"${text}"`;

/** The log stores any text of a provider. PostgreSQL's `text` does not, and one such text would stop all rows. */
const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd');
