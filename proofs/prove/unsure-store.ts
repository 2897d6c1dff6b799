import { LogWentBack, type ChainedLog } from '../../src/eventstore/chained-log.ts';
import { StoreUnavailable, type Slice } from '../../src/eventstore/event-store.ts';
import type { Fate } from './plan.ts';
import type { Scheduler } from './scheduler.ts';

/** Counts the trouble in the histories, to show that there was some. */
export type Trouble = {
  clashes: number;
  ambiguous: number;
  unavailable: number;
  restarts: number;
  /** The number of rewinds of the log. */
  rewinds: number;
  /** How often an account was loaded from a snapshot. */
  snapshots: number;
};

export const noTrouble = (): Trouble => ({
  ...{ clashes: 0, ambiguous: 0, unavailable: 0, restarts: 0, rewinds: 0, snapshots: 0 },
});

export type Surroundings = {
  /** The harness's store, which never fails after a rewind. */
  readonly store: ChainedLog;
  readonly scheduler: Scheduler;
  readonly trouble: Trouble;
  nextAppend(): Fate;
  nextReadFails(): boolean;
  /** Called when an append has reached the log, before its result is delivered. */
  arrived(): Promise<void>;
  tell(line: () => string): void;
  /** Describes the command that an event id is derived from. */
  commandOf(eventId: string): string;
};

/** The store of one process: the scheduler delays requests and responses, or they are lost. */
export type UnsureStore = ChainedLog & {
  /** The process is dead: it sends and receives nothing more. Requests that it sent may still arrive. */
  die(): void;
};

export type UnsureStoreOptions = {
  readonly who: string;
  /** The log from the perspective of this process. */
  readonly store: ChainedLog;
  /** Called when the process receives LogWentBack. */
  readonly wentBack: () => void;
};

export const createUnsureStore = (
  { who, store, wentBack }: UnsureStoreOptions,
  surroundings: Surroundings,
): UnsureStore => {
  const { scheduler, trouble, tell, commandOf } = surroundings;
  let dead = false;

  const call = <T>(what: () => string, fate: Fate, work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (dead) return;
      const answer = (told: string, deliver: () => void): void =>
        scheduler.may(() => {
          if (dead) return;
          tell(() => `    ${who}: ${what()} ${told}`);
          deliver();
        });
      const fail = (why: string): void => answer(why, () => reject(new StoreUnavailable(why)));
      const arrive = async (): Promise<T> => {
        const result = await work();
        tell(() => `    the log: ${what()} of ${who} → ${show(result)}`);
        return result;
      };
      if (fate === 'lost' || fate === 'late') fail('is not answered');
      const refused = (error: unknown): void => {
        if (!(error instanceof LogWentBack)) throw error;
        answer('is refused, for the log went back in time', () => {
          wentBack();
          reject(error);
        });
      };
      const unheard = (error: unknown): void => {
        if (!(error instanceof LogWentBack)) throw error;
      };
      if (fate === 'late') scheduler.may(() => arrive().then(() => undefined, unheard));
      if (fate === 'unanswered')
        scheduler.may(() =>
          arrive()
            .then(() => undefined, unheard)
            .then(() => fail('is not answered')),
        );
      if (fate === 'fine') {
        scheduler.may(() => arrive().then((result) => answer('is answered', () => resolve(result)), refused));
      }
    });

  const read = <T>(what: () => string, work: () => Promise<T>): Promise<T> => {
    const fails = !dead && surroundings.nextReadFails();
    if (fails) trouble.unavailable++;
    return call(what, fails ? 'lost' : 'fine', work);
  };

  const readFrom = <T>(stream: string, from: number, work: () => Promise<T>): Promise<T> =>
    read(() => `read ${accountIn(stream)} from ${from}`, work);
  const lookUp = <T>(id: string, work: () => Promise<T>): Promise<T> => read(() => `look ${commandOf(id)} up`, work);

  return {
    ...store,
    append: (slices) => {
      const fate = dead ? 'lost' : surroundings.nextAppend();
      if (!dead && fate === 'lost') trouble.unavailable++;
      if (!dead && fate !== 'lost' && fate !== 'fine') trouble.ambiguous++;
      return call(
        () => `append ${slices.map((slice) => briefly(slice, commandOf)).join(', ')}`,
        fate,
        async () => {
          const results = await store.append(slices);
          trouble.clashes += results.filter(({ kind }) => kind !== 'appended').length;
          await surroundings.arrived();
          return results;
        },
      );
    },
    readStream: (stream, from, limit) => readFrom(stream, from, () => store.readStream(stream, from, limit)),
    findEvent: (stream, id) => lookUp(id, () => store.findEvent(stream, id)),
    streams: {
      ...(store.streams.acceptsKnownIds ? { acceptsKnownIds: true } : {}),
      readStream: (stream, from, limit) => readFrom(stream, from, () => store.streams.readStream(stream, from, limit)),
      findEvent: (stream, id) => lookUp(id, () => store.streams.findEvent(stream, id)),
    },
    die: () => {
      dead = true;
    },
  };
};

const briefly = ({ stream, expected, events }: Slice, commandOf: Surroundings['commandOf']): string => {
  const written = events.map(({ type, id }) => `${type} of ${commandOf(id)}`);
  return `to ${accountIn(stream)} after ${expected.revision} [${written.join(', ')}]`;
};

/** Without the name of the history. */
const accountIn = (stream: string): string => stream.split('-').at(-1) ?? stream;

const show = (result: unknown): string => {
  if (result === undefined) return 'nothing';
  if (!Array.isArray(result)) return 'found';
  return (
    result
      .map((one: object) => ('kind' in one ? (one.kind === 'appended' ? 'written' : 'refused') : 'event'))
      .join(', ') || 'nothing'
  );
};
