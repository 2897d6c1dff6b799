import type { Logger } from 'pino';
import type { Log } from '../../eventstore/create-log.ts';
import type { StoreEvent } from '../../eventstore/eventstoredb/eventstoredb.ts';
import { watchAppliedEffects, type AppliedEffects } from '../../reactions/applied-effects.ts';
import type { OutageLog } from './outage.ts';

export type EffectsOptions = { readonly databaseUrl: string; readonly outage: OutageLog; readonly log: Logger };

/** Erasures and revocations destroy rows beside the log, which a restored database has again. */
export const watchEffects = ({ databaseUrl, outage, log }: EffectsOptions): AppliedEffects =>
  watchAppliedEffects({
    ...{ databaseUrl, processes: ['erasure', 'people'] },
    failed: (error) => {
      if (!outage.covers(error)) log.warn({ err: error }, 'it is unknown whether erasures are applied');
    },
  });

const REPORT_EVERY_MS = 5000;

/** Waits until the copy of a log in EventStoreDB is complete. Resolves to its head; to 0 for other logs. */
export const completeCopy = async (store: Log, log: Logger): Promise<number> => {
  let reportedAt = performance.now();
  const progress = (position: number): void => {
    if (performance.now() - reportedAt < REPORT_EVERY_MS) return;
    reportedAt = performance.now();
    log.info({ position }, 'copying the log from EventStoreDB');
  };
  return (await store.complete?.(progress)) ?? 0;
};

/** Logs what an operator must know about EventStoreDB. */
export const eventStoreReports = (log: Logger) => ({
  failed: (error: unknown): void => log.warn({ err: error }, 'copying the log from EventStoreDB failed'),
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
