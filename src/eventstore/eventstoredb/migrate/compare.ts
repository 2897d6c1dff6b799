import type pg from 'pg';
import { StoreUnavailable } from '../../event-store.ts';
import { within } from '../connection/client-faults.ts';
import { secondId } from '../copy/copy-events.ts';
import { ForeignEvent, type CommittedEvent } from '../connection/envelope.ts';
import { readFollowing, type FollowingEvent } from '../copy/following-events.ts';
import type { Entry } from '../gate.ts';
import { subscribeToLog } from '../copy/subscription.ts';
import type { Compared } from './compared.ts';

/** The first event that is not the same in both stores. */
export type Difference = { readonly position: number; readonly what: string };

export type CompareOptions = {
  readonly pool: pg.Pool;
  readonly entry: Entry;
  /** What is the same already; position 0 and the place of the beginning if nothing was compared. */
  readonly from: Compared & { readonly time: number };
  /** The place of the newest event in EventStoreDB. */
  readonly until: number;
  readonly compared: (compared: Compared) => Promise<void>;
  readonly progress: (position: number) => void;
  readonly metadataSet: (stream: string) => void;
};

const AT_ONCE = 1000;
const SAVE_EVERY = 20_000;
const SILENT_MS = 20_000;

type Page = { readonly events: readonly CommittedEvent[]; readonly rows: Promise<readonly FollowingEvent[]> };

/**
 * Reads the log back from EventStoreDB, and compares each event with PostgreSQL: bytes, order, place in its stream, position,
 * time and token. Rejects with StoreUnavailable if a store ends the reading.
 */
export const compareLogs = async (options: CompareOptions): Promise<Difference | undefined> => {
  const { pool, entry, from, until, progress } = options;
  let at: Compared & { readonly time: number } = from;
  let saved = from.position;
  const passed = (): void => undefined;
  const subscription = subscribeToLog(entry, {
    ...{ after: from.storePosition, passed },
    metadataSet: (stream) => options.metadataSet(stream),
  });
  const next = async (after: number): Promise<Page | undefined> => {
    const events = await within(SILENT_MS, 'reading all events', subscription.next(AT_ONCE));
    if (!events) return undefined;
    const wanted = events.filter(({ commit }) => commit <= until);
    const rows = readFollowing(pool, after, wanted.length);
    rows.catch(() => undefined); // Awaited below.
    return { events: wanted, rows };
  };
  try {
    let page = from.storePosition < until ? await next(from.position) : undefined;
    while (page) {
      const { events, rows: reading } = page;
      const isLast = (events.at(-1)?.commit ?? until) >= until;
      // The next page is read while this one is compared.
      const following: Promise<Page | undefined> = isLast
        ? Promise.resolve(undefined)
        : next(at.position + events.length);
      following.catch(() => undefined);
      const rows = await reading;
      for (const [n, event] of events.entries()) {
        const row = rows[n];
        const what = difference(event, row, at);
        if (what !== undefined || !row) return { position: at.position + 1, what: what ?? '' };
        at = { ...at, position: row.position, hash: row.hash, time: row.time.getTime(), storePosition: event.commit };
      }
      progress(at.position);
      if (at.position - saved >= SAVE_EVERY) await options.compared(at);
      if (at.position - saved >= SAVE_EVERY) saved = at.position;
      page = await following;
      if (!page && !isLast) throw subscription.fault instanceof ForeignEvent ? subscription.fault : lost();
    }
    if (at.position > saved) await options.compared(at);
    return undefined;
  } catch (error) {
    if (error instanceof ForeignEvent) return { position: at.position + 1, what: error.message };
    throw error instanceof StoreUnavailable ? error : lost(error);
  } finally {
    subscription.close();
  }
};

const lost = (cause?: unknown): StoreUnavailable =>
  new StoreUnavailable('EventStoreDB ended the reading of all events', { cause });

/** What is not the same; undefined if all is. */
const difference = (
  event: CommittedEvent,
  row: FollowingEvent | undefined,
  before: { readonly position: number; readonly time: number },
): string | undefined => {
  const named = `event ${event.revision} of ${event.stream} in EventStoreDB`;
  if (!row) return `the ${named} is not in PostgreSQL`;
  if (row.position !== before.position + 1) return `PostgreSQL does not have the position ${before.position + 1}`;
  if (event.stream !== row.stream || event.revision !== row.revision)
    return `PostgreSQL has event ${row.revision} of ${row.stream} here, and the order in EventStoreDB has the ${named}`;
  const { at } = event;
  const time = at ? at.time : Math.max(event.time.getTime(), before.time);
  const compared = [
    ['position', row.position, at?.position ?? row.position],
    ['time', row.time.getTime(), time],
    ['id', row.id, event.id === row.id ? row.id : secondId(event.id, event.stream)],
    ['type', row.type, event.type],
    ['version', row.version, event.version],
    ['data', row.data, event.data],
    ['metadata', row.metadata, event.metadata],
    ['token', row.token, event.token],
    ['token of the event before it', row.previous, event.previous],
  ] as const;
  const other = compared.find(([, one, another]) => one !== another);
  // The content of an event may be personal, so it is not in the message.
  return other && `the ${other[0]} of event ${row.revision} of ${row.stream} is not the same in both stores`;
};
