import type pg from 'pg';
import { contentHash } from '../../src/eventstore/chain.ts';
import type { NewEvent } from '../../src/eventstore/event-store.ts';

const SESSION = 'torture-';

/** The name of a writer's sessions, so that who looks at them in PostgreSQL knows which process has them. */
export const sessionOf = (writer: string): string => `${SESSION}${writer}`;
export const writerOf = (session: string): string => session.slice(SESSION.length);

/**
 * Calls the function that appends, in whatever transaction the caller has open. Returns the position of the first event;
 * undefined where the stream is not at the expected revision.
 */
export const appendByHand = async (
  client: pg.Client,
  appendFunction: string,
  stream: string,
  expectedRevision: number,
  events: readonly NewEvent[],
): Promise<number | undefined> => {
  const { rows } = await client.query<{ first_position: string }>(
    `select first_position from ${appendFunction}($1::text::json, $2::text::json)`,
    [
      JSON.stringify([{ n: 0, stream, expected: expectedRevision }]),
      JSON.stringify(
        events.map((event, i) => ({
          n: 0,
          i,
          ...event,
          content: contentHash(event, stream, expectedRevision + 1 + i),
        })),
      ),
    ],
  );
  return rows[0] && Number(rows[0].first_position);
};
