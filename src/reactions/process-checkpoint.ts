import type { ChainedLog, LogPlace } from '../eventstore/chained-log.ts';
import { StoreUnavailable } from '../eventstore/event-store.ts';
import type { LockSession } from '../eventstore/postgres/session-locks.ts';

export type ProcessCheckpointOptions = {
  readonly process: string;
  /** Where the process begins at its first start. */
  readonly from: 'start' | 'now';
  readonly session: Pick<LockSession, 'query'>;
  readonly store: Pick<ChainedLog, 'head' | 'readAll' | 'checkHistory'>;
  /** The newest of these places that the log has; 0 if it has none of them. */
  readonly commonPosition: (places: readonly LogPlace[]) => Promise<number>;
  /** The log went back in time: the process continues from `position`. */
  readonly rewound: (checkpoint: number, position: number) => void;
};

/** The hash of position 0, which has no event. */
const NO_HASH = '';

/** The place at a position; position 0 is the beginning. */
const placeAt = async (store: Pick<ChainedLog, 'readAll'>, position: number): Promise<LogPlace> => {
  if (position === 0) return { position, hash: NO_HASH };
  const [event] = await store.readAll(position - 1, 1);
  if (event?.position !== position) throw new StoreUnavailable(`the log has no event ${position}`);
  return { position, hash: event.hash };
};

const createTable = ({ process, session }: Pick<ProcessCheckpointOptions, 'process' | 'session'>) => ({
  newestFirst: async (): Promise<readonly LogPlace[]> => {
    const rows = await session.query<{ position: string; hash: string }>(
      `select position, encode(hash, 'hex') as hash from process_checkpoints where process = $1 order by position desc`,
      [process],
    );
    return rows.map(({ position, hash }) => ({ position: Number(position), hash }));
  },
  /** Of the places that are about equally far behind, in powers of two, the oldest is kept: a few dozen rows in all. */
  add: async ({ position, hash }: LogPlace): Promise<void> => {
    await session.query(
      `with saved as (
         insert into process_checkpoints (process, position, hash) values ($1, $2, decode($3, 'hex'))
         on conflict (process, position) do update set hash = excluded.hash, saved_at = excluded.saved_at)
       delete from process_checkpoints c using process_checkpoints older
       where c.process = $1 and older.process = $1 and older.position < c.position and c.position < $2
         and floor(log(2, $2 - older.position)) = floor(log(2, $2 - c.position))`,
      [process, position, hash],
    );
  },
  removeAfter: async (position: number): Promise<void> => {
    await session.query('delete from process_checkpoints where process = $1 and position > $2', [process, position]);
  },
});

/** The checkpoint of a process, kept in a table. Only the process that leads writes it. */
export const createProcessCheckpoint = (options: ProcessCheckpointOptions) => {
  const { from, store, commonPosition, rewound } = options;
  const table = createTable(options);

  const begin = async (): Promise<number> => {
    const position = from === 'now' ? await store.head() : 0;
    await table.add(await placeAt(store, position));
    return position;
  };

  return {
    /** Where to continue. If the log went back in time, the newest place that is in both histories. */
    load: async (): Promise<number> => {
      const places = await table.newestFirst();
      const [newest] = places;
      if (!newest) return begin();
      const common = newest.position === 0 ? 0 : await commonPosition(places.filter(({ position }) => position > 0));
      if (common === newest.position) return common;
      const oldest = places.at(-1)?.position ?? 0;
      await table.removeAfter(common < oldest ? -1 : common);
      const position = common < oldest ? await begin() : common;
      rewound(newest.position, position);
      return position;
    },
    /**
     * Rejects if the log went back in time since the events up to this position were read: the hash would then be that of
     * an event which the process has not seen. Returns whether it was saved before the signal aborted.
     */
    save: async (position: number, signal: AbortSignal): Promise<boolean> => {
      const place = await placeAt(store, position);
      await store.checkHistory();
      if (signal.aborted) return false;
      await table.add(place);
      return true;
    },
  };
};
