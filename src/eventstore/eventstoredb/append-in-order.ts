import { NO_STREAM } from '@eventstore/db-client';
import { StoreUnavailable } from '../event-store.ts';
import { asStoreFault, within } from './connection/client-faults.ts';
import { sealEvent } from './connection/envelope.ts';
import type { FollowingEvent } from './copy/following-events.ts';
import type { Session } from './connection/sessions.ts';

const APPEND_WITHIN_MS = 10_000;
/** So many appends are sent before the answer to the first is read. */
const UNDER_WAY = 256;
/** EventStoreDB refuses an append of more than a mebibyte. */
const APPEND_CHARACTERS = 200_000;

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
  const waiting: Promise<number>[] = [];
  let last = -1;
  const settle = async (): Promise<void> => {
    const [first] = waiting.splice(0, 1);
    if (!first) return;
    const place = await within(APPEND_WITHIN_MS, 'an append', first).catch((cause: unknown) => {
      throw asStoreFault(cause);
    });
    if (place <= last) throw new StoreUnavailable('EventStoreDB did not keep the order of the log');
    last = place;
  };
  for (const [n, run] of runsOf(events).entries()) {
    const appending = appendRun(session, prefix, run);
    appending.catch(() => undefined); // Awaited in its turn.
    waiting.push(appending);
    // The first append of a client opens the stream of requests, so it goes alone.
    if (n === 0 || waiting.length >= UNDER_WAY) await settle();
  }
  while (waiting.length > 0) await settle();
  return last;
};

/** Consecutive events of one stream are one append, unless it becomes too large. */
const runsOf = (events: readonly FollowingEvent[]): readonly (readonly FollowingEvent[])[] => {
  const runs: FollowingEvent[][] = [];
  let characters = 0;
  for (const event of events) {
    const run = runs.at(-1);
    const more = event.data.length + event.metadata.length;
    if (run?.[0]?.stream === event.stream && characters + more <= APPEND_CHARACTERS) {
      run.push(event);
      characters += more;
    } else {
      runs.push([event]);
      characters = more;
    }
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
