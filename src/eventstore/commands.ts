import type { Decider, Refused } from '../domain/decider.ts';
import { asWritten, decode, encode, type DomainEvent, type Metadata, type Recorded } from './journal/codec.ts';
import { RevisionClash, type Committer, type StreamEnd } from './committer.ts';
import { EMPTY_STREAM, streamPages, type EventStore, type NewEvent } from './event-store.ts';
import type { ReadableVersions } from './event-versions.ts';
import { createFold, type Folded } from './fold.ts';
import { eventId } from './ids.ts';
import { SNAPSHOT_EVERY, type Snapshots } from './postgres/snapshots.ts';

/** What came of a command: events now durable, none because it was so already, or a refusal. */
export type Outcome<Event, Refusal> =
  | {
      readonly kind: 'accepted';
      readonly events: readonly Event[];
      /** Of the command's last event; of the head that it was decided on, where there were none. */
      readonly revision: number;
      /** Position of the command's last event; undefined where it wrote none. */
      readonly position: number | undefined;
      /** The command had been carried out before; these are the events of that time. */
      readonly repeated: boolean;
    }
  | Refused<Refusal>;

export type CommandOptions = {
  /** Whether the same command may have been sent before, under the same id: then the log is asked first. */
  readonly mayRepeat?: boolean;
};

export type StateAt<State> = { readonly state: State; readonly revision: number };

/** Executes commands on the streams of one kind: load, fold, decide, append; one at a time per stream. */
export type Commands<State, Command, Event, Refusal> = {
  /** Resolves when what it says is durable. Rejects with StoreUnavailable when the store cannot be reached. */
  execute(
    stream: string,
    command: Command,
    metadata: Metadata,
    options?: CommandOptions,
  ): Promise<Outcome<Event, Refusal>>;
  /** The state at the end of the stream as the log has it now, whoever wrote it; the caller's own copy. */
  read(stream: string): Promise<StateAt<State>>;
  /** The state as this process last saw it committed, if it is in memory; to be read at once, for it changes in place. */
  lastKnown(stream: string): State | undefined;
  /** The log went back in time: every stream in memory is compared with it, and folded anew if need be, before it is used. */
  recheckAll(): void;
};

export type CommandsOptions<State, Command, Event, Refusal> = {
  readonly store: EventStore;
  readonly committer: Committer;
  readonly decider: Decider<State, Command, Event, Refusal>;
  /** Where streams grow long: they are loaded from there, and new ones are taken as they grow. */
  readonly snapshots?: Snapshots<State>;
  /** How many streams stay folded in memory. */
  readonly cacheSize?: number;
  /** What every running gateway can read; by default all that this software writes. */
  readonly readable?: () => ReadableVersions;
};

/** More clashes than this for one command mean that something is wrong, not busy. */
const MAX_TRIES = 1000;
/** A command rarely has more; if it has, they are read in pages. */
const EVENTS_OF_A_COMMAND = 10;
/** How long to leave a stream to the writer that has the turn on it. */
const TURN_MS = 3;

/**
 * A stream in memory. `confirmed` is what the log holds; `expected` is where it will be once everything handed to the
 * committer is durable, and the next command is decided on that, without waiting.
 */
type Entry<State> = {
  readonly stream: string;
  confirmed: Folded<State>;
  expected: { readonly state: State; readonly end: StreamEnd };
  /** Another writer was first, or the store failed: `expected` is void until the tail has been read. */
  stale: boolean;
  /** It was another writer. */
  clashed: boolean;
  loading: Promise<void> | undefined;
  /** Settles with the last append handed over. */
  lastCommit: Promise<unknown>;
  underWay: number;
  /** The log went back in time, and this has not been compared with it since. */
  recheck: boolean;
};

