import { hash } from 'node:crypto';
import type { NewEvent } from '../event-store.ts';

/** The hash before the first event of the log. */
export const GENESIS = '0'.repeat(64);

/**
 * SHA-256 in hexadecimal over all that the writer of an event sets. The text contains the length of the data, so that no
 * other event has the same text. Data and metadata are taken byte for byte.
 */
export const contentHash = (
  { id, type, version, data, metadata }: NewEvent,
  stream: string,
  revision: number,
): string =>
  hash('sha256', `${stream}\n${revision}\n${id}\n${type}\n${version}\n${data.length}\n${data}${metadata}`, 'hex');

/**
 * Chains an event to the event before it in the log, with the position and time that the store sets. A changed, moved,
 * inserted or removed event breaks every hash after it. The SQL function `append_batch` computes the same.
 */
export const chainHash = (previous: string, content: string, position: number, time: Date): string => {
  const link = Buffer.allocUnsafe(80);
  link.write(previous, 0, 'hex');
  link.write(content, 32, 'hex');
  link.writeBigInt64BE(BigInt(position), 64);
  link.writeBigInt64BE(BigInt(time.getTime()), 72);
  return hash('sha256', link, 'hex');
};
