import { hash } from 'node:crypto';
import type { NewEvent, StoredEvent } from '../event-store.ts';

/** What the first event of the log is chained to. */
export const GENESIS = '0'.repeat(64);

/**
 * A hash over everything that a writer says of an event. The lengths are part of it, so that no other event reads the
 * same; the texts are taken byte for byte as the store keeps them.
 */
export const contentHash = (
  { id, type, version, data, metadata }: NewEvent,
  stream: string,
  revision: number,
): string =>
  hash('sha256', `${stream}\n${revision}\n${id}\n${type}\n${version}\n${data.length}\n${data}${metadata}`, 'hex');

/**
 * Chains an event to the one before it in the log, with what the store adds: its position and time. Whoever changes,
 * moves, inserts or removes an event breaks every hash from there on. In SQL the same is in `append_slices`.
 */
export const chainHash = (previous: string, content: string, position: number, time: Date): string => {
  const link = Buffer.allocUnsafe(80);
  link.write(previous, 0, 'hex');
  link.write(content, 32, 'hex');
  link.writeBigInt64BE(BigInt(position), 64);
  link.writeBigInt64BE(BigInt(time.getTime()), 72);
  return hash('sha256', link, 'hex');
};

/** The hash that a stored event must have, after an event with the hash `previous`. */
export const expectedHash = (previous: string, event: StoredEvent): string =>
  chainHash(previous, contentHash(event, event.stream, event.revision), event.position, event.time);
