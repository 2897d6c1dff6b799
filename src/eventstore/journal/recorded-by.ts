import { accountStream } from '../../domain/account/account.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import type { EventStore } from '../event-store.ts';
import { eventId } from '../ids.ts';
import { decode, type Recorded } from './codec.ts';

/** The first event that a command wrote to the stream of an account; undefined if it wrote none. */
export const recordedBy = async (
  store: Pick<EventStore, 'findEvent'>,
  accountId: string,
  commandId: string,
): Promise<Recorded<AccountEvent> | undefined> => {
  const stored = await store.findEvent(accountStream(accountId), eventId(commandId, 0));
  return stored && (decode(stored) as Recorded<AccountEvent>);
};
