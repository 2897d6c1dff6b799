import type { ChainedLog, LogPlace } from '../eventstore/chained-log.ts';
import type { Commands } from '../eventstore/commands.ts';
import { derivedId } from '../eventstore/ids.ts';
import { decodeFact, type Fact, type Metadata } from '../eventstore/journal/codec.ts';
import { openLockSession, type LockSession } from '../eventstore/postgres/session-locks.ts';
import {
  processStream,
  reactionKey,
  type ParkedReactions,
  type ReactionCommand,
  type ReactionEvent,
  type ReactionId,
  type ReactionRefusal,
} from '../domain/reactions/parked-reactions.ts';
import { createFactQueue, pause, type Handled } from './fact-queue.ts';
import { createProcessCheckpoint } from './process-checkpoint.ts';
import { inRounds } from './rounds.ts';

/** What a reaction reads of the outcome of its command. */
export type ReactionOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly refusal: { readonly code: string } }
  /** The fact waits for something that ends soon. It is handled again, with the facts after it. This is not a failure. */
  | { readonly kind: 'not_yet' };

/**
 * Executes one command under this metadata. It may be called more than once with the same metadata, after a crash or a
 * fault, and must then have one effect: a command is executed with `mayRepeat`. A rejection is a fault, and is retried.
 */
export type Reaction = (metadata: Metadata) => Promise<ReactionOutcome>;

/** The one way in which an event causes commands. */
export type Process = {
  /** On disk, in the names of its stream, its checkpoint and its commands: it never changes. */
  readonly name: string;
  /** The event types that it reads. */
  readonly types: ReadonlySet<string>;
  /** Whether it reacts to events that are older than its first start. */
  readonly from: 'start' | 'now';
  /**
   * The commands that a fact causes. They must depend on nothing but the fact and what the log held when it was written:
   * the id of the n-th command derives from the fact and n. Facts of one stream arrive in order, those of several streams
   * in any order. The signal aborts when this node no longer runs the process: work of many commands then rejects.
   */
  readonly react: (fact: Fact, signal?: AbortSignal) => readonly Reaction[] | Promise<readonly Reaction[]>;
};

/** The reaction that executes a command on a stream. */
export const sends =
  <Command, Refusal extends { readonly code: string }>(
    commands: Pick<Commands<unknown, Command, unknown, Refusal>, 'execute'>,
    stream: string,
    command: Command,
  ): Reaction =>
  (metadata) =>
    commands.execute(stream, command, metadata, { mayRepeat: true });

export type ProcessStatus = {
  /** Whether this node runs the process. The other figures are known only to that node. */
  readonly leads: boolean;
  /** The position up to which everything is done. */
  readonly position: number;
  /** The number of parked commands. */
  readonly parked: number;
  /** The number of streams whose oldest fact fails. */
  readonly stuck: number;
};

export type RunningProcess = {
  readonly name: string;
  readonly status: ProcessStatus;
  /**
   * The log went back in time: ends the work on what was read of it, and then begins at the checkpoint again. To be called
   * before appends are accepted again.
   */
  restart(): Promise<void>;
  close(): Promise<void>;
};

export type ProcessOptions = {
  readonly databaseUrl: string;
  readonly process: Process;
  readonly store: Pick<ChainedLog, 'follow' | 'head' | 'readAll' | 'findEvent' | 'checkHistory'>;
  /** Commands on the streams of processes. */
  readonly reactions: Pick<
    Commands<ParkedReactions, ReactionCommand, ReactionEvent, ReactionRefusal>,
    'execute' | 'read'
  >;
  /** The newest of these places that the log has; 0 if it has none of them. */
  readonly commonPosition: (places: readonly LogPlace[]) => Promise<number>;
  /** A command was refused, and waits for an operator. */
  readonly parked: (reaction: ReactionId & { readonly process: string; readonly refusal: string }) => void;
  /** A fact is retried, or without a fact, the process itself. */
  readonly failed: (error: unknown, fact?: Fact) => void;
  readonly rewound: (checkpoint: number, position: number) => void;
  /** Called with each checkpoint that was saved. */
  readonly saved?: (position: number) => void;
  /** How soon another node takes over a process whose node is stopped. */
  readonly silentMs?: number;
};

