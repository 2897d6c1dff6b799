import type { ChainedEvent } from '../../../src/eventstore/chained-log.ts';
import { chainHash, contentHash } from '../../../src/eventstore/integrity/chain.ts';

/** The hash that a stored event must have after an event with the hash `previous`. */
export const expectedHash = (previous: string, event: ChainedEvent): string =>
  chainHash(previous, contentHash(event, event.stream, event.revision), event.position, event.time);
