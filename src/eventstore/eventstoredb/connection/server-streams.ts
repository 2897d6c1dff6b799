import { BACKWARDS, END, type ReadStreamOptions, type ResolvedEvent } from '@eventstore/db-client';
import { EMPTY_STREAM, StoreUnavailable, type KnownEnd } from '../../event-store.ts';
import { asStoreFault, isNotThere, within } from './client-faults.ts';
import { ForeignEvent, openEvent, type CommittedEvent } from './envelope.ts';
import type { Session } from './sessions.ts';

/** The streams of the log on the server, read where they are appended to. */
export type ServerStreams = {
  /** Where streams end, as they were read or appended in this session. */
  readonly ends: StreamEnds;
  /** Up to `limit` events from a revision on. */
  read(stream: string, fromRevision: number, limit: number): Promise<readonly CommittedEvent[]>;
  /** The last event of a stream; undefined if the stream is empty. */
  last(stream: string): Promise<CommittedEvent | undefined>;
};

const READ_WITHIN_MS = 5000;
/** More wait for their turn: after a start many accounts are loaded at once, and a read that waits is not a server that is silent. */
const READS_AT_ONCE = 32;

type Reading = AsyncIterable<ResolvedEvent> & { cancel(): Promise<void> };

export type StreamEnds = {
  of(stream: string): KnownEnd | undefined;
  set(stream: string, end: KnownEnd): void;
};

/** More are read again. */
const MAX_ENDS = 20_000;

const createStreamEnds = (): StreamEnds => {
  const ends = new Map<string, KnownEnd>();
  return {
    of: (stream) => ends.get(stream),
    set: (stream, { revision, token }) => {
      if (ends.size >= MAX_ENDS && !ends.has(stream))
        for (const oldest of ends.keys()) {
          ends.delete(oldest);
          break;
        }
      ends.set(stream, { revision, token });
    },
  };
};

/** Runs so many pieces of work at once; the others wait in order. */
const createTurns = (atOnce: number) => {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
};

/** Reads that get no answer end the session. They reject with StoreUnavailable. */
export const serverStreams = (session: Session, prefix: string, end: (session: Session) => void): ServerStreams => {
  const inTurn = createTurns(READS_AT_ONCE);
  const read = (stream: string, options: ReadStreamOptions): Promise<readonly CommittedEvent[]> =>
    inTurn(() => readNow(stream, options));
  const readNow = async (stream: string, options: ReadStreamOptions): Promise<readonly CommittedEvent[]> => {
    if (session.ended.aborted) throw new StoreUnavailable('the connection to EventStoreDB was lost');
    const reading: Reading = session.client.readStream(prefix + stream, { ...options, requiresLeader: true });
    const events: CommittedEvent[] = [];
    const collect = async (): Promise<void> => {
      for await (const { event, commitPosition } of reading) {
        if (event) events.push(openEvent(event, prefix, commitPosition));
      }
    };
    try {
      await within(READ_WITHIN_MS, `reading ${stream}`, collect());
      return events;
    } catch (cause) {
      if (isNotThere(cause)) return [];
      void reading.cancel().catch(() => undefined);
      // An event that cannot be read is no fault of the connection, which other streams need.
      if (!(cause instanceof ForeignEvent)) end(session);
      throw asStoreFault(cause);
    }
  };
  const ends = createStreamEnds();
  return {
    ends,
    read: async (stream, fromRevision, limit) => {
      const page = await read(stream, { fromRevision: BigInt(fromRevision), maxCount: limit });
      const last = page.at(-1) ?? (fromRevision === 0 ? EMPTY_STREAM : undefined);
      if (page.length < limit && last) ends.set(stream, last);
      return page;
    },
    last: async (stream) => {
      const [last] = await read(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 });
      ends.set(stream, last ?? EMPTY_STREAM);
      return last;
    },
  };
};
