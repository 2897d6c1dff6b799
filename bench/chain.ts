import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createProgram } from '../src/cli/terminal/run.ts';
import { invariant } from '../src/domain/decider.ts';
import { startBundledPostgres } from '../src/gateway/start/bundled-postgres.ts';
import { appendSlices } from '../src/eventstore/postgres/append-slices.ts';
import type { Slice } from '../src/eventstore/event-store.ts';
import { NOTHING_SEEN } from '../src/eventstore/history-seen.ts';
import { migratePostgresStore } from '../src/eventstore/postgres/postgres.ts';
import { hashes } from '../src/eventstore/postgres/pg-arrays.ts';
import { cpuSeconds } from './support/cpu.ts';
import { aRequest } from './support/history.ts';
import { wholeNumber } from './support/options.ts';
import { median, print } from './support/table.ts';

/**
 * What the hash chain costs an append: the SQL function beside a copy of it without hashes, in turns in one run. The time of
 * PostgreSQL's process is its CPU time; the client's share is timed separately.
 */
const program = createProgram(
  'bench:chain',
  'Measure what an append of 200 events costs with and without the hash chain, in turns.',
)
  .usage('[options]')
  .option('--rounds <n>', 'number of turns of each', wholeNumber(1, 10_000), 20)
  .parse();
const { rounds } = program.opts<{ readonly rounds: number }>();

const STREAMS = 100;
const APPENDS = 25;
const EVENTS = 2 * STREAMS;
/** The parameter that holds the content hash of each event. */
const CONTENTS = 9;

const open = async (url: string, name: string, change: (sql: string) => string) => {
  const admin = new pg.Client(url);
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const own = url.replace(/\/[^/]*$/, `/${name}`);
  await migratePostgresStore(own);
  const client = new pg.Client(own);
  await client.connect();
  const { rows } = await client.query<{ sql: string; pid: number }>(
    `select pg_get_functiondef('append_batch'::regproc) as sql, pg_backend_pid() as pid`,
  );
  const { sql = '', pid = 0 } = rows[0] ?? {};
  await client.query(change(sql));
  const revisions = new Array<number>(STREAMS).fill(-1);
  const batch = (): Slice[] =>
    revisions.map((revision, n) => ({ stream: `account-${n}`, expected: { revision }, events: aRequest() }));
  return { client, pid, batch, appended: () => revisions.forEach((at, n) => (revisions[n] = at + 2)) };
};
type Log = Awaited<ReturnType<typeof open>>;

const cpuMicros = async (pid: number): Promise<number> => ((await cpuSeconds(pid)) ?? Number.NaN) * 1e6;

const round = async (log: Log, hashed: boolean) => {
  const times: number[] = [];
  const before = await cpuMicros(log.pid);
  for (let n = 0; n < APPENDS; n++) {
    const query = appendSlices('bench', NOTHING_SEEN, log.batch());
    if (!hashed) query.values?.splice(CONTENTS, 1, noHashes);
    const start = performance.now();
    await log.client.query(query);
    times.push(performance.now() - start);
    log.appended();
  }
  return { ms: median(times), server: ((await cpuMicros(log.pid)) - before) / (APPENDS * EVENTS) };
};

const noHashes = hashes(new Array<string>(EVENTS).fill('00'.repeat(32)));

const dataDir = await mkdtemp(join(tmpdir(), 'kissapi-bench-'));
const postgres = await startBundledPostgres({ dataDir, log: () => undefined });
try {
  const chained = await open(postgres.url, 'chained', (sql) => sql);
  const plain = await open(postgres.url, 'plain', (sql) => {
    const without = sql.replace(/last_hash := sha256\([^;]*;/, 'last_hash := content;');
    invariant(without !== sql, 'the copy has no hash');
    return without;
  });
  const all = { chained: [] as { ms: number; server: number }[], plain: [] as { ms: number; server: number }[] };
  for (let n = 0; n <= rounds; n++) {
    const pair = { plain: await round(plain, false), chained: await round(chained, true) };
    if (n === 0) continue; // The first round is the warm-up.
    all.plain.push(pair.plain);
    all.chained.push(pair.chained);
  }
  const ratios = all.chained.map(({ ms }, n) => ms / (all.plain[n]?.ms ?? ms));
  for (const way of ['plain', 'chained'] as const) {
    const ms = median(all[way].map((one) => one.ms));
    const server = median(all[way].map((one) => one.server));
    print(
      `${way.padEnd(8)} ${ms.toFixed(2)} ms an append of ${EVENTS} events; ${server.toFixed(1)} µs of the server's time an event`,
    );
  }
  print(`chained over plain: ${median(ratios).toFixed(3)} (median of ${ratios.length} rounds, in turns)`);
  await chained.client.end();
  await plain.client.end();
} finally {
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
}
