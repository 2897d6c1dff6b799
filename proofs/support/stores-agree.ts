import type { ChainedEvent } from '../../src/eventstore/chained-log.ts';
import { createLog, type Log } from '../../src/eventstore/create-log.ts';
import { PAGE } from '../../src/eventstore/event-store.ts';
import { BESIDE_LOG } from '../../src/eventstore/eventstoredb/beside-log.ts';
import { secondId } from '../../src/eventstore/eventstoredb/copy/copy-events.ts';
import { createCopyHeads } from '../../src/eventstore/eventstoredb/copy/copy-head.ts';
import { openEvent, type CommittedEvent } from '../../src/eventstore/eventstoredb/connection/envelope.ts';
import { acquireSessions } from '../../src/eventstore/eventstoredb/connection/sessions.ts';
import { GENESIS } from '../../src/eventstore/integrity/chain.ts';
import { expectedHash } from '../../test/eventstore/integrity/expected-hash.ts';

export type Stores = { readonly databaseUrl: string; readonly eventStoreUrl: string };

const TRIES = 60;
const TRY_EVERY_MS = 1000;
const MOST = 10;

/** Waits until the copy in PostgreSQL has everything that EventStoreDB has now. Copies it itself, if no other process does. */
export const untilCopied = async (stores: Stores): Promise<number> => {
  const log = createLog(stores);
  try {
    return await headOf(log);
  } finally {
    await log.close();
  }
};

/** Either store may still be coming back from a kill. */
const headOf = async (log: Log): Promise<number> => {
  for (let tries = 1; ; tries++) {
    try {
      return await log.head();
    } catch (error) {
      if (tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
    }
  }
};

/**
 * Compares the whole log in EventStoreDB with its copy: the same events in the same order, each once, with a dense chain.
 * Each difference is a sentence, and only the first ones are returned.
 */
export const differencesOfStores = async (stores: Stores): Promise<readonly string[]> => {
  const log = createLog(stores);
  try {
    await headOf(log);
    const differences: string[] = [];
    const copy = eventsOf(log);
    let previous = GENESIS;
    let position = 0;
    for await (const committed of eventsOfServer(stores)) {
      if (differences.length >= MOST) break;
      const { value: copied, done } = await copy.next();
      const what = `event ${committed.revision} of ${committed.stream}`;
      if (done) {
        differences.push(`EventStoreDB has the ${what}, and the copy ends before it`);
        break;
      }
      position++;
      if (!isSame(committed, copied)) {
        differences.push(
          `position ${position} of the copy is event ${copied.revision} of ${copied.stream}, and EventStoreDB has the ${what} there`,
        );
      }
      if (copied.position !== position) differences.push(`position ${copied.position} comes after ${position - 1}`);
      if (copied.hash !== expectedHash(previous, copied))
        differences.push(`the chain is broken at position ${position}`);
      previous = copied.hash;
    }
    const rest = await copy.next();
    if (!rest.done && differences.length === 0)
      differences.push(`the copy has position ${rest.value.position}, and EventStoreDB ends before it`);
    return differences;
  } finally {
    await log.close();
  }
};

const isSame = (
  committed: CommittedEvent,
  { id, stream, revision, token, data, metadata, time }: ChainedEvent,
): boolean =>
  (id === committed.id || id === secondId(committed.id, stream)) &&
  stream === committed.stream &&
  revision === committed.revision &&
  token === committed.token &&
  data === committed.data &&
  metadata === committed.metadata &&
  time >= committed.time;

async function* eventsOf(log: Log): AsyncGenerator<ChainedEvent, undefined> {
  for (let position = 0; ;) {
    const page = await log.readAll(position, PAGE);
    yield* page;
    if (page.length < PAGE) return undefined;
    position = page.at(-1)?.position ?? position;
  }
}

async function* eventsOfServer({ databaseUrl, eventStoreUrl }: Stores): AsyncGenerator<CommittedEvent> {
  const heads = createCopyHeads(databaseUrl);
  const sessions = acquireSessions(eventStoreUrl);
  try {
    const { streams = '' } = await heads.read();
    const { client } = await sessions.open();
    for await (const { event } of client.readAll({ requiresLeader: true })) {
      if (!event?.streamId.startsWith(streams) || BESIDE_LOG.has(event.streamId.slice(streams.length))) continue;
      yield openEvent(event, streams, event.position.commit);
    }
  } finally {
    await sessions.release();
    await heads.close();
  }
}
