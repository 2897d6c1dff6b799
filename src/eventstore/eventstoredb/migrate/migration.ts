import type pg from 'pg';
import { LogWentBack, type LogPlace } from '../../chained-log.ts';
import { StoreUnavailable } from '../../event-store.ts';
import { createPool } from '../../postgres/database/connections.ts';
import { openLockSession, type LockSession } from '../../postgres/session-locks.ts';
import { appendInOrder } from '../append-in-order.ts';
import { streamsOf, writeBeginning } from '../begin.ts';
import { BEGINNING } from '../beside-log.ts';
import { createCopyHeads, type CopyHead, type CopyHeads } from '../copy/copy-head.ts';
import { secondId } from '../copy/copy-events.ts';
import { readFollowing, type FollowingEvent } from '../copy/following-events.ts';
import type { Entry } from '../gate.ts';
import { newestEvent } from '../copy/newest-event.ts';
import { serverStreams } from '../connection/server-streams.ts';
import { acquireSessions, type Sessions } from '../connection/sessions.ts';
import { checkEventStore, isInsecure } from '../fitness/start-checks.ts';
import { compareLogs, type Difference } from './compare.ts';
import { readCompared, writeCompared, type Compared } from './compared.ts';
import { switchToEventStore, switchToPostgres, type Switched } from './log-owner.ts';

/** Fault: the log cannot be migrated. The message states why, and what to do. */
export class CannotMigrate extends Error {
  override readonly name = 'CannotMigrate';
  readonly code = 'cannot_migrate';
}

export type MigrationOptions = {
  readonly databaseUrl: string;
  readonly eventStoreUrl: string;
  /** False: nothing is migrated, so a server that has nothing of the log is an error. */
  readonly begin: boolean;
  /** The clock of this machine. */
  readonly now: () => Date;
  /** Called when a store does not answer, and is tried again. */
  readonly waiting: (fault: StoreUnavailable) => void;
};

type Progress = (position: number, of: number) => void;

export type Comparison = {
  /** The last event that is the same in both stores, and where EventStoreDB has it. */
  readonly compared: Compared;
  readonly difference: Difference | undefined;
  /** Streams whose metadata were set, which can make the server delete events. */
  readonly metadata: readonly string[];
};

export type Migration = {
  readonly head: () => Promise<CopyHead>;
  /** Whether EventStoreDB has no access control. */
  readonly insecure: boolean;
  /** Appends to EventStoreDB what it lacks of the log, and follows it until nothing is left. */
  copy(progress: Progress): Promise<void>;
  /** Compares what EventStoreDB has with PostgreSQL: all of it, or what no earlier run has compared. */
  compare(all: boolean, progress: Progress): Promise<Comparison>;
  /** The chain of hashes was verified up to this position. */
  chained(compared: Compared, position: number): Promise<void>;
  switchTo(store: 'eventstoredb' | 'postgres', compared: Compared): Promise<Switched>;
  close(): Promise<void>;
};

const LOCK = 'migrate-log';
const PAGE = 4000;
const RETRY_MS = 500;
/** A store that is silent for longer will not be back soon; the command can be run again at any time. */
const GIVE_UP_MS = 60_000;
/** EventStoreDB accepts a mebibyte; the rest is for the envelope. */
const LARGEST_EVENT_BYTES = 1_000_000;

/**
 * Moves a log between PostgreSQL and EventStoreDB. PostgreSQL has the whole log in either case: positions, times, hashes and
 * signatures stay as they are. Only the owner of the log changes, in one transaction. Rejects with CannotMigrate, with
 * UnfitEventStore and with StoreUnavailable. Must be closed.
 */
