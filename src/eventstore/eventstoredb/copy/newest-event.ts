import { BACKWARDS, END } from '@eventstore/db-client';
import { BESIDE_LOG } from '../beside-log.ts';
import { asStoreFault, within } from '../connection/client-faults.ts';
import { openEvent, type CommittedEvent } from '../connection/envelope.ts';
import type { Entry } from '../gate.ts';

const FIRST_PAGE = 20;
const PAGE = 500;
const READ_WITHIN_MS = 5000;

/** The newest event of the log after a place, passing over other streams of the server. Rejects with StoreUnavailable. */
export const newestEvent = async (
  { session, streams }: Pick<Entry, 'session' | 'streams'>,
  floor: number,
): Promise<CommittedEvent | undefined> => {
  let from: 'end' | { commit: bigint; prepare: bigint } = END;
  for (let size = FIRST_PAGE; ; size = PAGE) {
    const reading = session.client.readAll({
      ...{ direction: BACKWARDS, fromPosition: from, maxCount: size, requiresLeader: true },
    });
    let count = 0;
    let isBelow = false;
    let found: CommittedEvent | undefined;
    const look = async (): Promise<void> => {
      for await (const { event } of reading) {
        count++;
        if (!event) continue;
        from = event.position;
        const { streamId } = event;
        isBelow ||= Number(event.position.commit) <= floor;
        if (found || isBelow || !streamId.startsWith(streams) || BESIDE_LOG.has(streamId.slice(streams.length)))
          continue;
        found = openEvent(event, streams, event.position.commit);
      }
    };
    try {
      await within(READ_WITHIN_MS, 'reading the end of all events', look());
    } catch (cause) {
      void reading.cancel().catch(() => undefined);
      throw asStoreFault(cause);
    }
    if (found || isBelow || count < size) return found;
  }
};