export const createCommands = <State, Command, Event extends DomainEvent, Refusal>({
  store,
  committer,
  decider,
  snapshots,
  cacheSize = 10_000,
  readable,
}: CommandsOptions<State, Command, Event, Refusal>): Commands<State, Command, Event, Refusal> => {
  const fold = createFold<State, Event>({ store, decider, snapshots });
  const cache = new Map<string, Entry<State>>();
  /** How often the log has gone back in time under this process. */
  let epoch = 0;
  /** Commands under way, by id: the same one again waits until the answer of the first can be found in the log. */
  const executing = new Map<string, Promise<unknown>>();

  /** For one command, which says when it is done: an entry in use is never forgotten, so there is one per stream. */
  const open = (stream: string): Entry<State> => {
    const cached = cache.get(stream);
    // Deleted and set again, so that the map is in order of use and the first entry is the one to forget.
    if (cached) cache.delete(stream);
    const entry = cached ?? newEntry(stream);
    entry.underWay++;
    cache.set(stream, entry);
    if (cache.size > cacheSize) forgetOldest();
    return entry;
  };

  const newEntry = (stream: string): Entry<State> => {
    const state = decider.initial();
    return {
      stream,
      confirmed: { state, ...EMPTY_STREAM, snapshotDue: SNAPSHOT_EVERY },
      expected: { state, end: { ...EMPTY_STREAM } },
      stale: true,
      clashed: false,
      loading: undefined,
      lastCommit: Promise.resolve(),
      underWay: 0,
      recheck: false,
    };
  };

  const forgetOldest = (): void => {
    for (const [stream, entry] of cache) {
      if (entry.underWay > 0) continue;
      cache.delete(stream);
      return;
    }
  };

  const load = async (entry: Entry<State>): Promise<void> => {
    // Appends still under way end first, for `confirmed` must have them before the tail is read.
    await entry.lastCommit.catch(() => undefined);
    const { token } = entry.confirmed;
    const began = epoch;
    let at = await fold.onward(entry.stream, copy(entry.confirmed));
    // A clash, and nothing new to read: another writer has the turn, and what it writes would make us clash again.
    if (entry.clashed && at.token === token) {
      await new Promise((resolve) => setTimeout(resolve, TURN_MS));
      at = await fold.onward(entry.stream, at);
    }
    // Pages that were read before and after the log went back in time do not belong together.
    if (began !== epoch) return;
    entry.confirmed = at;
    entry.expected = { state: structuredClone(at.state), end: { revision: at.revision, token: at.token } };
    entry.lastCommit = Promise.resolve();
    entry.clashed = false;
    entry.stale = false;
    entry.recheck = false;
  };

  const apply = (state: State, events: readonly Event[]): State => events.reduce(decider.evolve, state);

  const confirm = (entry: Entry<State>, events: readonly Event[], { revision, token = '' }: StreamEnd): void => {
    const state = apply(entry.confirmed.state, events);
    const due = entry.confirmed.snapshotDue;
    const snapshotDue = snapshots && revision >= due ? snapshots.take(entry.stream, state, { revision, token }) : due;
    entry.confirmed = { state, revision, token, snapshotDue };
  };

  const reload = (entry: Entry<State>): Promise<void> =>
    (entry.loading ??= load(entry).finally(() => (entry.loading = undefined)));

  const attempt = async (
    entry: Entry<State>,
    command: Command,
    metadata: Metadata,
  ): Promise<Outcome<Event, Refusal>> => {
    // Nobody else runs between the last look at `stale` and the commit, or the decision could rest on what is void.
    while (entry.stale) await reload(entry);
    const decision = decider.decide(command, entry.expected.state);
    // A refusal is put to the log as well, without events: it rests on appends that may still fail, and on nobody else
    // having written since this process last looked.
    const decided = decision.kind === 'accepted' ? decision.events : [];
    const versions = readable?.();
    const encoded = decided.map((event, n) => encode(event, eventId(metadata.commandId, n), metadata, versions));
    const events = decided.map((event, n) => asWritten(event, encoded[n] as NewEvent));
    const expected = entry.expected.end;
    const revision = expected.revision + events.length;
    const end = events.length > 0 ? { revision, token: undefined } : expected;
    const commit = committer.commit({
      ...{ stream: entry.stream, expected, end, events: encoded },
      failed: () => (entry.stale = true),
    });
    entry.expected = { state: apply(entry.expected.state, events), end };
    entry.lastCommit = commit.then(() => confirm(entry, events, end));
    entry.lastCommit.catch(() => undefined);
    const { firstPosition } = await commit;
    if (decision.kind === 'refused') return decision;
    const position = events.length > 0 ? firstPosition + events.length - 1 : undefined;
    return { kind: 'accepted', events, revision, position, repeated: false };
  };

  /** Who clashed comes next on the stream, and keeps the others waiting until it has: here it has nothing more to do there. */
  const giveTurnBack = (stream: string): void => {
    const entry = open(stream);
    const nothing = async (): Promise<void> => {
      while (entry.stale) await reload(entry);
      const { end } = entry.expected;
      await committer.commit({ stream, expected: end, end, events: [], failed: () => (entry.stale = true) });
    };
    void nothing()
      .catch(() => undefined) // Then it lapses by itself.
      .finally(() => entry.underWay--);
  };

  const earlier = async (commandId: string): Promise<Outcome<Event, Refusal> | undefined> => {
    const first = await store.findEvent(eventId(commandId, 0));
    if (!first) return undefined;
    // One read for all events of the command: if the log goes back in time now, all of them are gone, or none.
    const recorded: Recorded[] = [];
    for await (const page of streamPages(store, first.stream, first.revision, EVENTS_OF_A_COMMAND)) {
      const end = page.findIndex(({ id }, n) => id !== eventId(commandId, recorded.length + n));
      recorded.push(...page.slice(0, end === -1 ? page.length : end).map(decode));
      if (end !== -1) break;
    }
    const last = recorded.at(-1);
    if (!last) return undefined;
    const events = recorded.map(({ event }) => event as Event);
    return { kind: 'accepted', events, revision: last.revision, position: last.position, repeated: true };
  };

  const execute = async (
    stream: string,
    command: Command,
    metadata: Metadata,
    mayRepeat: boolean,
  ): Promise<Outcome<Event, Refusal>> => {
    let askLog = mayRepeat;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = askLog ? await earlier(metadata.commandId) : undefined;
      if (before) {
        if (tries > 0) giveTurnBack(stream);
        return before;
      }
      const entry = open(stream);
      try {
        const outcome = await attempt(entry, command, metadata);
        if (!askLog || (outcome.kind === 'accepted' && outcome.events.length > 0)) return outcome;
        // Where another node carried it out just now, this is what it was told, and not that it is so already.
        return (await earlier(metadata.commandId)) ?? outcome;
      } catch (error) {
        if (!(error instanceof RevisionClash)) throw error;
        entry.clashed = true;
        askLog ||= error.ambiguous;
      } finally {
        entry.underWay--;
      }
    }
    throw new Error(`gave up after ${MAX_TRIES} clashes on ${stream}`);
  };

  return {
    execute: async (stream, command, metadata, { mayRepeat = false } = {}) => {
      const { commandId } = metadata;
      let seen = false;
      for (let first; (first = executing.get(commandId)); seen = true) await first.catch(() => undefined);
      const outcome = execute(stream, command, metadata, mayRepeat || seen);
      executing.set(commandId, outcome);
      try {
        return await outcome;
      } finally {
        executing.delete(commandId);
      }
    },
    read: async (stream) => {
      const known = cache.get(stream)?.confirmed;
      const began = epoch;
      const at = await (known ? fold.onward(stream, copy(known)) : fold(stream));
      const { state, revision } = began === epoch ? at : await fold(stream);
      return { state, revision };
    },
    lastKnown: (stream) => {
      const entry = cache.get(stream);
      return entry && entry.confirmed.revision >= 0 && !entry.recheck ? entry.confirmed.state : undefined;
    },
    recheckAll: () => {
      epoch++;
      for (const entry of cache.values()) {
        entry.stale = true;
        entry.recheck = true;
      }
    },
  };
};

const copy = <At extends { readonly state: unknown }>(at: At): At => ({ ...at, state: structuredClone(at.state) });
