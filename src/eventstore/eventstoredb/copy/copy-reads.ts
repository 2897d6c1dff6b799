import { CopyWentBack, LogWentBack, type ChainedLog, type LogPlace } from '../../chained-log.ts';
import { StoreUnavailable, type StreamEvent, type StreamReads } from '../../event-store.ts';
import { gather } from '../../postgres/load-batch.ts';
import type { LogReads } from '../../postgres/log-reads.ts';
import type { AbsentIds } from '../absent-ids.ts';
import { within } from '../connection/client-faults.ts';
import { secondId } from './copy-events.ts';
import type { CopyHeads } from './copy-head.ts';
import type { CopyLag } from './copy-lag.ts';
import type { CommittedEvent } from '../connection/envelope.ts';
import type { Gate } from '../gate.ts';
import { newestEvent } from './newest-event.ts';

export type CopyReadsOptions = {
  readonly gate: Gate;
  readonly heads: CopyHeads;
  readonly lag: CopyLag;
  readonly reads: LogReads;
  /** Gets what was looked up without a result. */
  readonly absent: AbsentIds;
};

/** A command that was just executed is among the last events of its stream. */
const RECENT = 64;

/** Without an answer of PostgreSQL by then, EventStoreDB is asked for the whole. */
const COPY_WITHIN_MS = 1000;

/**
 * Reads for decisions. They have all that EventStoreDB has: the first part of a stream comes from the copy, which is much
 * cheaper to read, and what follows it from EventStoreDB.
 */
export const createStreamReads = ({ gate, heads, reads, absent }: Omit<CopyReadsOptions, 'lag'>): StreamReads => {
  const seen = (events: readonly CommittedEvent[]): readonly CommittedEvent[] => {
    const last = events.at(-1);
    if (last) gate.saw(last);
    return events;
  };
  const readStream = async (stream: string, from: number, limit: number): Promise<readonly CommittedEvent[]> =>
    seen(await (await gate.enter()).server.read(stream, from, limit));

  const readFromCopyOn = async (stream: string, from: number, limit: number): Promise<readonly StreamEvent[]> => {
    const { server } = await gate.enter();
    const copying = within(COPY_WITHIN_MS, 'reading the copy', reads.readStream(stream, from, limit));
    const copied = await copying.catch(() => []);
    const end = copied.at(-1);
    if (!end) return readStream(stream, from, limit);
    if (copied.length === limit) return copied;
    const tail = seen(await server.read(stream, end.revision + 1, limit - copied.length));
    if (tail[0] && tail[0].previous !== end.token) return readStream(stream, from, limit);
    if (tail.length === 0) server.ends.set(stream, end);
    return [...copied, ...tail];
  };

  /** In the part of the stream that is not in the copy yet, which is short. */
  const findInTail = async (stream: string, id: string, first: number): Promise<CommittedEvent | undefined> => {
    for (let from = first; ;) {
      const page = await readStream(stream, from, RECENT);
      const found = page.find((event) => event.id === id);
      if (found) return found;
      from += page.length;
      if (page.length < RECENT) {
        absent.add(stream, id, from - 1);
        return undefined;
      }
    }
  };
  const findRecent = async (stream: string, id: string): Promise<CommittedEvent | undefined> => {
    const last = await (await gate.enter()).server.last(stream);
    const page = last ? await readStream(stream, Math.max(0, last.revision + 1 - RECENT), RECENT) : [];
    return page.find((event) => event.id === id);
  };

  return {
    acceptsKnownIds: true,
    readStream: readFromCopyOn,
    findEvent: async (stream, id) => {
      try {
        const { found, lastRevision } = await heads.find(stream, [id, secondId(id, stream)]);
        if (!found) return await findInTail(stream, id, lastRevision + 1);
        const [event] = await readStream(stream, found.revision, 1);
        return event && { ...event, position: found.position };
      } catch (error) {
        // Without PostgreSQL, an answer is possible only if the command was just executed.
        const recent = await findRecent(stream, id).catch(() => undefined);
        if (recent) return recent;
        throw error;
      }
    },
  };
};

/** Reads of the copy that wait until it has what EventStoreDB had at the call. */
export const createCopyReads = (options: CopyReadsOptions): Pick<ChainedLog, 'readStream' | 'findEvent' | 'head'> => {
  const { gate, heads, lag, reads } = options;
  const streams = createStreamReads(options);
  const caughtUp = gather<undefined, undefined>(
    async (asked) => {
      const { storePosition } = await heads.read();
      const newest = await newestEvent(await gate.enter(), storePosition);
      if (newest) await lag.until(newest.commit);
      return asked.map(() => undefined);
    },
    { atOnce: 1000, underWay: 1 },
  );

  return {
    head: async () => {
      await caughtUp(undefined);
      return reads.head();
    },
    readStream: async (stream, fromRevision, limit) => {
      const page = await reads.readStream(stream, fromRevision, limit);
      if (page.length === limit) return page;
      const next = fromRevision + page.length;
      const { server } = await gate.enter();
      const last = await server.last(stream);
      if (!last || last.revision < next) return page;
      await lag.until(last.commit);
      return reads.readStream(stream, fromRevision, limit);
    },
    findEvent: async (stream, id) => {
      const copied = await reads.findEvent(stream, id);
      if (copied) return copied;
      const found = await streams.findEvent(stream, id);
      if (!found) return undefined;
      const [event] = await createCopyReads(options).readStream(stream, found.revision, 1);
      return event;
    },
  };
};

const LOOK_EVERY_MS = 200;
const NO_PROGRESS_MS = 30_000;

/** See EventStoreDbLog. */
export const completeCopy = async (
  { gate, heads }: Pick<CopyReadsOptions, 'gate' | 'heads'>,
  progress: (position: number) => void,
): Promise<number> => {
  let head = await heads.read();
  const end = (await newestEvent(await gate.enter(), head.storePosition))?.commit ?? head.storePosition;
  for (let movedAt = performance.now(); head.storePosition < end;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const now = await heads.read();
    if (now.position > head.position) movedAt = performance.now();
    if (performance.now() - movedAt > NO_PROGRESS_MS) {
      throw new StoreUnavailable(`the log is not copied from EventStoreDB beyond position ${now.position}`);
    }
    head = now;
    progress(head.position);
  }
  return head.position;
};

/**
 * Compares the copy with what was seen of it. A copy that was put back to an earlier state is made complete again, which is
 * no loss: rejects with CopyWentBack, even if the copy is complete by the time that its head is read.
 */
export const checkCopy = async (
  reads: Pick<ChainedLog, 'checkHistory'>,
  heads: Pick<CopyHeads, 'read'>,
): Promise<LogPlace> => {
  try {
    return await reads.checkHistory();
  } catch (error) {
    if (!(error instanceof LogWentBack)) throw error;
    const { position } = await heads.read();
    if (position < error.seen.position) throw new CopyWentBack(position, error);
    await reads.checkHistory();
    throw new CopyWentBack(UNKNOWN, error);
  }
};

/** The copy is complete again, and its head in the meantime is unknown. */
const UNKNOWN = 0;
