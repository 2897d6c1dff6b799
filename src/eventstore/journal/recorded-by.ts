import { accountStream } from '../../domain/account/account.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import type { EventStore } from '../event-store.ts';
import { eventId } from '../ids.ts';
import { decode, type Recorded } from './codec.ts';

/** The first event that a command wrote to the stream of an account, or the first of these types; undefined if it wrote none. */
export const recordedBy = async (
  store: Pick<EventStore, 'findEvent'>,
  accountId: string,
  commandId: string,
  types?: readonly AccountEvent['type'][],
): Promise<Recorded<AccountEvent> | undefined> => {
  for (let n = 0; ; n++) {
    const stored = await store.findEvent(accountStream(accountId), eventId(commandId, n));
    if (!stored) return undefined;
    const recorded = decode(stored) as Recorded<AccountEvent>;
    if (!types || types.includes(recorded.event.type)) return recorded;
  }
};
