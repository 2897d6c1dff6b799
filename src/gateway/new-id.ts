import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES_PER_ID = 16;
const pool = Buffer.allocUnsafe(256 * BYTES_PER_ID);
let used = pool.length;

/**
 * Requesting random bytes from the system once for many ids is much cheaper than once per id. No byte is used twice.
 */
const random = (): Uint8Array => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES_PER_ID;
  return pool.subarray(used - BYTES_PER_ID, used);
};

/** A time-ordered UUID (version 7, RFC 9562). UUIDs of the same millisecond have no order. */
export const newId = (): string => v7({ random: random() });