export const openMigration = async (options: MigrationOptions): Promise<Migration> => {
  const { databaseUrl, eventStoreUrl } = options;
  const heads = createCopyHeads(databaseUrl, 'kissapi-migrate-head');
  const pool = createPool(databaseUrl, { max: 3, query_timeout: 60_000, application_name: 'kissapi-migrate' });
  const sessions = acquireSessions(eventStoreUrl);
  let lock: LockSession | undefined;
  let closed: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    closed ??= sessions.release().then(() => Promise.all([lock?.close(), heads.close(), pool.end()]));
    await closed;
  };
  try {
    lock = await openLockSession(databaseUrl, { name: 'kissapi-migrate-lock' });
    if (!(await lock.tryLock(LOCK)))
      throw new CannotMigrate('Another process migrates this log. Wait until it has ended.');
    const head = await heads.read();
    const session = await sessions.open();
    const { insecure } = await checkEventStore({
      ...{ client: session.client, prefix: streamsOf(head.logId), streams: [streamsOf(head.logId) + BEGINNING] },
      ...{ insecure: isInsecure(eventStoreUrl), now: options.now },
    });
    const begun = await beginning(sessions, head, options.begin);
    return { ...createMigration(options, { heads, pool, sessions, begun, lost: lock.lost }), insecure, close };
  } catch (error) {
    await close();
    throw error;
  }
};

type Begun = Awaited<ReturnType<typeof writeBeginning>>;

/** The event that identifies the server. If EventStoreDB commits the log already, it must be there. */
const beginning = async (sessions: Sessions, head: CopyHead, begin: boolean): Promise<Begun> => {
  const { logId, marker } = head;
  const server = serverStreams(await sessions.open(), streamsOf(logId), sessions.end);
  const [first] = await server.read(BEGINNING, 0, 1);
  if (head.store === 'eventstoredb' && first?.id !== marker)
    throw new CannotMigrate(
      'EVENT_STORE_URL names a server that does not have this log. Name the one that commits it.',
    );
  if (first && (JSON.parse(first.data) as { readonly logId?: unknown }).logId !== logId) {
    throw new CannotMigrate(
      `EVENT_STORE_URL names a server with another log under the names ${streamsOf(logId)}. Name another server.`,
    );
  }
  if (!first && !begin) throw new CannotMigrate('The server of EVENT_STORE_URL has nothing of this log.');
  return writeBeginning(sessions, head);
};

type Context = {
  readonly heads: CopyHeads;
  readonly pool: pg.Pool;
  readonly sessions: Sessions;
  readonly begun: Begun;
  /** Aborts when the lock is lost that keeps other migrations away. */
  readonly lost: AbortSignal;
};

