import { realNode, type NodeOptions, type Subject } from '../../proofs/prove/history.ts';
import { inMemorySubject } from '../../proofs/prove/in-memory-subject.ts';
import { accountDecider } from '../../src/domain/account/decide.ts';
import type { Tallies, Tally } from '../../src/domain/account/limits/tallies.ts';
import { createCommitter, type Committer } from '../../src/eventstore/committer.ts';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { StoreUnavailable, type Slice } from '../../src/eventstore/event-store.ts';
import { NOTHING_SEEN } from '../../src/eventstore/history-seen.ts';
import { createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import { eventId } from '../../src/eventstore/ids.ts';
import { createNode, type Node } from '../eventstore/nodes.ts';
import { brokenDeciders } from './broken-deciders.ts';

type Append = ChainedLog['append'];
type Commands = Node['commands'];

/** Each breaks one promise, by a wrapper around a part that is whole. */
export const brokenSubjects: Readonly<Record<string, () => Subject>> = {
  ...Object.fromEntries(Object.entries(brokenDeciders).map(([what, decider]) => [what, () => withDecider(decider)])),

  'a store that writes a slice twice': () =>
    withAppend(({ append }) => async (slices) => {
      const results = await append(slices);
      const again = slices.filter(({ events }, n) => events.length > 0 && results[n]?.kind === 'appended');
      await append(
        again.map((slice) => anew({ ...slice, expected: { revision: slice.expected.revision + slice.events.length } })),
      );
      return results;
    }),

  'a store that does not look where a stream is': () =>
    withAppend((store) => async (slices) => {
      const moved: Slice[] = [];
      for (const slice of slices)
        moved.push({ ...slice, expected: { revision: await lastRevision(store, slice.stream) } });
      return store.append(moved);
    }),

  'a store that believes all who ask whether their refusal is right': () =>
    withAppend(({ append }) => async (slices) => {
      const writing = slices.filter(({ events }) => events.length > 0);
      const results = [...(await append(writing))];
      const fine = { kind: 'appended', written: [], time: new Date(0) } as const;
      return slices.map(({ events }) => (events.length > 0 ? (results.shift() ?? fine) : fine));
    }),

  'ids that do not derive from the command': () => {
    const store = createInMemoryStore();
    return sharing({
      ...store,
      append: (slices) => store.append(slices.map(anew)),
      streams: { readStream: store.readStream, findEvent: () => Promise.resolve(undefined) },
    });
  },

  'a limit of requests under way that forgets some': () => withTallies((tally) => ({ ...tally, open: 0 })),
  'a limit by the minute that nobody keeps': () => withTallies((tally) => ({ ...tally, minute: null })),
  'a limit on spending that knows nothing of holds': () =>
    withTallies((tally) => {
      const spending = structuredClone(tally.spending);
      for (const counter of Object.values(spending)) counter.held = 0n;
      return { ...tally, spending };
    }),

  'an answer that says "done" of an append that failed': () =>
    withCommitter((committer, store) => ({
      ...committer,
      commit: (append) =>
        committer.commit(append).catch(async (error) => {
          if (!(error instanceof StoreUnavailable)) throw error;
          return { position: (await store.head()) + append.events.length, time: new Date(0) };
        }),
    })),

  'an answer that comes before the append': () =>
    withCommitter((committer, store) => ({
      ...committer,
      commit: async (append) => {
        committer.commit(append).catch(() => undefined);
        return { position: (await store.head()) + append.events.length, time: new Date(0) };
      },
    })),

  'a repetition that nobody looks up in the log': () =>
    withCommands((commands) => ({
      ...commands,
      execute: (stream, command, metadata) => commands.execute(stream, command, metadata),
    })),

  'a read that remembers what it told before': () =>
    withCommands((commands) => {
      const told = new Map<string, ReturnType<Commands['read']>>();
      const read: Commands['read'] = (stream) => {
        const known = told.get(stream) ?? commands.read(stream);
        told.set(stream, known);
        return known;
      };
      return { ...commands, read };
    }),

  'a snapshot of the moment after': () =>
    withNode((store, options) => {
      const { snapshots } = options;
      const take: typeof snapshots.take = (stream, state, { revision }) => {
        const later = structuredClone(state);
        void store.streams
          .readStream(stream, revision - 1, 1)
          .catch(() => [])
          .then(([event]) => {
            if (event) snapshots.take(stream, later, { revision: event.revision, token: event.token });
          });
        return revision + 2;
      };
      return realNode(store, { ...options, snapshots: { ...snapshots, take } });
    }),

  'a store that compares only revisions, on a log that goes back in time': () =>
    inMemorySubject((log) => ({
      ...createInMemoryStore(log),
      ...{ newest: NOTHING_SEEN, checkHistory: () => Promise.resolve(NOTHING_SEEN) },
      append: (slices) =>
        Promise.resolve(
          log.append(slices.map((slice) => ({ ...slice, expected: { revision: slice.expected.revision } }))),
        ),
    })),

  'an answer that never comes': () =>
    withCommitter((committer) => ({
      ...committer,
      commit: (append) => committer.commit(append).catch(() => new Promise(() => undefined)),
    })),
};

/** All processes see the log with the same eyes, and it never goes back in time. */
const sharing = (store: ChainedLog): Subject => ({ openStore: () => store });

const withAppend = (appendOn: (store: ChainedLog) => Append): Subject => {
  const store = createInMemoryStore();
  // The accounts are opened as they should be: what is broken is what comes then.
  let opened = false;
  const broken = appendOn(store);
  const append: Append = (slices) => {
    if (opened) return broken(slices);
    opened = true;
    return store.append(slices);
  };
  return sharing({ ...store, append });
};

const withNode = (nodeOn: (store: ChainedLog, options: NodeOptions) => Node): Subject => ({
  ...sharing(createInMemoryStore()),
  createNode: nodeOn,
});

const withDecider = (decider: typeof accountDecider): Subject =>
  withNode((store, { retries, ...options }) =>
    createNode(store, { ...options, decider, committer: createCommitter({ store, maxRetries: retries, retryMs: 0 }) }),
  );

/** Decides on other tallies than there are. */
const withTallies = (broken: (tally: Tally) => Tally): Subject =>
  withDecider({
    ...accountDecider,
    decide: (command, state) => {
      const { account, keys, ...rest } = state.tallies;
      const tallies: Tallies = {
        ...rest,
        account: broken(account),
        keys: new Map([...keys].map(([keyId, tally]) => [keyId, broken(tally)])),
      };
      return accountDecider.decide(command, { ...state, tallies });
    },
  });

const withCommitter = (broken: (committer: Committer, store: ChainedLog) => Committer): Subject =>
  withNode((store, { retries, ...options }) => {
    const committer = broken(createCommitter({ store, maxRetries: retries, retryMs: 0 }), store);
    return createNode(store, { ...options, committer });
  });

const withCommands = (broken: (commands: Commands) => Commands): Subject =>
  withNode((store, options) => {
    const node = realNode(store, options);
    return { ...node, commands: broken(node.commands) };
  });

const lastRevision = async (store: ChainedLog, stream: string): Promise<number> =>
  (await store.readStream(stream, 0, 1000)).length - 1;

let count = 0;
/** The same events under other ids, so that the log does not know them. */
const anew = (slice: Slice): Slice => ({
  ...slice,
  events: slice.events.map((event) => ({ ...event, id: eventId(`anew-${count++}`, 0) })),
});
