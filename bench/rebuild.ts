import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as newId } from 'uuid';
import { createProgram } from '../src/cli/terminal/run.ts';
import { startBundledPostgres } from '../src/gateway/start/bundled-postgres.ts';
import { accountStream } from '../src/domain/account/account.ts';
import type { AccountEvent, Delivery, PinnedPrice } from '../src/domain/account/events.ts';
import { encode } from '../src/eventstore/journal/codec.ts';
import type { ChainedLog } from '../src/eventstore/chained-log.ts';
import type { Slice } from '../src/eventstore/event-store.ts';
import { asPlain } from '../src/eventstore/journal/personal-data.ts';
import { createPostgresStore, migratePostgresStore } from '../src/eventstore/postgres/postgres.ts';
import { createDatabase } from '../src/projections/database.ts';
import { migrateProjections, projections } from '../src/projections/rows/live.ts';
import { bringUpToDate, rebuild } from '../src/projections/rebuild/rebuild.ts';
import { cpuSeconds } from './support/cpu.ts';
import { someOf, wholeNumber } from './support/options.ts';

/** How fast each projection is rebuilt from the log, and the CPU time of an event in Node and in the database. */
const program = createProgram(
  'bench:rebuild',
  'Fill a log with holds and charges, and rebuild each projection from it. Prints events/s and, on\n' +
    'Linux, the CPU time per event of Node and of PostgreSQL.',
)
  .usage('[options]')
  .option('--events <n>', 'number of events in the log', wholeNumber(1000, 1_000_000_000), 300_000)
  .option('--accounts <n>', 'number of accounts', wholeNumber(1, 1_000_000), 300)
  .option('--rounds <n>', 'number of rebuilds of each', wholeNumber(1, 1000), 2)
  .option('--only <projection,…>', 'only these projections', someOf(projections.map(({ name }) => name)))
  .option('--data <dir>', 'keep the log in this directory, and use it again the next time')
  .parse();
const options = program.opts<{
  readonly events: number;
  readonly accounts: number;
  readonly rounds: number;
  readonly only?: readonly string[];
  readonly data?: string;
}>();
const { accounts, events: wanted } = options;
const BATCH = 2000;

const price: PinnedPrice = {
  model: 'gpt-4o-mini',
  version: 1,
  rates: { input: 150_000n, cachedInput: 75_000n, cacheWrite: 150_000n, output: 600_000n, reasoning: 600_000n },
};
const delivery: Omit<Delivery, 'upstreamId'> = {
  usageSource: 'reported',
  ended: 'completed',
  finishReason: 'stop',
  firstByteMs: 210,
  totalMs: 1830,
  anomalies: [],
};
const request = {
  endpoint: '/chat/completions',
  upstream: 'openai',
  streamed: true,
  inputTokensBound: 4000,
  outputTokensBound: 1000,
};

const opening = (account: number): AccountEvent[] => [
  {
    type: 'AccountRegistered',
    holder: 'entity',
    personal: asPlain({ name: 'Bench', email: `${account}@example.com` }),
  },
  { type: 'TermsAccepted', version: '1', how: 'bench' },
  { type: 'CreditsToppedUp', lotId: 'lot_1', amount: 10n ** 15n, source: { kind: 'grant', reason: 'bench' } },
];

const reserved = (account: number, requestId: string): AccountEvent => ({
  type: 'CreditsReserved',
  requestId,
  amount: 1_200_000n,
  keyId: `key_${account}`,
  runId: 'run_bench',
  price,
  request,
});

const settled = (account: number, requestId: string): AccountEvent => {
  const output = 100 + (account % 400);
  const usage = { input: 900, cachedInput: 100, cacheWrite: 0, output, reasoning: 0 };
  const cost = 142_500n + 600n * BigInt(output);
  return {
    type: 'HoldSettled',
    requestId,
    keyId: `key_${account}`,
    price,
    usage,
    cost,
    charged: cost,
    held: 1_200_000n,
    released: 1_200_000n - cost,
    drawn: [{ lotId: 'lot_1', amount: cost }],
    delivery: { ...delivery, upstreamId: `chatcmpl-${requestId}` },
  };
};

