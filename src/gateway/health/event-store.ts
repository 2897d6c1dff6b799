import type { Logger } from 'pino';
import type { Log } from '../../eventstore/create-log.ts';
import type { PostgresDataKeys } from '../../eventstore/secrets/data-keys.ts';
import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { readLogClock } from '../../eventstore/postgres/log-clock.ts';
import { checkServer } from '../../eventstore/eventstoredb/fitness/check-server.ts';
import { UnfitEventStore } from '../../eventstore/eventstoredb/fitness/unfit-event-store.ts';
import { DatabaseNotReady } from '../../eventstore/postgres/database/database-faults.ts';
import type { StoreEvent } from '../../eventstore/eventstoredb/eventstoredb.ts';
import { watchAppliedEffects, type AppliedEffects } from '../../reactions/applied-effects.ts';
import type { OutageLog } from './outage.ts';

export type EffectsOptions = { readonly databaseUrl: string; readonly outage: OutageLog; readonly log: Logger };

const NO_TLS =
  'EVENT_STORE_URL has tls=false, and a server without TLS lets every client delete events. Set up TLS and a user that can ' +
  'only append and read: docs/eventstoredb.md.';

export type EventStoreCheck = {
  readonly databaseUrl: string;
  readonly eventStoreUrl: string | undefined;
  readonly production: boolean;
  readonly log: Logger;
};

/** Refuses an EventStoreDB that cannot keep the log safely. Rejects with UnfitEventStore; with DatabaseNotReady if waiting may help. */
export const checkStoreOfLog = async (check: EventStoreCheck): Promise<void> => {
  const { databaseUrl, eventStoreUrl, production, log } = check;
  if (eventStoreUrl === undefined) return;
  try {
    const { insecure } = await checkServer({ databaseUrl, eventStoreUrl, now: () => new Date() });
    if (!insecure) return;
    if (production) throw new UnfitEventStore('event_store_unprotected', NO_TLS);
    log.warn(NO_TLS);
  } catch (error) {
    if (error instanceof StoreUnavailable || (error instanceof UnfitEventStore && error.mayPass)) {
      throw new DatabaseNotReady(error.message, { cause: error });
    }
    throw error;
  }
};

/** Erasures and revocations destroy rows beside the log, which a restored database has again. */
export const watchEffects = ({ databaseUrl, outage, log }: EffectsOptions): AppliedEffects =>
  watchAppliedEffects({
    ...{ databaseUrl, processes: ['erasure', 'people'] },
    failed: (error) => {
      if (!outage.covers(error)) log.warn({ err: error }, 'it is unknown whether erasures are applied');
    },
  });

/** Personal data whose key is gone cannot be read, and nothing but a newer backup of the table has the key. */
export const reportLostKeys = (dataKeys: Pick<PostgresDataKeys, 'withoutKey'>, since: number, log: Logger): void =>
  void dataKeys.withoutKey(since).then(
    (ids) => {
      if (ids.length === 0) return;
      log.error(
        { alert: 'data_keys_gone', ids },
        'the personal data of these cannot be read, because the restored database lacks their keys: restore the missing rows of data_keys from a newer backup',
      );
    },
    (error: unknown) => log.warn({ err: error }, 'it is unknown whether data keys are gone'),
  );

/** While gateways run, processes react within seconds. */
const LATE_MS = 20_000;

/**
 * The positions between which a process has not reacted to the events yet, if it is late: the database went back in time
 * before this start, whether or not the log was copied again since; or no gateway was running.
 */
export const lateEffects = async (
  store: Pick<Log, 'readAll' | 'head'>,
  effects: Pick<AppliedEffects, 'reached'>,
  databaseUrl: string,
): Promise<{ readonly from: number; readonly to: number } | undefined> => {
  const from = await effects.reached();
  const [first] = await store.readAll(from, 1);
  const { now } = await readLogClock(databaseUrl);
  const isLate = first !== undefined && now.getTime() - first.time.getTime() > LATE_MS;
  return isLate ? { from, to: await store.head() } : undefined;
};

const REPORT_EVERY_MS = 5000;

/** Waits until the copy of a log in EventStoreDB is complete. */
export const completeCopy = async (store: Pick<Log, 'complete'>, log: Logger): Promise<void> => {
  let reportedAt = performance.now();
  const progress = (position: number): void => {
    if (performance.now() - reportedAt < REPORT_EVERY_MS) return;
    reportedAt = performance.now();
    log.info({ position }, 'copying the log from EventStoreDB');
  };
  await store.complete?.(progress);
};

/** Logs what an operator must know about EventStoreDB. */
export const eventStoreReports = (log: Logger, outage: OutageLog) => ({
  failed: (error: unknown): void => {
    if (!outage.covers(error)) log.warn({ err: error }, 'copying the log from EventStoreDB failed');
  },
  noticed: (event: StoreEvent): void => {
    switch (event.kind) {
      case 'other_history':
        return log.error(
          { alert: 'event_store_differs', what: event.what },
          'the streams in EventStoreDB do not continue what was copied: the copy stays where it is',
        );
      case 'restored':
        return log.warn(
          { from: event.from, to: event.to },
          'EventStoreDB had gone back in time: what it lacked was appended to it again, from the copy',
        );
      case 'metadata_set':
        return log.error(
          { alert: 'event_store_metadata', stream: event.stream, metadata: event.metadata },
          'the metadata of a stream of the log were set in EventStoreDB, which can make it delete events: remove them',
        );
    }
  },
});
