import type { QueryConfig } from 'pg';
import { contentHash } from '../integrity/chain.ts';
import type { LogPlace, Slice, SliceResult } from '../event-store.ts';
import { bigints, hashes, hexBytes, ints, smallints, texts, uuids } from './pg-arrays.ts';

/** Stands for any token, where the SQL function expects one. */
const ANY_HISTORY = '00';
/** Of a hash in hexadecimal. */
const HASH_CHARACTERS = 64;

/**
 * The call of the SQL function that appends a batch: one round trip, prepared once per connection. Its arrays travel in
 * PostgreSQL's binary form, which costs a fraction of what escaping them does; and texts stay texts, for PostgreSQL reads
 * what is nested in JSON, and refuses the escapes \u0000 and \ud800.
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

/** What the SQL function returns: for each slice its first position, or null if it was refused. */
export type AppendedRow = {
  readonly first_positions: readonly (string | null)[] | null;
  readonly appended_at: Date;
  readonly event_hashes: string | null;
  readonly went_back: boolean;
};

/** What became of each slice. */
export const resultsOf = (
  slices: readonly Slice[],
  { first_positions, appended_at: time, event_hashes }: AppendedRow,
): readonly SliceResult[] => {
  let event = 0;
  return slices.map(({ events }, n) => {
    const first = event;
    event += events.length;
    const position = first_positions?.[n] ?? null;
    if (position === null) return { appended: false, duplicate: false };
    const tokens = events.map((_, i) =>
      (event_hashes ?? '').slice((first + i) * HASH_CHARACTERS, (first + i + 1) * HASH_CHARACTERS),
    );
    return { appended: true, firstPosition: Number(position), time, tokens };
  });
};

/** The place of the last event that a batch wrote, if it wrote any. */
export const lastPlace = (results: readonly SliceResult[]): LogPlace | undefined =>
  results
    .flatMap((result): LogPlace[] => {
      if (!result.appended) return [];
      const hash = result.tokens.at(-1);
      return hash === undefined ? [] : [{ position: result.firstPosition + result.tokens.length - 1, hash }];
    })
    .reduce<LogPlace | undefined>((last, one) => (last && last.position > one.position ? last : one), undefined);
