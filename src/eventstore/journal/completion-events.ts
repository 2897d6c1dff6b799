import type { AccountEvent } from '../../domain/account/events.ts';
import type { ChainedLog } from '../chained-log.ts';
import type { StoredEvent } from '../event-store.ts';
import { metadataOf } from './codec.ts';

/** The types of the events that completions write: many, and found by their generation. */
export const COMPLETION_EVENTS: ReadonlySet<string> = new Set<AccountEvent['type']>([
  'CreditsReserved',
  'HoldExtended',
  'HoldSettled',
  'HoldReleased',
  'LateUsageCharged',
  'UsageWrittenOff',
]);

export type EventOfRequest = Pick<StoredEvent, 'stream' | 'revision' | 'position' | 'time' | 'type'> & {
  readonly actor: string;
};

const MAX_EVENTS_OF_REQUEST = 100;

/** The events that an HTTP request wrote, except those of completions; the oldest first, at most 100. */
export const eventsOfRequest = async (
  log: Pick<ChainedLog, 'findByCorrelation'>,
  requestId: string,
): Promise<readonly EventOfRequest[]> => {
  const found = await log.findByCorrelation(requestId, MAX_EVENTS_OF_REQUEST, [...COMPLETION_EVENTS]);
  return found.map((stored) => {
    const { stream, revision, position, time, type } = stored;
    return { stream, revision, position, time, type, actor: metadataOf(stored).actor };
  });
};
