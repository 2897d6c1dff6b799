import type { AppendStanding } from '../../eventstore/committer.ts';
import type { Log } from '../../eventstore/create-log.ts';
import { StoreFull } from '../../eventstore/event-store.ts';
import type { StoreAlarm } from '../../eventstore/eventstoredb/standing.ts';
import { MAX_COPY_LAG_MS } from './pause.ts';
import type { Check, Finding } from './readiness.ts';

export type EventStoreStore = Pick<Required<Log>, 'copyLag' | 'standing'>;

export const isInEventStore = (store: Log): store is Log & EventStoreStore => store.standing !== undefined;

/** The committer gives up later than that. */
const STALLED_MS = 2500;

const ALARMS: Readonly<Record<StoreAlarm, string>> = {
  other_history: 'the streams in EventStoreDB do not continue what was copied',
  metadata_set: 'the metadata of a stream in EventStoreDB limit it',
};

/** Whether EventStoreDB can be read and appended to, and the copy follows it. */
export const eventStoreCheck = (store: EventStoreStore, appends: () => AppendStanding): Check => {
  /** Without requests there are no appends, so the end of a fault must be detected in another way. */
  let over: Error | undefined;

  const look = async (): Promise<string | undefined> => {
    if (store.standing.alarm) return ALARMS[store.standing.alarm];
    const { fault, waitingMs } = appends();
    if (waitingMs > STALLED_MS) return 'EventStoreDB does not answer appends';
    const isNew = fault !== undefined && fault !== over;
    try {
      await store.standing.answers({ append: isNew });
    } catch (error) {
      if (error instanceof StoreFull) return 'the disk of EventStoreDB is full';
      return isNew ? 'EventStoreDB takes no appends' : 'EventStoreDB cannot be reached';
    }
    if (isNew) over = fault;
    return store.copyLag.ms > MAX_COPY_LAG_MS ? 'the copy of the log in PostgreSQL is behind' : undefined;
  };

  return {
    name: 'event_store',
    look: async (): Promise<Finding> => {
      const reason = await look();
      const { events, ms } = store.copyLag;
      const figures = { behind: events, behind_ms: Math.round(ms) };
      return reason === undefined ? { ok: true, ...figures } : { ok: false, reason, ...figures };
    },
  };
};
