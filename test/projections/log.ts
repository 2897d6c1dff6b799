import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import { decode, encode, type DomainEvent, type Recorded } from '../../src/eventstore/journal/codec.ts';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import { createDatabase, type Database } from '../../src/projections/database.ts';
import type { Projection } from '../../src/projections/projection.ts';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';

/** A log in memory that takes events of the domain, as if commands had written them. */
export type Log = {
  readonly store: ChainedLog;
  append(stream: string, ...events: readonly DomainEvent[]): Promise<void>;
  /** The whole log, or what comes after a position. */
  recorded(after?: number): Promise<readonly Recorded[]>;
};

export const createLog = (): Log => {
  const store = createInMemoryStore();
  return {
    store,
    append: async (stream, ...events) => {
      const past = await store.readStream(stream, 0, Number.MAX_SAFE_INTEGER);
      const encoded = events.map((event) => encode(event, randomUUID(), { actor: 'test', commandId: 'test' }));
      await store.append([{ stream, expected: { revision: past.length - 1 }, events: encoded }]);
    },
    recorded: async (after = 0) => (await store.readAll(after, Number.MAX_SAFE_INTEGER)).map(decode),
  };
};

/** The events of one account, as the log has them. */
export const recordedOf = async (...events: readonly DomainEvent[]): Promise<readonly Recorded[]> => {
  const log = createLog();
  await log.append(accountStream('acc_1'), ...events);
  return log.recorded();
};

/** Its rows are read and written as those of any other. */
export const asProjection = (projection: unknown): Projection => projection as Projection;

/** An empty database for the tests of one file, with as many pools on it as there are nodes. */
export const useDatabases = (
  nodes = 1,
): { readonly all: readonly Database[]; readonly first: Database; url(): string } => {
  const all: Database[] = [];
  let database: TestDatabase | undefined;
  const opened = (): TestDatabase => {
    if (!database) throw new Error('The database is there while tests run.');
    return database;
  };
  beforeAll(async () => {
    database = await createMigratedDatabase();
    // Each under a name of its own, or pg-promise warns of two pools on one database.
    for (let n = 0; n < nodes; n++) all.push(createDatabase(`${database.url}?application_name=node-${n}`));
  });
  afterAll(async () => {
    await Promise.all(all.map(({ $pool }) => $pool.end()));
    await database?.drop();
  });
  return {
    all,
    get first() {
      const [first] = all;
      if (!first) throw new Error('The database is there while tests run.');
      return first;
    },
    url: () => opened().url,
  };
};
