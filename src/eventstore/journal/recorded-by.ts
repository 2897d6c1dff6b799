import type { AccountEvent } from '../../domain/account/events.ts';
import { decode, type Recorded } from './codec.ts';
import type { EventStore } from '../event-store.ts';
import { eventId } from '../ids.ts';

/** The first event that a command on an account left in the log; undefined where it left none. */
export const recordedBy = async (
  store: Pick<EventStore, 'findEvent'>,
  commandId: string,
): Promise<Recorded<AccountEvent> | undefined> => {
  const stored = await store.findEvent(eventId(commandId, 0));
  return stored && (decode(stored) as Recorded<AccountEvent>);
};
