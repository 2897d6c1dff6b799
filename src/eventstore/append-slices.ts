import type { QueryConfig } from 'pg';
import { contentHash } from './chain.ts';
import type { Slice } from './event-store.ts';
import { bigints, hashes, ints, smallints, texts, uuids } from './pg-arrays.ts';

/**
 * The call of the SQL function that appends a batch: one round trip, prepared once per connection. Its arrays travel in
 * PostgreSQL's binary form, which costs a fraction of what escaping them does; and texts stay texts, for PostgreSQL reads
 * what is nested in JSON, and refuses the escapes \u0000 and \ud800.
 */
export const appendSlices = (writer: string, slices: readonly Slice[]): QueryConfig => {
  const numbered = slices.flatMap(({ stream, expectedRevision, events }, n) =>
    events.map((event, i) => ({ event, stream, revision: expectedRevision + 1 + i, slice: n + 1 })),
  );
  return {
    name: 'append_slices',
    text: 'select first_positions, appended_at from append_slices($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
    values: [
      writer,
      texts(slices.map(({ stream }) => stream)),
      bigints(slices.map(({ expectedRevision }) => expectedRevision)),
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
