import { ANY, binaryEvent } from '@eventstore/db-client';
import { BEGINNING, STARTS } from './beside-log.ts';
import { asStoreFault, isRefusal, within } from './connection/client-faults.ts';
import type { Gate } from './gate.ts';

/** Why the log in EventStoreDB must not be trusted: see StoreEvent. */
export type StoreAlarm = 'other_history' | 'metadata_set';

/** What readiness needs to know about EventStoreDB. */
export type StoreStanding = {
  /** What this process, if it is the one that copies, has found wrong. */
  readonly alarm: StoreAlarm | undefined;
  /** Reads from EventStoreDB, and also appends beside the log if asked to. Rejects with StoreUnavailable within 1.5 s. */
  answers(question: { readonly append: boolean }): Promise<void>;
};

const ANSWER_WITHIN_MS = 1500;
/** The sequencer tries again every ten seconds, and raises the alarm again. */
const ALARM_MS = 15_000;
/** Each of these makes the server hide events, and delete them in a scavenge. */
const LIMITS = ['$maxAge', '$maxCount', '$tb'];

export const createStanding = (gate: Pick<Gate, 'enter' | 'end'>) => {
  let differsUntil = -Infinity;
  const limited = new Set<string>();

  const ask = async (append: boolean): Promise<void> => {
    const { session, server, streams } = await gate.enter();
    await server.read(BEGINNING, 0, 1);
    if (!append) return;
    const start = binaryEvent({ type: 'start', data: Buffer.alloc(0) });
    try {
      const appending = session.client.appendToStream(streams + STARTS, start, { expectedRevision: ANY });
      await within(ANSWER_WITHIN_MS, 'an append', appending);
    } catch (error) {
      if (!isRefusal(error)) gate.end(session);
      throw error;
    }
  };
  const standing: StoreStanding = {
    get alarm() {
      if (performance.now() < differsUntil) return 'other_history';
      return limited.size > 0 ? 'metadata_set' : undefined;
    },
    answers: async ({ append }) => {
      try {
        await within(ANSWER_WITHIN_MS, 'a look at the log', ask(append));
      } catch (cause) {
        throw asStoreFault(cause);
      }
    },
  };
  return {
    standing,
    differs: (): void => void (differsUntil = performance.now() + ALARM_MS),
    /** Metadata without limits replace those with limits. */
    metadataSet: (stream: string, metadata: unknown): void => {
      const keys = Object.keys((metadata ?? {}) as object);
      if (LIMITS.some((limit) => keys.includes(limit))) limited.add(stream);
      else limited.delete(stream);
    },
  };
};