const createMigration = (
  options: Pick<MigrationOptions, 'waiting'>,
  context: Context,
): Omit<Migration, 'close' | 'insecure'> => {
  const { heads, pool, sessions, begun } = context;
  const { marker, streams } = begun;

  const enter = async (): Promise<Entry> => {
    const session = await sessions.open();
    return { session, streams, server: serverStreams(session, streams, sessions.end) };
  };
  const newest = async (entry: Entry) => newestEvent(entry, begun.storePosition);

  /** Repeats what fails because a store is away, as long as there is progress from time to time. */
  const patiently = async <T>(work: (entry: Entry, progressed: () => void) => Promise<T>): Promise<T> => {
    let since = performance.now();
    for (;;) {
      let entry: Entry | undefined;
      try {
        entry = await enter();
        return await work(entry, () => (since = performance.now()));
      } catch (error) {
        if (entry) sessions.end(entry.session);
        const isFault = error instanceof StoreUnavailable && !(error instanceof LogWentBack);
        if (!isFault || performance.now() - since > GIVE_UP_MS) throw error;
        options.waiting(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };

  /** If EventStoreDB commits the log, the copy may be behind it, and ends at its head. */
  const endToCompare = async (entry: Entry): Promise<{ readonly until: number; readonly to: number }> => {
    const head = await heads.read();
    if (head.store === 'eventstoredb') return { until: head.storePosition, to: head.position };
    const last = await newest(entry);
    return { until: last?.commit ?? begun.storePosition, to: await positionOf(pool, last) };
  };

  return {
    head: heads.read,
    copy: (progress) =>
      patiently(async (entry, progressed) => {
        let after = await positionOf(pool, await newest(entry));
        let { position: head } = await heads.read();
        let page = await readFollowing(pool, after, PAGE);
        while (page.length > 0) {
          expectMigratable(page);
          const last = page.at(-1)?.position ?? after;
          // The next page is read while this one is appended.
          const reading = readFollowing(pool, last, PAGE);
          reading.catch(() => undefined);
          await appendInOrder(entry.session, streams, page);
          if (context.lost.aborted) throw lockLost();
          after = last;
          page = await reading;
          if (page.length < PAGE) ({ position: head } = await heads.read());
          progressed();
          progress(after, Math.max(head, after));
        }
        progress(after, after);
      }),
    compare: (all, progress) => {
      let fresh = all;
      return patiently(async (entry, progressed) => {
        const { until, to } = await endToCompare(entry);
        const from = (fresh ? undefined : await knownCompared(pool, marker, entry)) ?? nothingCompared(begun);
        const metadata = new Set<string>();
        let compared: Compared = from;
        const difference = await compareLogs({
          ...{ pool, entry, from, until },
          metadataSet: (stream) => metadata.add(stream),
          progress: (position) => {
            progressed();
            progress(position, to);
          },
          compared: async (now) => {
            compared = now;
            await writeCompared(pool, marker, now);
            fresh = false;
          },
        });
        const short = difference ?? missing(compared.position, to);
        return { compared, difference: short, metadata: [...metadata] };
      });
    },
    chained: (compared, position) => writeCompared(pool, marker, { ...compared, chained: position }),
    switchTo: async (store, compared) => {
      if (context.lost.aborted) throw lockLost();
      const { position, hash, storePosition } = compared;
      const place: LogPlace = { position, hash };
      if (store === 'eventstoredb') return switchToEventStore(pool, place, { streams, marker, storePosition });
      const switched = await switchToPostgres(pool, place, storePosition);
      if (switched.kind !== 'switched') return switched;
      const end = await newest(await enter());
      if (!end || end.commit <= storePosition) return switched;
      // A process appended to EventStoreDB at this moment.
      await switchToEventStore(pool, place, { streams, marker, storePosition });
      return { kind: 'moved' };
    },
  };
};

const lockLost = (): CannotMigrate =>
  new CannotMigrate(
    'The connection to PostgreSQL was lost, and another process may migrate the log now. Run it again.',
  );

const missing = (position: number, to: number): Difference | undefined =>
  position === to ? undefined : { position: position + 1, what: 'the event is not in EventStoreDB at its place' };

const nothingCompared = ({ storePosition }: Begun): Compared & { readonly time: number } => ({
  ...{ position: 0, hash: '', storePosition, chained: 0, time: Number.NEGATIVE_INFINITY },
});

/** What an earlier run has compared, if both stores still have its last event at its place. */
const knownCompared = async (pool: pg.Pool, marker: string, { server }: Entry) => {
  const known = await readCompared(pool, marker);
  if (!known) return undefined;
  const [found] = await server.read(known.stream, known.revision, 1);
  return found?.token === known.token && found.commit === known.storePosition ? known : undefined;
};

/** The position of an event of EventStoreDB; 0 without one. */
const positionOf = async (
  pool: pg.Pool,
  event:
    { readonly stream: string; readonly revision: number; readonly id: string; readonly token: string } | undefined,
): Promise<number> => {
  if (!event) return 0;
  const { stream, revision, id, token } = event;
  const { rows } = await pool
    .query<{ position: string }>(
      `select position from events where stream = $1 and revision = $2 and id = any($3::uuid[])
         and encode(coalesce(token, hash), 'hex') = $4`,
      [stream, revision, [id, secondId(id, stream)], token],
    )
    .catch((cause: unknown) => {
      throw new StoreUnavailable('PostgreSQL does not answer', { cause });
    });
  if (rows[0]) return Number(rows[0].position);
  throw new CannotMigrate(
    `EventStoreDB has event ${revision} of ${stream}, and PostgreSQL has not, or has another one there. EVENT_STORE_URL names ` +
      'a server that was filled from another copy of this log: name an empty one.',
  );
};

/** EventStoreDB refuses an event of more than a mebibyte. What comes after it must not be appended either. */
const expectMigratable = (page: readonly FollowingEvent[]): void => {
  for (const { position, stream, data, metadata } of page) {
    if (data.length + metadata.length < LARGEST_EVENT_BYTES / 3) continue;
    const bytes = Buffer.byteLength(data) + Buffer.byteLength(metadata);
    if (bytes <= LARGEST_EVENT_BYTES) continue;
    throw new CannotMigrate(
      `The event ${position}, in ${stream}, has ${bytes} bytes, and EventStoreDB accepts ` +
        `${LARGEST_EVENT_BYTES}: this log cannot be moved there.`,
    );
  }
};
