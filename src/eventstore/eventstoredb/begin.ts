import { randomUUID } from 'node:crypto';
import { NO_STREAM } from '@eventstore/db-client';
import { StoreUnavailable } from '../event-store.ts';
import { asStoreFault, isWrongRevision, within } from './connection/client-faults.ts';
import type { CopyHead, CopyHeads } from './copy/copy-head.ts';
import { sealEvent } from './connection/envelope.ts';
import { BEGINNING } from './beside-log.ts';
import { serverStreams } from './connection/server-streams.ts';
import type { Session, Sessions } from './connection/sessions.ts';

const APPEND_WITHIN_MS = 5000;

/** The names of the streams of a log. Several logs can share a server. */
export const streamsOf = (logId: string): string => `kissapi-${logId.slice(0, 8)}.`;

/** Begins a log in EventStoreDB: writes the event that identifies the server, if it is not there. */
export const writeBeginning = async (
  { open, end }: Pick<Sessions, 'open' | 'end'>,
  { logId }: Pick<CopyHead, 'logId'>,
): Promise<{ readonly streams: string; readonly marker: string; readonly storePosition: number }> => {
  const streams = streamsOf(logId);
  const session = await open();
  const server = serverStreams(session, streams, end);
  const [before] = await server.read(BEGINNING, 0, 1);
  if (!before) await append(session, streams, logId);
  const [first] = before ? [before] : await server.read(BEGINNING, 0, 1);
  if (!first) throw new StoreUnavailable('EventStoreDB does not have the event that was just appended');
  return { streams, marker: first.id, storePosition: first.commit };
};

const append = async ({ client }: Session, streams: string, logId: string): Promise<void> => {
  const named = streams + BEGINNING;
  const marker = { id: randomUUID(), type: 'LogBegan', version: 1, data: JSON.stringify({ logId }), metadata: '{}' };
  const { event } = sealEvent(marker, { stream: BEGINNING, named, revision: 0 }, { previous: '' });
  try {
    await within(APPEND_WITHIN_MS, 'an append', client.appendToStream(named, event, { expectedRevision: NO_STREAM }));
  } catch (cause) {
    // Another process was first: its event counts.
    if (!isWrongRevision(cause)) throw asStoreFault(cause);
  }
};

/** A log without events begins in EventStoreDB, which commits it from then on. Other logs are migrated. */
export const beginIn = async (
  sessions: Pick<Sessions, 'open' | 'end'>,
  heads: Pick<CopyHeads, 'read' | 'adopt'>,
): Promise<void> => {
  const head = await heads.read();
  if (head.store === 'eventstoredb') return;
  if (head.position > 0)
    throw new StoreUnavailable('PostgreSQL commits this log: unset EVENT_STORE_URL, or migrate it');
  await heads.adopt(await writeBeginning(sessions, head));
};