const TRY_TO_LEAD_EVERY_MS = 1000;
/** Events are collected for this time after each read, as for projections. */
const GATHER_MS = 250;
const SAVE_EVERY_MS = 250;
/** The checkpoint also moves while no event concerns the process, so that a start need not read far. */
const SAVE_IDLE_EVERY_MS = 10_000;
const RETRY_MS = [100, 500, 2000, 10_000, 60_000] as const;

const retryMs = (failures: number): number => RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0;

/** The id of the n-th command that an event causes. */
export const reactionCommandId = (process: string, eventId: string, n: number): string =>
  derivedId('react', `${process}#${eventId}#${n}`);

/** Parks a refused command, unless it was parked before for the same cause. */
const createParking = ({ process: { name }, reactions, parked }: ProcessOptions, counted: (open: number) => void) => {
  const stream = processStream(name);
  const read = async (): Promise<ParkedReactions> => {
    const { state } = await reactions.read(stream);
    counted(state.size);
    return state;
  };
  return {
    read,
    /** `causeId` is the event that sent the command: the reaction's own, or the one that resumed it. */
    park: async (reaction: ReactionId, causeId: string, refusal: string): Promise<void> => {
      const outcome = await reactions.execute(
        stream,
        { type: 'ParkReaction', ...reaction, refusal },
        { actor: `system:${name}`, commandId: derivedId('park', `${name}#${causeId}#${reaction.command}`) },
        { mayRepeat: true },
      );
      await read();
      if (outcome.kind === 'accepted' && !outcome.repeated) parked({ ...reaction, process: name, refusal });
    },
  };
};

/** Sends the commands of a fact, one after another. */
const createHandle = (options: ProcessOptions, parking: ReturnType<typeof createParking>) => {
  const { process, store } = options;

  const react = async (fact: Fact, signal: AbortSignal, causeId: string, only?: number): Promise<Handled> => {
    const parked = await parking.read();
    for (const [command, reaction] of (await process.react(fact, signal)).entries()) {
      const id = { eventId: fact.id, stream: fact.stream, command };
      if ((only !== undefined && only !== command) || parked.has(reactionKey(id))) continue;
      const commandId = reactionCommandId(process.name, fact.id, command);
      const outcome = await reaction({ actor: `system:${process.name}`, commandId });
      if (outcome.kind === 'not_yet') return 'not_yet';
      if (outcome.kind === 'refused') await parking.park(id, causeId, outcome.refusal.code);
    }
    return 'done';
  };

  return async (fact: Fact, signal: AbortSignal): Promise<Handled> => {
    const { event } = fact;
    if (event.type !== 'ReactionResumed') return react(fact, signal, fact.id);
    if (fact.stream !== processStream(process.name)) return 'done';
    const original = await store.findEvent(event.stream, event.eventId);
    return original ? react(decodeFact(original), signal, fact.id, event.command) : 'done';
  };
};

type Update = (status: Partial<ProcessStatus>) => void;

/** Moves the checkpoint behind what is done. */
const createSaving = (
  { saved = () => undefined }: ProcessOptions,
  checkpoint: ReturnType<typeof createProcessCheckpoint>,
  start: number,
) => {
  // The first checkpoint is saved soon: a restored database is complete only once it is.
  let [savedUpTo, savedAt, isDue] = [start, -Infinity, false];
  return {
    /** A fact is done. */
    due: (): void => void (isDue = true),
    save: async (position: number, signal: AbortSignal): Promise<void> => {
      const isIdle = !isDue && performance.now() - savedAt < SAVE_IDLE_EVERY_MS;
      if (position === savedUpTo || isIdle) return;
      isDue = false;
      if (!(await checkpoint.save(position, signal))) return;
      [savedUpTo, savedAt] = [position, performance.now()];
      saved(position);
    },
  };
};

