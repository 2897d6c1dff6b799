import { NO_STREAM, type AppendResult } from '@eventstore/db-client';
import { LogWentBack } from '../chained-log.ts';
import {
  EMPTY_STREAM,
  PAGE,
  type EventStore,
  type KnownEnd,
  type Slice,
  type SliceResult,
  type Written,
} from '../event-store.ts';
import type { AbsentIds } from './absent-ids.ts';
import { asStoreFault, isRefusal, isWrongRevision, within } from './connection/client-faults.ts';
import { sealEvent, type Placed } from './connection/envelope.ts';
import type { Entry, Gate } from './gate.ts';
import type { ServerStreams } from './connection/server-streams.ts';
import type { Turns } from './turns.ts';

export type AppendsOptions = {
  readonly gate: Gate;
  readonly turns: Turns;
  readonly absent: AbsentIds;
  /** Differs from that of all other stores on the log. */
  readonly writer: string;
  /** Called with the place of each slice that was appended, and its number of events. */
  readonly acknowledged: (storePosition: number, events: number) => void;
  /** How far the clock of the log is ahead of real time, in ms; undefined if it was never moved. */
  readonly movedMs: () => number | undefined;
  /** Called with each batch that was appended. */
  readonly appended: (slices: readonly Slice[], results: readonly SliceResult[]) => void;
};

/** The server gives an append two seconds. A call that is silent for longer may have succeeded all the same. */
const APPEND_WITHIN_MS = 2500;

type Appended = { readonly result: SliceResult; readonly seen?: Placed & Pick<Written, 'token'> & { commit: number } };

/**
 * Sends one append for each slice, all at the same time. A repeated slice has the same ids at the same revisions, so the server
 * recognises it. If the outcome of one is unknown, the whole batch rejects and is repeated.
 */
export const createAppends = (options: AppendsOptions): Pick<EventStore, 'append'> => {
  const { gate, turns, writer, absent } = options;
  /** Not even sent while another writer has the turn. */
  const inTurn = async (entry: Entry, slice: Slice, movedMs: number | undefined): Promise<Appended> => {
    if (turns.isOfOther(slice.stream)) return CLASH;
    if (await hasIdsSince(entry, slice, absent)) return { result: { kind: 'duplicate' } };
    return appendSlice(entry, slice, { writer, movedMs });
  };
  return {
    append: async (slices) => {
      const entry = gate.entry ?? (await gate.enterToAppend());
      const movedMs = options.movedMs();
      try {
        const appending = Promise.allSettled(slices.map((slice) => inTurn(entry, slice, movedMs)));
        const settled = await within(APPEND_WITHIN_MS, 'an append', appending);
        const appended = settled.map((one) => {
          if (one.status === 'rejected') throw one.reason;
          return one.value;
        });
        appended.forEach(({ result, seen }, n) => {
          const stream = slices[n]?.stream ?? '';
          if (result.kind === 'clash') turns.clashed(stream);
          else turns.appended(stream);
          if (!seen) return;
          gate.saw(seen);
          options.acknowledged(seen.commit, slices[n]?.events.length ?? 0);
        });
        const results = appended.map(({ result }) => result);
        options.appended(slices, results);
        return results;
      } catch (cause) {
        if (!isRefusal(cause)) gate.end(entry.session);
        throw cause instanceof LogWentBack ? cause : asStoreFault(cause);
      }
    },
  };
};

/** Whether another process has appended an event of the slice since its id was looked up. */
const hasIdsSince = async (
  { server }: Entry,
  { stream, expected, events }: Slice,
  absent: AbsentIds,
): Promise<boolean> => {
  const ids = new Set<string>();
  let from = expected.revision + 1;
  for (const { id } of events) {
    const upTo = absent.searchedUpTo(stream, id);
    if (upTo === undefined || upTo >= expected.revision) continue;
    ids.add(id);
    from = Math.min(from, upTo + 1);
  }
  while (ids.size > 0 && from <= expected.revision) {
    const page = await server.read(stream, from, Math.min(PAGE, expected.revision - from + 1));
    if (page.some(({ id }) => ids.has(id))) return true;
    if (page.length === 0) break;
    from += page.length;
  }
  return false;
};

const CLASH: Appended = { result: { kind: 'clash' } };

const appendSlice = async (
  entry: Entry,
  slice: Slice,
  sealing: { readonly writer: string; readonly movedMs: number | undefined },
): Promise<Appended> => {
  const { stream, expected, events } = slice;
  if (new Set(events.map(({ id }) => id)).size < events.length) return { result: { kind: 'duplicate' } };
  const previous = await endAsExpected(entry, slice);
  if (previous === undefined) return CLASH;
  if (events.length === 0) return { result: { kind: 'appended', written: [], time: undefined } };

  const named = entry.streams + stream;
  let last = previous;
  const sealed = events.map((event, n) => {
    const one = sealEvent(
      event,
      { stream, named, revision: expected.revision + 1 + n },
      { ...sealing, previous: last },
    );
    last = one.token;
    return one;
  });
  try {
    const { position } = await entry.session.client.appendToStream(
      named,
      sealed.map(({ event }) => event),
      { expectedRevision: expected.revision < 0 ? NO_STREAM : BigInt(expected.revision) },
    );
    const written = sealed.map((one) => ({ position: undefined, token: one.token }));
    const revision = expected.revision + events.length;
    entry.server.ends.set(stream, { revision, token: last });
    return {
      result: { kind: 'appended', written, time: undefined },
      ...seenAt(position, { stream, revision, token: last }),
    };
  } catch (error) {
    if (isWrongRevision(error)) return CLASH;
    throw error;
  }
};

const seenAt = (position: AppendResult['position'], place: Placed & Pick<Written, 'token'>) =>
  position ? { seen: { ...place, commit: Number(position.commit) } } : {};

/**
 * The token of the event that a slice follows; undefined if the stream does not have it. The server compares revisions only,
 * so the event must have been read or appended in this session. It need not be the last: a repeated append is at its place
 * already. A slice without events must follow the last one.
 */
const endAsExpected = async ({ server }: Entry, { stream, expected, events }: Slice): Promise<string | undefined> => {
  const { revision, token } = expected;
  if (events.length > 0 && revision < 0) return '';
  const known = events.length > 0 ? server.ends.of(stream) : undefined;
  const found =
    known?.revision === revision ? known : await eventBefore(server, stream, events.length > 0 ? revision : undefined);
  return found.revision === revision && found.token === (token ?? found.token) ? found.token : undefined;
};

/** The event at a revision, or the last one. */
const eventBefore = async (server: ServerStreams, stream: string, revision: number | undefined): Promise<KnownEnd> =>
  (revision === undefined ? await server.last(stream) : (await server.read(stream, revision, 1))[0]) ?? EMPTY_STREAM;
