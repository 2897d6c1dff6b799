import { inRounds } from './rounds.ts';

type Place = { readonly position: number; readonly hash: string };

/** As much of an event as is needed to know it again. */
type Remembered = { readonly id: string };

type Rewind = { readonly id: string; readonly seen: Place; readonly commonPosition: number; readonly head: Place };

export type RewindWatchOptions<Event extends Remembered> = {
  /** Compares the log with the newest place that this process has seen. */
  readonly checkHistory: () => Promise<Place>;
  /** The place that the fault names, if it says that the log went back in time. */
  readonly goneOf: (error: unknown) => Place | undefined;
  /** Everything that this process holds in memory must be dropped or compared with the log when this resolves. */
  readonly dropMemory: () => Promise<void>;
  /** After that: nothing rests on what was seen before. */
  readonly forgetHistory: () => void;
  readonly remembered: { all(): readonly Event[]; forget(ids: ReadonlySet<string>): void };
  readonly rewinds: {
    open(): Promise<Rewind | undefined>;
    isAcknowledged(id: string): Promise<boolean>;
    missing(events: readonly Event[]): Promise<readonly Event[]>;
    newestCommon(places: readonly Place[]): Promise<number>;
    record(id: string, seen: Place, commonPosition: number): Promise<Rewind>;
    addEvents(id: string, events: readonly Event[]): Promise<void>;
  };
  readonly newId: () => string;
  /** Called with each head that was found in order. */
  readonly saw: (head: Place) => Promise<void>;
  /** Called once for each rewind, whether this process noticed it or another one did. */
  readonly noticed: (what: RewindNoticed) => void;
  /** An open rewind was acknowledged, here or elsewhere. */
  readonly acknowledged: (id: string) => void;
  readonly failed: (error: unknown) => void;
  readonly everyMs?: number;
};

export type RewindNoticed = {
  readonly rewindId: string;
  /** The place that was seen and is gone. */
  readonly seen: Place;
  /** The end of the log now. */
  readonly head: Place;
  readonly commonPosition: number;
  /** How many events of this process are gone. */
  readonly lostEvents: number;
};

export type RewindWatch = {
  /** The rewind that is not acknowledged yet: no completions until then. */
  readonly open: string | undefined;
  /** Looks now. Rejects if the database cannot be asked. */
  check(): Promise<void>;
  /** Looks in a moment, for something has failed that a rewind may explain. */
  checkSoon(): void;
  close(): Promise<void>;
};

const EVERY_MS = 1000;
/** One head a second: an hour of them, to find where two histories part. */
const MAX_HEADS = 3600;

/**
 * Notices that the log went back in time, by comparing it once a second with what this process has seen, and holds
 * completions up on this node, as on all others, until an operator has acknowledged what is gone.
 */
export const watchForRewinds = async <Event extends Remembered>(
  options: RewindWatchOptions<Event>,
): Promise<RewindWatch> => {
  const { rewinds, remembered, everyMs = EVERY_MS } = options;
  let open: string | undefined;
  let heads: Place[] = [];
  /** What this process has stated about the open rewind, kept in case the database loses that as well. */
  let stated:
    | { readonly id: string; readonly seen: Place; readonly commonPosition: number; readonly lost: readonly Event[] }
    | undefined;

  const state = async (id: string, seen: Place, commonPosition: number, lost: readonly Event[]): Promise<Rewind> => {
    const rewind = await rewinds.record(id, seen, commonPosition);
    await rewinds.addEvents(rewind.id, lost);
    stated = { id: rewind.id, seen, commonPosition, lost };
    open = rewind.id;
    return rewind;
  };

  const handle = async (seen: Place): Promise<void> => {
    open ??= 'unrecorded'; // From here on no completion is taken, even if the reason cannot be written to the database.
    const lost = await rewinds.missing(remembered.all());
    const commonPosition = await rewinds.newestCommon(heads);
    const { id: rewindId, head } = await state(stated?.id ?? options.newId(), seen, commonPosition, lost);
    await options.dropMemory();
    heads = heads.filter(({ position }) => position <= commonPosition);
    options.forgetHistory();
    options.noticed({ rewindId, seen, head, commonPosition, lostEvents: lost.length });
  };

  /** Another node may have noticed first, or the database may have lost what was stated. */
  const lookAtOpen = async (): Promise<void> => {
    const found = await rewinds.open();
    if (stated && found?.id !== stated.id) {
      if (!(await rewinds.isAcknowledged(stated.id))) {
        await state(stated.id, stated.seen, stated.commonPosition, stated.lost);
        return;
      }
      remembered.forget(new Set(stated.lost.map(({ id }) => id)));
      const { id } = stated;
      stated = undefined;
      options.acknowledged(id);
    }
    if (found && !stated) {
      const lost = await rewinds.missing(remembered.all());
      await state(found.id, found.head, found.commonPosition, lost);
      const { id: rewindId, seen, head, commonPosition } = found;
      options.noticed({ rewindId, seen, head, commonPosition, lostEvents: lost.length });
    }
    open = found?.id;
  };

  const look = async (): Promise<void> => {
    try {
      const head = await options.checkHistory();
      heads.push(head);
      if (heads.length > MAX_HEADS) heads = heads.slice(-MAX_HEADS);
    } catch (error) {
      const seen = options.goneOf(error);
      if (!seen) throw error;
      await handle(seen);
    }
    await lookAtOpen();
    const newest = heads.at(-1);
    if (newest) await options.saw(newest);
  };

  /** One look at a time: a second one waits for the first and looks again. */
  let looking: Promise<void> = Promise.resolve();
  const check = (): Promise<void> => (looking = looking.catch(() => undefined).then(look));

  await check();
  const { close } = inRounds(async (rest) => {
    for (await rest.pause(everyMs); !rest.ended; await rest.pause(everyMs)) await check().catch(options.failed);
  });
  return {
    get open() {
      return open;
    },
    check,
    checkSoon: () => void check().catch(options.failed),
    close,
  };
};