/** Concurrent requests of many accounts: a request is charged some hundred events after its hold. */
const fill = async (store: ChainedLog): Promise<void> => {
  const revisions = new Map<number, number>();
  const open: (readonly [number, string])[] = [];
  let position = 0;
  const next = (turn: number): readonly [number, AccountEvent[]] => {
    const account = turn % accounts;
    if (turn < accounts) return [account, opening(account)];
    const [settling] = open;
    if (open.length >= 150 && settling) {
      open.shift();
      return [settling[0], [settled(...settling)]];
    }
    const requestId = `gen-${newId()}`;
    const busy = Math.floor(Math.random() * accounts);
    open.push([busy, requestId]);
    return [busy, [reserved(busy, requestId)]];
  };
  for (let turn = 0; position < wanted;) {
    const events = new Map<number, AccountEvent[]>();
    for (let count = 0; count < Math.min(BATCH, wanted - position); turn++) {
      const [account, more] = next(turn);
      events.set(account, [...(events.get(account) ?? []), ...more]);
      count += more.length;
    }
    const slices = [...events].map(([account, some]): Slice => {
      const expectedRevision = revisions.get(account) ?? -1;
      revisions.set(account, expectedRevision + some.length);
      const metadata = { actor: `key:key_${account}`, commandId: newId(), correlationId: `req_${newId()}` };
      const stream = accountStream(`bench_${account}`);
      return {
        stream,
        expected: { revision: expectedRevision },
        events: some.map((event) => encode(event, newId(), metadata)),
      };
    });
    if ((await store.append(slices)).some(({ kind }) => kind !== 'appended')) throw new Error('A slice did not fit.');
    position += slices.reduce((sum, slice) => sum + slice.events.length, 0);
  }
};

const dataDir = options.data ?? (await mkdtemp(join(tmpdir(), 'kissapi-bench-')));
const postgres = await startBundledPostgres({ dataDir, log: () => undefined });
const store = createPostgresStore(postgres.url);
const database = createDatabase(postgres.url);
try {
  await migratePostgresStore(postgres.url);
  await migrateProjections(postgres.url);
  await bringUpToDate(database, store, projections, () => undefined);
  if ((await store.head()) === 0) await fill(store);
  const head = await store.head();
  // A rebuild goes up to the checkpoint of the live rows, so that is moved to the head.
  await database.none('update projections.checkpoints set position = $1', [head]);
  await database.none('vacuum analyze events');

  process.stdout.write(`${head} events of ${accounts} accounts\n`);
  const rounds = Array.from({ length: options.rounds }, (_, n) => n + 1);
  for (const projection of projections.filter(({ name }) => options.only?.includes(name) ?? true)) {
    for (const round of rounds) {
      const cpu = async () => ((await cpuSeconds(process.pid)) ?? NaN) * 1e6;
      const [node, all, start] = [process.cpuUsage(), await cpu(), performance.now()];
      const rebuilt = await rebuild({ database, store, projection, progress: () => undefined });
      const { rows, md5, same, heldMs } = rebuilt;
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(node);
      const databaseUs = (await cpu()) - all - user - system;
      process.stdout.write(
        `${projection.name} (${round}): ${Math.round(head / seconds)} events/s; per event ` +
          `${((user + system) / head).toFixed(1)} µs of Node, ${(databaseUs / head).toFixed(1)} µs of PostgreSQL; ` +
          `${rows} rows, md5 ${md5}, ${same ? 'the same' : 'NOT the same'}, held for ${heldMs.toFixed(0)} ms\n`,
      );
    }
  }
} finally {
  await store.close();
  await database.$pool.end();
  await postgres.stop();
  if (options.data === undefined) await rm(dataDir, { recursive: true, force: true });
}
