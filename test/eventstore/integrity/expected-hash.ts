import { createHash } from 'node:crypto';
import type { StreamEvent } from '../../../src/eventstore/event-store.ts';
import type { ChainedEvent } from '../../../src/eventstore/chained-log.ts';
import { chainHash, contentHash } from '../../../src/eventstore/integrity/chain.ts';

/** The hash that a stored event must have after an event with the hash `previous`. */
export const expectedHash = (previous: string, event: ChainedEvent): string =>
  chainHash(previous, contentHash(event, event.stream, event.revision), event.position, event.time);

/** The token that an event must have in EventStoreDB after one with the token `previous` in its stream; empty for the first. */
export const expectedToken = (previous: string, event: StreamEvent): string =>
  createHash('sha256')
    .update(`${previous}\n${contentHash(event, event.stream, event.revision)}`)
    .digest('hex');
