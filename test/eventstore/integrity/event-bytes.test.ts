import fc from 'fast-check';
import type { ChainedEvent } from '../../../src/eventstore/chained-log.ts';
import { EMPTY_STREAM } from '../../../src/eventstore/event-store.ts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentHash } from '../../../src/eventstore/integrity/chain.ts';
import { copyOut, createRowReader } from '../../../src/eventstore/integrity/copy-out.ts';
import type { NewEvent } from '../../../src/eventstore/event-store.ts';
import { createPostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { EVENT_COLUMNS, readEvent, type EventBytes } from '../../../src/eventstore/integrity/verify/event-bytes.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { aStream, numbers } from '../logs.ts';

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createMigratedDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

// Unpaired surrogates cannot be stored; NUL can in JSON, as an escape.
const text = fc.string({ unit: 'grapheme', maxLength: 80 }).filter((one) => one.isWellFormed());
const json = fc.oneof(
  fc.json({ noUnicodeString: false }),
  text.map((one) => JSON.stringify({ one })),
  fc.constant('{"😀":"数"}'),
);
const event: fc.Arbitrary<NewEvent> = fc.record({
  id: fc.uuid(),
  type: text.filter((one) => !one.includes('\0')),
  version: fc.integer({ min: 0, max: 32_767 }),
  data: json.filter((one) => one.isWellFormed()),
  metadata: json.filter((one) => one.isWellFormed()),
});

const readBytes = async (after: number): Promise<EventBytes[]> => {
  const read: EventBytes[] = [];
  const query = `select ${EVENT_COLUMNS} from events where position > ${after} order by position`;
  await copyOut(client, query, (bytes, at) => void read.push(readEvent(bytes, at)));
  return read;
};

describe('an event read from bytes', () => {
  it('has the same content and hash for random data', async () => {
    const store = createPostgresStore(database.url);
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 40 }), text, async (events, name) => {
        const stream = `${aStream()}${name.replaceAll(/[\n\0]/g, '')}`;
        const after = await store.head();
        expect(await store.append([{ stream, expected: EMPTY_STREAM, events }])).toMatchObject([{ kind: 'appended' }]);
        const stored: readonly ChainedEvent[] = await store.readAll(after, 1000);
        expect(await readBytes(after)).toEqual(
          stored.map((one) => ({
            event: {
              position: one.position,
              time: one.time.getTime(),
              hash: one.hash,
              content: contentHash(one, one.stream, one.revision),
            },
            stream,
            revision: one.revision,
          })),
        );
      }),
      { numRuns: 40 },
    );
    await store.close();
  });

  it('may be of any length', async () => {
    const store = createPostgresStore(database.url);
    const after = await store.head();
    const data = JSON.stringify({ long: 'ä'.repeat(300_000), longer: 'a'.repeat(1_000_000) });
    const id = '01890000-0000-7000-8000-000000000000';
    await store.append([
      { stream: 'long', expected: EMPTY_STREAM, events: [{ id, type: 't', version: 1, data, metadata: '{}' }] },
    ]);
    const [stored] = await store.readAll(after, 1);
    const [read] = await readBytes(after);
    expect(read?.event.content).toBe(stored && contentHash(stored, 'long', 0));
    await store.close();
  });
});

describe('a COPY', () => {
  it('may arrive in chunks of any size', () => {
    const row = (n: number): Buffer => {
      const bytes = Buffer.alloc(2 + 8 + 4 + 4 + n);
      bytes.writeInt16BE(3, 0);
      bytes.writeInt32BE(4, 2);
      bytes.writeInt32BE(n, 6);
      bytes.writeInt32BE(-1, 10);
      bytes.writeInt32BE(n, 14);
      return bytes.fill(n, 18);
    };
    const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\x03abc', 'latin1');
    const copy = Buffer.concat([header, ...numbers(0, 20).map(row), Buffer.from([0xff, 0xff])]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (sizes) => {
        const read: number[] = [];
        const take = createRowReader((bytes, at) => void read.push(bytes.readInt32BE(at + 4)));
        for (let at = 0, n = 0; at < copy.length; n++) {
          const size = sizes[n % sizes.length] ?? 1;
          take(copy.subarray(at, at + size));
          at += size;
        }
        expect(read).toEqual(numbers(0, 20));
      }),
    );
  });

  it('without rows yields none, a failing one rejects, and the connection stays usable', async () => {
    const rows: Buffer[] = [];
    await copyOut(client, 'select 1 where false', (bytes) => void rows.push(bytes));
    expect(rows).toEqual([]);
    await expect(copyOut(client, 'select 1/0', () => undefined)).rejects.toThrow(/division by zero/);
    const broken = copyOut(client, 'select generate_series(1, 100000)', () => {
      throw new Error('enough');
    });
    await expect(broken).rejects.toThrow('enough');
    let sum = 0;
    await copyOut(client, 'select generate_series(1, 100000)', (bytes, at) => void (sum += bytes.readInt32BE(at + 4)));
    expect(sum).toBe(5_000_050_000);
    await copyOut(client, 'select null::int, 7', (bytes, at) => {
      expect([bytes.readInt32BE(at), bytes.readInt32BE(at + 8)]).toEqual([-1, 7]);
    });
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it('rejects if the connection is lost', async () => {
    const lost = new pg.Client({ connectionString: database.url });
    lost.on('error', () => undefined);
    await lost.connect();
    const { rows } = await lost.query<{ pid: number }>('select pg_backend_pid() as pid');
    // Expected before it happens, because the connection may end before the query that ends it returns.
    const failed = expect(copyOut(lost, 'select pg_sleep(20)', () => undefined)).rejects.toThrow();
    await client.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await failed;
    await lost.end().catch(() => undefined);
  });
});
