import type { LogPlace } from '../eventstore/chained-log.ts';
import type { LogRewind } from '../eventstore/postgres/log-rewinds.ts';
import { inRounds } from './rounds.ts';

/** The part of an event that identifies it. */
type Remembered = { readonly id: string };

type Rewind = Pick<LogRewind, 'id' | 'seen' | 'commonPosition' | 'head'>;

export type RewindWatchOptions<Event extends Remembered> = {
  /** Compares the log with the newest place that this process has seen. */
  readonly checkHistory: () => Promise<LogPlace>;
  /** The lost place, if the error is that the log went back in time. */
  readonly goneOf: (error: unknown) => LogPlace | undefined;
  /** The head of a copy of the log, if the error is that it went back in time. It is being made complete again. */
  readonly copyBackAt?: (error: unknown) => number | undefined;
  /** The head of the copy once it has everything that the log had at the call. Rejects while it does not. */
  readonly completeCopy?: () => Promise<number>;
  /** Called after `dropMemory` when such a copy is complete again, with its heads then and now. */
  readonly copyIsWhole?: (from: number, to: number) => void;
  /** When this resolves, everything in memory was dropped or compared with the log. */
  readonly dropMemory: () => Promise<void>;
  /** Called after `dropMemory`: appends are accepted again. */
  readonly forgetHistory: () => void;
  readonly remembered: { all(): readonly Event[]; forget(ids: ReadonlySet<string>): void };
  readonly rewinds: {
    open(): Promise<Rewind | undefined>;
    isAcknowledged(id: string): Promise<boolean>;
    missing(events: readonly Event[]): Promise<readonly Event[]>;
    newestCommon(places: readonly LogPlace[]): Promise<number>;
    record(id: string, seen: LogPlace, commonPosition: number): Promise<Rewind>;
    addEvents(id: string, events: readonly Event[]): Promise<void>;
  };
  readonly newId: () => string;
  /** Called with each head of a log that has not gone back. */
  readonly saw: (head: LogPlace) => Promise<void>;
  /** Called once for each rewind, whether this process or another one detected it. */
  readonly noticed: (what: RewindNoticed) => void;
  /** Called when an open rewind was acknowledged, by this or another process. */
  readonly acknowledged: (id: string) => void;
  readonly failed: (error: unknown) => void;
  readonly everyMs?: number;
};

export type RewindNoticed = {
  readonly rewindId: string;
  /** The newest place that was seen and that the log no longer has. */
  readonly seen: LogPlace;
  /** The current end of the log. */
  readonly head: LogPlace;
  readonly commonPosition: number;
  /** How many events of this process are lost. */
  readonly lostEvents: number;
};

export type RewindWatch = {
  /** The rewind that is not acknowledged yet. Completions are refused while there is one. */
  readonly open: string | undefined;
  /** A copy of the log went back in time, and is not complete again. */
  readonly copyIsBack: boolean;
  /** A copy of the log may have gone back in time, and may be complete again already. */
  copyMayBeBack(): void;
  /** Compares now. Rejects if the database cannot be queried. */
  check(): Promise<void>;
  /** Starts a comparison, because of a failure that a rewind may explain. */
  checkSoon(): void;
  close(): Promise<void>;
};

const EVERY_MS = 1000;
/** One head per second for an hour, to find where two histories diverge. */
const MAX_HEADS = 3600;

/**
 * Detects that the log went back in time, by comparing it once a second with what this process has seen. Completions are then
 * refused on all nodes until an operator has acknowledged the loss.
 */
