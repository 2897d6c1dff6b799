import type { Decider, Refused } from '../domain/decider.ts';
import { RevisionClash, type Committer } from './committer.ts';
import type { EventCodec, Metadata } from './event-codec.ts';
import { streamPages, type NewEvent, type StreamEvent, type StreamReads } from './event-store.ts';
import type { ReadableVersions } from './event-versions.ts';
import { createFold } from './fold.ts';
import { eventId } from './ids.ts';
import type { Snapshots } from './snapshots.ts';
import { copy, createStreamCache, type CachedStream, type StreamCache } from './stream-cache.ts';

/** The result of a command: its events, which are durable now, or a refusal. */
export type Outcome<Event, Refusal> =
  | {
      readonly kind: 'accepted';
      /** Empty if the command changes nothing. */
      readonly events: readonly Event[];
      /** Of the command's last event; without events, of the end of the stream that it was decided on. */
      readonly revision: number;
      /** Of the command's last event; undefined without events, and if the store has not assigned it yet. */
      readonly position: number | undefined;
      /** The command was executed before; these are its events from then. */
      readonly repeated: boolean;
    }
  | Refused<Refusal>;

export type CommandOptions = {
  /** The command may have been sent before under the same id: the log is searched for its events first. */
  readonly mayRepeat?: boolean;
};

export type StateAt<State> = { readonly state: State; readonly revision: number };

/** Executes commands on streams of one kind: load, fold, decide, append; one at a time per stream. */
export type Commands<State, Command, Event, Refusal> = {
  /** Resolves when the outcome is durable. Rejects with StoreUnavailable if the store cannot be reached. */
  execute(
    stream: string,
    command: Command,
    metadata: Metadata,
    options?: CommandOptions,
  ): Promise<Outcome<Event, Refusal>>;
  /** The state at the current end of the stream in the log. The state is a copy. */
  read(stream: string): Promise<StateAt<State>>;
  /** The state that this process last saw committed, if it is in memory. It changes in place, so read it at once. */
  lastKnown(stream: string): State | undefined;
  /** The log went back in time: each stream in memory is compared with it before it is used again. */
  recheckAll(): void;
};

export type CommandsOptions<State, Command, Event, Refusal, Journal> = {
  readonly store: StreamReads;
  readonly committer: Committer;
  readonly decider: Decider<State, Command, Event, Refusal>;
  readonly codec: EventCodec<Journal>;
  /** For long streams: they are loaded from the newest snapshot, and new snapshots are taken as they grow. */
  readonly snapshots?: Snapshots<State>;
  /** How many streams stay folded in memory. */
  readonly cacheSize?: number;
  /** What every running gateway can read; by default all that this software writes. */
  readonly readable?: () => ReadableVersions;
};

/** Fault: the command id belongs to a command on another stream. */
export class CommandIdTaken extends Error {
  override readonly name = 'CommandIdTaken';
  readonly code = 'command_id_taken';

  constructor(stream: string) {
    super(`the id of a command on ${stream} belongs to a command on another stream`);
  }
}

/** A duplicate whose events are not in the stream twice in a row: a log that went back in time may explain one. */
const MAX_FOREIGN = 2;
/** More clashes for one command are a defect, not contention. */
const MAX_TRIES = 1000;
/** A command rarely has more events; the rest is read in pages. */
const EVENTS_OF_A_COMMAND = 10;

export const createCommands = <State, Command, Event extends Journal, Refusal, Journal>(
  options: CommandsOptions<State, Command, Event, Refusal, Journal>,
): Commands<State, Command, Event, Refusal> => {
  const { store, decider, codec, snapshots, cacheSize = 10_000 } = options;
  const fold = createFold<State, Event, Journal>({ store, decider, codec, snapshots });
  const cache = createStreamCache<State, Event>({ fold, decider, snapshots, size: cacheSize });
  const earlier = createEarlier<Event, Journal>(store, codec);
  const attempt = createAttempt(options, cache);

  /** A writer that clashed has the next turn on the stream, and other writers wait for it. Without a use for it, end it. */
  const giveTurnBack = (stream: string): void => {
    const entry = cache.open(stream);
    const commitNothing = async (): Promise<void> => {
      await cache.refresh(entry);
      const { end } = entry.expected;
      const failed = (): boolean => (entry.stale = true);
      await options.committer.commit({ stream, expected: end, end, events: [], failed });
    };
    void commitNothing()
      .catch(() => undefined) // The turn then lapses by itself.
      .finally(() => cache.release(entry));
  };

  /**
   * The events of a command in the log. Some stores accept an event whose id the stream has already. Then the state that a
   * command is decided on must not be newer than the search: the stream is read first, `loads`
   * identifies that read, and an append at an older place clashes.
   */
  const search = async (
    stream: string,
    commandId: string,
  ): Promise<{ readonly found: Outcome<Event, never> | undefined; readonly loads: number | undefined }> => {
    if (!store.acceptsKnownIds) return { found: await earlier(stream, commandId), loads: undefined };
    const entry = cache.open(stream);
    try {
      await cache.refresh(entry);
      const { loads } = entry;
      return { found: await earlier(stream, commandId), loads };
    } finally {
      cache.release(entry);
    }
  };

  const execute = async (
    stream: string,
    command: Command,
    metadata: Metadata,
    mayRepeat: boolean,
  ): Promise<Outcome<Event, Refusal>> => {
    let askLog = mayRepeat;
    let foreign = 0;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = askLog ? await search(stream, metadata.commandId) : undefined;
      if (before?.found) {
        if (tries > 0) giveTurnBack(stream);
        return before.found;
      }
      if (foreign === MAX_FOREIGN) throw new CommandIdTaken(stream);
      const entry = cache.open(stream);
      try {
        const outcome = await attempt(entry, command, metadata, before?.loads);
        if (outcome === LOADED_MEANWHILE) continue;
        if (!askLog || (outcome.kind === 'accepted' && outcome.events.length > 0)) return outcome;
        // If another node has just executed the command, return that outcome.
        return (await earlier(stream, metadata.commandId)) ?? outcome;
      } catch (error) {
        if (!(error instanceof RevisionClash)) throw error;
        entry.clashed = true;
        askLog ||= error.ambiguous;
        foreign = error.duplicate ? foreign + 1 : 0;
      } finally {
        cache.release(entry);
      }
    }
    throw new Error(`gave up after ${MAX_TRIES} clashes on ${stream}`);
  };

  return {
    execute: onceAtATime(execute),
    read: async (stream) => {
      const known = cache.known(stream)?.confirmed;
      const began = cache.epoch;
      const at = await (known ? fold.onward(stream, copy(known)) : fold(stream));
      const { state, revision } = began === cache.epoch ? at : await fold(stream);
      return { state, revision };
    },
    lastKnown: (stream) => {
      const entry = cache.known(stream);
      return entry && entry.confirmed.revision >= 0 && !entry.recheck ? entry.confirmed.state : undefined;
    },
    recheckAll: cache.recheckAll,
  };
};

