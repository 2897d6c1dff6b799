import { createCopyHeads } from '../copy/copy-head.ts';
import { streamsOf } from '../begin.ts';
import { acquireSessions } from '../connection/sessions.ts';
import { checkEventStore, isInsecure, type FitEventStore } from './start-checks.ts';

export type ServerCheck = {
  /** Must have the tables of the log. */
  readonly databaseUrl: string;
  readonly eventStoreUrl: string;
  /** The clock of this machine. */
  readonly now: () => Date;
};

/** The streams that every log has: their metadata show whether an administrator lets the server delete events. */
const IN_EVERY_LOG = ['prices', 'terms'];

/** Checks the EventStoreDB of a log before it is used. Throws UnfitEventStore or StoreUnavailable. */
export const checkServer = async ({ databaseUrl, eventStoreUrl, now }: ServerCheck): Promise<FitEventStore> => {
  const heads = createCopyHeads(databaseUrl);
  const sessions = acquireSessions(eventStoreUrl);
  try {
    const head = await heads.read();
    const prefix = head.streams ?? streamsOf(head.logId);
    const { client } = await sessions.open();
    const names = [...IN_EVERY_LOG, ...(head.event ? [head.event.stream] : [])];
    return await checkEventStore({
      ...{ client, prefix, now, insecure: isInsecure(eventStoreUrl) },
      streams: names.map((name) => prefix + name),
    });
  } finally {
    await sessions.release();
    await heads.close();
  }
};
