import { streamNameFilter, type AllStreamSubscription } from '@eventstore/db-client';
import { openEvent, type CommittedEvent } from '../connection/envelope.ts';
import { BESIDE_LOG } from '../beside-log.ts';
import type { Entry } from '../gate.ts';

/** Metadata of a stream of the log: see ARCHITECTURE. The names of such streams begin so. */
export const METADATA = '$$';

export type LogSubscription = {
  /** The next events, in order; at least one and at most `limit`. Undefined when the subscription has ended. */
  next(limit: number): Promise<readonly CommittedEvent[] | undefined>;
  /** Why it has ended, if the server gave a reason, or an event could not be read. */
  readonly fault: unknown;
  close(): void;
};

export type SubscriptionOptions = {
  /** The events after this place. */
  readonly after: number;
  /** Someone set the metadata of a stream of the log, which only an administrator can. */
  readonly metadataSet: (stream: string, metadata: unknown) => void;
};

/** The consumer is asked for more once it has fewer than these. */
const MAX_WAITING = 5000;

/**
 * The events of the log in the order in which the server committed them. The server ends a subscription whose consumer is
 * slow, so the end of one is routine: the caller subscribes again from where it is.
 */
export const subscribeToLog = (
  { session, streams }: Entry,
  { after, metadataSet }: SubscriptionOptions,
): LogSubscription => {
  let waiting: CommittedEvent[] = [];
  let ended = false;
  let fault: unknown;
  let wake = (): void => undefined;

  const place = { commit: BigInt(after), prepare: BigInt(after) };
  const subscription: AllStreamSubscription = session.client.subscribeToAll({
    fromPosition: after < 0 ? 'start' : place,
    requiresLeader: true,
    filter: streamNameFilter({ prefixes: [streams, METADATA + streams] }),
  });
  const end = (error?: unknown): void => {
    fault ??= error;
    ended = true;
    wake();
  };
  subscription.on('data', ({ event }) => {
    if (!event || ended) return;
    try {
      if (event.streamId.startsWith(METADATA)) return metadataSet(event.streamId.slice(METADATA.length), event.data);
      if (BESIDE_LOG.has(event.streamId.slice(streams.length))) return;
      waiting.push(openEvent(event, streams, event.position.commit));
    } catch (error) {
      end(error);
      return;
    }
    if (waiting.length >= MAX_WAITING) subscription.pause();
    wake();
  });
  subscription.on('error', end);
  subscription.on('end', () => end());
  subscription.on('close', () => end());
  const sessionEnded = (): void => end();
  session.ended.addEventListener('abort', sessionEnded);
  if (session.ended.aborted) end();

  return {
    next: async (limit) => {
      while (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
      // Events of a session that has ended are read again.
      if (waiting.length === 0 || session.ended.aborted) return undefined;
      const events = waiting.slice(0, limit);
      waiting = waiting.slice(limit);
      if (subscription.isPaused() && waiting.length < MAX_WAITING) subscription.resume();
      return events;
    },
    get fault() {
      return fault;
    },
    close: () => {
      session.ended.removeEventListener('abort', sessionEnded);
      end();
      void subscription.unsubscribe().catch(() => undefined);
    },
  };
};