export const watchForRewinds = async <Event extends Remembered>(
  options: RewindWatchOptions<Event>,
): Promise<RewindWatch> => {
  const { everyMs = EVERY_MS } = options;
  const record = createRecord(options);
  let heads: LogPlace[] = [];
  let copyBackAt: number | undefined;
  /** How often the copy may have gone back. A comparison that began before the last time does not settle it. */
  let suspicions = 0;

  const handle = async (seen: LogPlace): Promise<void> => {
    const commonPosition = await record.detected(seen, heads);
    heads = heads.filter(({ position }) => position <= commonPosition);
  };

  const compare = async (): Promise<void> => {
    const suspicionsBefore = suspicions;
    try {
      const head = await options.checkHistory();
      if (copyBackAt !== undefined) {
        // The log is the same, but other tables went back with the copy. It may have events that this process never saw.
        const whole = (await options.completeCopy?.()) ?? head.position;
        await options.dropMemory();
        options.copyIsWhole?.(copyBackAt, whole);
        if (suspicions === suspicionsBefore) copyBackAt = undefined;
      }
      heads.push(head);
      if (heads.length > MAX_HEADS) heads = heads.slice(-MAX_HEADS);
    } catch (error) {
      copyBackAt ??= options.copyBackAt?.(error);
      const seen = options.goneOf(error);
      if (!seen) throw error;
      await handle(seen);
    }
    await record.refresh();
    const newest = heads.at(-1);
    if (newest) await options.saw(newest);
  };

  /** One comparison at a time: a second one waits for the first and compares again. */
  let comparing: Promise<void> = Promise.resolve();
  const check = (): Promise<void> => (comparing = comparing.catch(() => undefined).then(compare));

  await check();
  const { close } = inRounds(async (rest) => {
    for (await rest.pause(everyMs); !rest.ended; await rest.pause(everyMs)) await check().catch(options.failed);
  });
  return {
    get open() {
      return record.open;
    },
    get copyIsBack() {
      return copyBackAt !== undefined;
    },
    copyMayBeBack: () => {
      suspicions++;
      // While it is unsettled, the comparisons of each second go on.
      if (copyBackAt !== undefined) return;
      copyBackAt = 0;
      void check().catch(options.failed);
    },
    check,
    checkSoon: () => void check().catch(options.failed),
    close,
  };
};

type Recorded<Event> = {
  readonly id: string;
  readonly seen: LogPlace;
  readonly commonPosition: number;
  readonly lost: readonly Event[];
};

/** The open rewind in the database, and what this process recorded about it. */
const createRecord = <Event extends Remembered>(options: RewindWatchOptions<Event>) => {
  const { rewinds, remembered } = options;
  let open: string | undefined;
  /** Kept in case the database loses it. */
  let recorded: Recorded<Event> | undefined;

  const write = async ({ id, seen, commonPosition, lost }: Recorded<Event>): Promise<Rewind> => {
    const rewind = await rewinds.record(id, seen, commonPosition);
    await rewinds.addEvents(rewind.id, lost);
    recorded = { id: rewind.id, seen, commonPosition, lost };
    open = rewind.id;
    return rewind;
  };

  /** Another process detected the rewind first. */
  const adopt = async ({ id, seen, head, commonPosition }: Rewind): Promise<void> => {
    const lost = await rewinds.missing(remembered.all());
    await write({ id, seen: head, commonPosition, lost });
    options.noticed({ rewindId: id, seen, head, commonPosition, lostEvents: lost.length });
  };

  return {
    get open() {
      return open;
    },
    /** This process detected that the log went back in time. Resolves to the newest common position of both histories. */
    detected: async (seen: LogPlace, heads: readonly LogPlace[]): Promise<number> => {
      open ??= 'unrecorded'; // Completions are refused from here on, even if the database cannot record the rewind.
      const lost = await rewinds.missing(remembered.all());
      const commonPosition = await rewinds.newestCommon(heads);
      const { id: rewindId, head } = await write({ id: recorded?.id ?? options.newId(), seen, commonPosition, lost });
      await options.dropMemory();
      options.forgetHistory();
      options.noticed({ rewindId, seen, head, commonPosition, lostEvents: lost.length });
      return commonPosition;
    },
    /** Reads the open rewind: another process may have detected or acknowledged it, or the database may have lost it. */
    refresh: async (): Promise<void> => {
      const found = await rewinds.open();
      if (recorded && found?.id !== recorded.id) {
        if (!(await rewinds.isAcknowledged(recorded.id))) return void (await write(recorded));
        remembered.forget(new Set(recorded.lost.map((event) => event.id)));
        const { id } = recorded;
        recorded = undefined;
        options.acknowledged(id);
      }
      if (found && !recorded) await adopt(found);
      open = found?.id;
    },
  };
};