/** The stream was read again after the search for the events of a command: the search must be repeated. */
const LOADED_MEANWHILE = Symbol('loaded meanwhile');

/**
 * Decides a command on the expected state of a stream, and commits the result. Rejects with RevisionClash. With `loads`, it
 * does so only if the stream was not read again.
 */
const createAttempt =
  <State, Command, Event extends Journal, Refusal, Journal>(
    { committer, decider, codec, readable }: CommandsOptions<State, Command, Event, Refusal, Journal>,
    cache: StreamCache<State, Event>,
  ) =>
  async (
    entry: CachedStream<State>,
    command: Command,
    metadata: Metadata,
    loads: number | undefined,
  ): Promise<Outcome<Event, Refusal> | typeof LOADED_MEANWHILE> => {
    await cache.refresh(entry);
    if (loads !== undefined && entry.loads !== loads) return LOADED_MEANWHILE;
    // No await between the check for staleness and the commit, or the decision could rest on a void state.
    const decision = decider.decide(command, entry.expected.state);
    // A refusal is committed as well, without events: it rests on appends that may still fail, and other nodes may have
    // written since this process last read the stream.
    const decided = decision.kind === 'accepted' ? decision.events : [];
    const versions = readable?.();
    const encoded = decided.map((event, n) => codec.encode(event, eventId(metadata.commandId, n), metadata, versions));
    const events = decided.map((event, n) => codec.asWritten(event, encoded[n] as NewEvent));
    const expected = entry.expected.end;
    const revision = expected.revision + events.length;
    const end = events.length > 0 ? { revision, token: undefined } : expected;
    const commit = committer.commit({
      ...{ stream: entry.stream, expected, end, events: encoded },
      failed: () => (entry.stale = true),
    });
    entry.expected = { state: events.reduce(decider.evolve, entry.expected.state), end };
    entry.lastCommit = commit.then(() => cache.confirm(entry, events, end));
    entry.lastCommit.catch(() => undefined);
    const { position } = await commit;
    return decision.kind === 'refused' ? decision : { kind: 'accepted', events, revision, position, repeated: false };
  };

/** Emptied at the end, because a busy Map keeps the entries of its former tables in memory until old objects are collected. */
type Executing = { outcome: Promise<unknown> | undefined };

/** A command whose id is being executed already waits, and then finds the outcome of the first in the log. */
const onceAtATime = <Command, Result>(
  execute: (stream: string, command: Command, metadata: Metadata, mayRepeat: boolean) => Promise<Result>,
) => {
  const executing = new Map<string, Executing>();
  return async (
    stream: string,
    command: Command,
    metadata: Metadata,
    { mayRepeat = false }: CommandOptions = {},
  ): Promise<Result> => {
    const { commandId } = metadata;
    let waited = false;
    for (let first; (first = executing.get(commandId)?.outcome); waited = true) await first.catch(() => undefined);
    const outcome = execute(stream, command, metadata, mayRepeat || waited);
    const entry: Executing = { outcome };
    executing.set(commandId, entry);
    try {
      return await outcome;
    } finally {
      executing.delete(commandId);
      entry.outcome = undefined;
    }
  };
};

/** Finds the outcome of a command that was executed before; undefined if it left no event. */
const createEarlier =
  <Event extends Journal, Journal>(store: StreamReads, { decodeEvent }: Pick<EventCodec<Journal>, 'decodeEvent'>) =>
  async (stream: string, commandId: string): Promise<Outcome<Event, never> | undefined> => {
    const first = await store.findEvent(stream, eventId(commandId, 0));
    if (!first) return undefined;
    // Usually one read for all events of the command: if the log goes back in time meanwhile, all or none of them are lost.
    const stored: (StreamEvent & { readonly position?: number })[] = [];
    for await (const page of streamPages(store, stream, first.revision, EVENTS_OF_A_COMMAND)) {
      const end = page.findIndex(({ id }, n) => id !== eventId(commandId, stored.length + n));
      stored.push(...page.slice(0, end === -1 ? page.length : end));
      if (end !== -1) break;
    }
    const last = stored.at(-1);
    if (!last) return undefined;
    const events = stored.map((one) => decodeEvent(one) as Event);
    return { kind: 'accepted', events, revision: last.revision, position: last.position, repeated: true };
  };
