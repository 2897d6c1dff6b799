import { NO_STREAM } from '@eventstore/db-client';
import { StoreUnavailable } from '../event-store.ts';
import type { ChainedEvent } from '../chained-log.ts';
import { asStoreFault, within } from './client-faults.ts';
import { sealEvent } from './envelope.ts';
import type { Session } from './sessions.ts';

/** An event of the copy and the token of the event before it in its stream; empty for the first. */
export type FollowingEvent = ChainedEvent & { readonly previous: string };

const APPEND_WITHIN_MS = 10_000;
/** So many events are sent before the answers to them are read. */
const AT_ONCE = 256;

/**
 * Appends events that have their place in the log already, in the order of the log. One connection keeps the order, and the
 * places in the answers show that it was kept. An append that is repeated writes nothing. Resolves to the place of the last
 * event. Rejects with StoreUnavailable; the caller then looks how far the server came.
 */
export const appendInOrder = async (
  session: Session,
  prefix: string,
  events: readonly FollowingEvent[],
): Promise<number> => {
  let last = -1;
  for (let from = 0; from < events.length; from += AT_ONCE) {
    const some = runsOf(events.slice(from, from + AT_ONCE));
    const appending = Promise.all(some.map((run) => appendRun(session, prefix, run)));
    const places = await within(APPEND_WITHIN_MS, 'appends', appending).catch((cause: unknown) => {
      throw asStoreFault(cause);
    });
    for (const place of places) {
      if (place <= last) throw new StoreUnavailable('EventStoreDB did not keep the order of the log');
      last = place;
    }
  }
  return last;
};

/** Consecutive events of one stream are one append. */
const runsOf = (events: readonly FollowingEvent[]): readonly (readonly FollowingEvent[])[] => {
  const runs: FollowingEvent[][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run?.[0]?.stream === event.stream) run.push(event);
    else runs.push([event]);
  }
  return runs;
};

const appendRun = async ({ client }: Session, prefix: string, run: readonly FollowingEvent[]): Promise<number> => {
  const [first] = run as readonly [FollowingEvent];
  const named = prefix + first.stream;
  const sealed = run.map((event) => {
    const at = { position: event.position, time: event.time.getTime(), token: event.token };
    const place = { stream: event.stream, named, revision: event.revision };
    return sealEvent(event, place, { previous: event.previous, at }).event;
  });
  const expectedRevision = first.revision === 0 ? NO_STREAM : BigInt(first.revision - 1);
  const { position } = await client.appendToStream(named, sealed, { expectedRevision });
  if (!position) throw new StoreUnavailable('EventStoreDB did not say where it appended');
  return Number(position.commit);
};
