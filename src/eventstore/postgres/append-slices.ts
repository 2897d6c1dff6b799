import type { QueryConfig } from 'pg';
import { contentHash } from '../integrity/chain.ts';
import type { LogPlace } from '../chained-log.ts';
import type { Slice, SliceResult } from '../event-store.ts';
import { bigints, hashes, hexBytes, ints, smallints, texts, uuids } from './pg-arrays.ts';

/** Stands for any token in a call of the SQL function. */
const ANY_HISTORY = '00';
/** The length of a hash in hexadecimal. */
const HASH_CHARACTERS = 64;

/**
 * The call of the SQL function that appends a batch: one round trip, prepared once per connection. Arrays are sent in
 * PostgreSQL's binary form, which costs a fraction of escaping them. They are arrays of text, not of JSON: PostgreSQL parses
 * nested JSON, and refuses the escapes \u0000 and \ud800.
 */
export const appendSlices = (writer: string, basis: LogPlace, slices: readonly Slice[]): QueryConfig => {
  const numbered = slices.flatMap(({ stream, expected, events }, n) =>
    events.map((event, i) => ({ event, stream, revision: expected.revision + 1 + i, slice: n + 1 })),
  );
  return {
    name: 'append_batch',
    text: `select first_positions, appended_at, event_hashes, went_back
           from append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    values: [
      writer,
      basis.position,
      Buffer.from(basis.hash, 'hex'),
      texts(slices.map(({ stream }) => stream)),
      bigints(slices.map(({ expected }) => expected.revision)),
      hexBytes(slices.map(({ expected }) => expected.token ?? ANY_HISTORY)),
      ints(numbered.map(({ slice }) => slice)),
      texts(numbered.map(({ stream }) => stream)),
      bigints(numbered.map(({ revision }) => revision)),
      uuids(numbered.map(({ event }) => event.id)),
      texts(numbered.map(({ event }) => event.type)),
      smallints(numbered.map(({ event }) => event.version)),
      hashes(numbered.map(({ event, stream, revision }) => contentHash(event, stream, revision))),
      texts(numbered.map(({ event }) => event.data)),
      texts(numbered.map(({ event }) => event.metadata)),
    ],
  };
};

/** The result of the SQL function: for each slice its first position, or null if the slice clashes. */
export type AppendedRow = {
  readonly first_positions: readonly (string | null)[] | null;
  readonly appended_at: Date;
  readonly event_hashes: string | null;
  readonly went_back: boolean;
};

export const resultsOf = (
  slices: readonly Slice[],
  { first_positions, appended_at: time, event_hashes }: AppendedRow,
): readonly SliceResult[] => {
  let event = 0;
  return slices.map(({ events }, n) => {
    const first = event;
    event += events.length;
    const position = first_positions?.[n] ?? null;
    if (position === null) return { kind: 'clash' };
    const hashAt = (n: number): string => (event_hashes ?? '').slice(n * HASH_CHARACTERS, (n + 1) * HASH_CHARACTERS);
    const written = events.map((_, i) => ({ position: Number(position) + i, token: hashAt(first + i) }));
    return { kind: 'appended', written, time };
  });
};

/** The place of the last event that a batch wrote; undefined if it wrote none. */
export const lastPlace = (results: readonly SliceResult[]): LogPlace | undefined => {
  const written = results.flatMap((result) => (result.kind === 'appended' ? result.written : []));
  const last = written.at(-1);
  return last?.position === undefined ? undefined : { position: last.position, hash: last.token };
};
