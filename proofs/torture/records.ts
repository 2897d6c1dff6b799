import { hash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** The record of an event outside PostgreSQL, written by the process that received it. */
export type Placed = { readonly position: number; readonly id: string; readonly stream: string };

/** 8 bytes of position, 16 of the id, 8 of a digest of the stream: ten minutes of events fit into memory. */
export const RECORD_BYTES = 32;
export const ID_AT = 8;
export const ID_END = 24;
const CHUNK_BYTES = RECORD_BYTES * 4096;

export const recordOf = ({ position, id, stream }: Placed): Buffer => {
  const record = Buffer.allocUnsafe(RECORD_BYTES);
  record.writeBigUInt64BE(BigInt(position), 0);
  record.write(id.replaceAll('-', ''), ID_AT, 'hex');
  record.write(hash('sha256', stream, 'hex').slice(0, 2 * (RECORD_BYTES - ID_END)), ID_END, 'hex');
  return record;
};

/** The position in a record of an event that was acknowledged before the store gave it one. */
export const UNPLACED = 0;

export const positionIn = (record: Buffer): number => Number(record.readBigUInt64BE(0));

export type Tail = { readonly count: number; readonly position: number };

const tailOf = (file: number): Tail => {
  const count = Math.floor(fstatSync(file).size / RECORD_BYTES);
  if (count === 0) return { count, position: 0 };
  const record = Buffer.alloc(RECORD_BYTES);
  readSync(file, record, 0, RECORD_BYTES, (count - 1) * RECORD_BYTES);
  return { count, position: positionIn(record) };
};

/** The number of records in a file, and the position in the last one. A missing file has no records. */
export const readTail = (path: string): Tail => {
  const file = openSync(path, 'a+');
  try {
    return tailOf(file);
  } finally {
    closeSync(file);
  }
};

export type RecordFile = {
  /** The position in the last record, or 0 without a record. */
  readonly position: number;
  append(events: readonly Placed[]): void;
};

/** For one process at a time, which may be killed at any moment: the next one truncates a partial record. */
export const openRecords = (path: string): RecordFile => {
  const file = openSync(path, 'a+');
  const { count, position } = tailOf(file);
  ftruncateSync(file, count * RECORD_BYTES);
  const state = { position };
  return {
    get position() {
      return state.position;
    },
    append: (events) => {
      const last = events.at(-1);
      if (!last) return;
      const bytes = Buffer.concat(events.map(recordOf));
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
      state.position = last.position;
    },
  };
};

/** Reads a file in chunks of whole records. */
export async function* readRecords(path: string): AsyncGenerator<Buffer> {
  const file = await open(path, 'a+');
  try {
    for (let at = 0; ;) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, at);
      const whole = bytesRead - (bytesRead % RECORD_BYTES);
      if (whole === 0) return;
      at += whole;
      yield buffer.subarray(0, whole);
    }
  } finally {
    await file.close();
  }
}
