import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { accountStream } from '../../../src/domain/account/account.ts';
import { encode } from '../../../src/eventstore/journal/codec.ts';
import { appendsByHand, sessionOf } from './append-by-hand.ts';
import { createRandom } from '../../random.ts';
import { openRecords } from '../records.ts';
import { untilToldToStop } from './until-told-to-stop.ts';

/** A process that appends in its own transactions, pauses before it commits, and sometimes rolls back. */
export type HandWriterSettings = {
  readonly name: string;
  readonly databaseUrl: string;
  readonly directory: string;
  readonly seed: string;
  readonly log: keyof typeof appendsByHand;
  /** The pause before a commit, while all other writers wait. The pause between two appends is five times as long. */
  readonly maxPauseMs: number;
};

const { name, databaseUrl, directory, seed, log, maxPauseMs } = JSON.parse(process.argv[2] ?? '') as HandWriterSettings;
const stop = untilToldToStop();
const random = createRandom(`${seed}/${process.pid}`);
const acknowledged = openRecords(join(directory, `${name}.acknowledged`));
const withdrawn = openRecords(join(directory, `${name}.withdrawn`));
const stream = accountStream(name);
const append = appendsByHand[log];

const dawdle = (maxMs: number): Promise<void> => sleep(random.between(0, maxMs));

const appendOnce = async (client: pg.Client): Promise<void> => {
  const { rows } = await client.query<{ revision: string }>(
    'select coalesce(max(revision), -1) as revision from events where stream = $1',
    [stream],
  );
  const events = Array.from({ length: random.between(1, 5) }, () =>
    encode({ type: 'AccountSuspended', reason: 'torture', cause: { kind: 'staff' } }, randomUUID(), {
      actor: 'system:torture',
      commandId: randomUUID(),
    }),
  );
  await client.query('begin');
  const first = await append(client, name, { stream, expected: { revision: Number(rows[0]?.revision) }, events });
  if (first === undefined) {
    // A commit whose response was lost has succeeded after the revision was read.
    await client.query('rollback');
    return;
  }
  await dawdle(maxPauseMs);
  const placed = events.map(({ id }, n) => ({ position: first + n, id, stream }));
  const last = random.between(1, 5) === 1 ? 'rollback' : 'commit';
  // Recorded before the rollback: whatever its outcome, these events must not be in the log.
  if (last === 'rollback') withdrawn.append(placed);
  const { command } = await client.query(last);
  if (command !== last.toUpperCase()) throw new Error(`${last} was answered with ${command}`);
  if (last === 'commit') acknowledged.append(placed);
};

/** The server or the connection is gone; the transaction in progress may or may not have been committed. */
const isWeather = (error: unknown): boolean =>
  error instanceof pg.DatabaseError
    ? /^(08|57)/.test(error.code ?? '')
    : error instanceof Error && weather.test(error.message);
const weather = /ECONN|EPIPE|Connection terminated|not queryable|timeout|end of file/i;

while (!stop.aborted) {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: sessionOf(name),
    connectionTimeoutMillis: 5000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    while (!stop.aborted) {
      await appendOnce(client);
      await dawdle(5 * maxPauseMs);
    }
  } catch (error) {
    if (!isWeather(error)) throw error;
    await sleep(50);
  } finally {
    client.end().catch(() => undefined);
  }
}
process.exit(0); // Lost connections may still be closing.
