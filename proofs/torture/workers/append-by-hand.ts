import type pg from 'pg';
import { appendSlices, type AppendedRow } from '../../../src/eventstore/postgres/append-slices.ts';
import type { Slice } from '../../../src/eventstore/event-store.ts';
import { NOTHING_SEEN } from '../../../src/eventstore/history-seen.ts';

const SESSION = 'torture-';

/** The application name of a writer's sessions, so that they can be identified in PostgreSQL. */
export const sessionOf = (writer: string): string => `${SESSION}${writer}`;
export const writerOf = (session: string): string => session.slice(SESSION.length);

/**
 * Appends in the caller's open transaction. Returns the position of the first event; undefined if the stream is not at
 * the expected revision.
 */
export type AppendByHand = (client: pg.Client, writer: string, slice: Slice) => Promise<number | undefined>;

const atHead: AppendByHand = async (client, writer, slice) => {
  const { rows } = await client.query<AppendedRow>(appendSlices(writer, NOTHING_SEEN, [slice]));
  const position = rows[0]?.first_positions?.[0] ?? null;
  return position === null ? undefined : Number(position);
};

const bySequence: AppendByHand = async (client, _, { stream, expected, events }) => {
  const { rows } = await client.query<{ position: string }>('select append_by_sequence($1, $2, $3) as position', [
    stream,
    expected.revision,
    JSON.stringify(events.map((event, i) => ({ i, ...event }))),
  ]);
  return Number(rows[0]?.position);
};

/** By the way in which the log assigns positions. */
export const appendsByHand = { head: atHead, sequence: bySequence };