/** What the node that runs the process does, until the signal aborts, its session is lost, or it fails. */
const createLead = (options: ProcessOptions, update: Update) => {
  const { process, store, commonPosition, failed, rewound } = options;
  const types = [...process.types, 'ReactionResumed'];
  const parking = createParking(options, (parked) => update({ parked }));
  const handle = createHandle(options, parking);

  return async (session: LockSession, signal: AbortSignal): Promise<void> => {
    const { name, from } = process;
    const checkpoint = createProcessCheckpoint({ process: name, from, session, store, commonPosition, rewound });
    const start = await checkpoint.load();
    await parking.read();
    const saving = createSaving(options, checkpoint, start);
    const ending = new AbortController();
    const ended = AbortSignal.any([signal, session.lost, ending.signal]);
    const queue = createFactQueue<Fact>({
      ...{ handle: (fact) => handle(fact, ended), signal: ended, retryMs, done: saving.due },
      failed: (fact, error) => failed(error, fact),
    });
    let readUpTo = start;
    const read = async (): Promise<void> => {
      for await (const { events, upTo } of store.follow(start, ended, types)) {
        for (const stored of events) queue.add(decodeFact(stored));
        readUpTo = upTo;
        await queue.room();
        await pause(GATHER_MS, ended);
      }
    };
    const save = async (): Promise<void> => {
      for (; !ended.aborted; await pause(SAVE_EVERY_MS, ended)) {
        const position = queue.doneUpTo(readUpTo);
        update({ position, stuck: queue.stuck });
        await saving.save(position, ended);
      }
    };
    try {
      update({ leads: true, position: start });
      await Promise.race([read(), save()]);
    } finally {
      ending.abort();
      await queue.settled();
      update({ leads: false, parked: 0, stuck: 0 });
    }
  };
};

/** Runs a process on one node at a time. All nodes start it; another one takes over when the node that runs it ends. */
export const startProcess = (options: ProcessOptions): RunningProcess => {
  const { databaseUrl, process, failed, silentMs } = options;
  let status: ProcessStatus = { leads: false, position: 0, parked: 0, stuck: 0 };
  let stopping = new AbortController();
  let round: Promise<void> = Promise.resolve();
  const lead = createLead(options, (changed) => (status = { ...status, ...changed }));

  /** Waits for the lead, and keeps it until the signal aborts. */
  const take = async (signal: AbortSignal): Promise<void> => {
    const session = await openLockSession(databaseUrl, {
      name: 'kissapi-processes',
      ...(silentMs === undefined ? {} : { silentMs }),
    });
    try {
      while (!signal.aborted && !(await session.tryLock(`process:${process.name}`))) {
        await pause(TRY_TO_LEAD_EVERY_MS, signal);
      }
      if (!signal.aborted) await lead(session, signal);
    } finally {
      await session.close();
    }
  };

  let failures = 0;
  const rounds = inRounds(async (rest) => {
    while (!rest.ended) {
      const { signal } = stopping;
      round = take(signal).then(
        () => void (failures = 0),
        (error: unknown) => {
          if (!signal.aborted) failed(error);
          failures++;
        },
      );
      await round;
      // A restart and the end do not wait for the next try.
      if (!signal.aborted) await pause(retryMs(failures), signal);
    }
  });

  return {
    name: process.name,
    get status() {
      return status;
    },
    restart: async () => {
      const former = round;
      failures = 0;
      stopping.abort();
      stopping = new AbortController();
      await former;
    },
    close: async () => {
      const closed = rounds.close();
      stopping.abort();
      await closed;
    },
  };
};
