/**
 * Ids that were looked up in a stream without a result. EventStoreDB has no index of ids: what another process has appended
 * since the look-up may be the same command, and is searched before an append.
 */
export type AbsentIds = {
  /** A stream does not have an id up to a revision. */
  add(stream: string, id: string, upTo: number): void;
  /** Up to which revision a stream was searched for an id; undefined if it was not looked up. */
  searchedUpTo(stream: string, id: string): number | undefined;
};

/** An append follows its look-up within moments, so the oldest ones are not needed any more. */
const MAX_IDS = 50_000;

export const createAbsentIds = (): AbsentIds => {
  const searched = new Map<string, number>();
  const keyOf = (stream: string, id: string): string => `${id} ${stream}`;
  return {
    add: (stream, id, upTo) => {
      searched.delete(keyOf(stream, id));
      if (searched.size >= MAX_IDS)
        for (const oldest of searched.keys()) {
          searched.delete(oldest);
          break;
        }
      searched.set(keyOf(stream, id), upTo);
    },
    searchedUpTo: (stream, id) => searched.get(keyOf(stream, id)),
  };
};
