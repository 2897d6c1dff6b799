import { Option } from 'commander';
import { readCommandConfig } from '../../config/config.ts';
import { createLog } from '../../eventstore/create-log.ts';
import type { StoreUnavailable } from '../../eventstore/event-store.ts';
import type { Compared } from '../../eventstore/eventstoredb/migrate/compared.ts';
import { CannotMigrate, openMigration, type Migration } from '../../eventstore/eventstoredb/migrate/migration.ts';
import { UnfitEventStore } from '../../eventstore/eventstoredb/fitness/unfit-event-store.ts';
import { verifyDatabase } from '../../eventstore/integrity/verify/verify-database.ts';
import { createDatabase } from '../../projections/database.ts';
import { counted } from '../terminal/counted.ts';
import { CliFault } from '../terminal/fault.ts';
import { publicKeys, several } from '../terminal/keys.ts';
import { readLiveRuns } from '../terminal/live-runs.ts';
import { logFault } from '../terminal/log-faults.ts';
import { expectSessions, openServer } from '../terminal/open-database.ts';
import { createBar } from '../terminal/progress.ts';
import { createProgram, EXIT_CODES, print, runAlone, type ExitCode } from '../terminal/run.ts';

const STORES = ['eventstoredb', 'postgres'] as const;
type Store = (typeof STORES)[number];
const NAMES: Readonly<Record<Store, string>> = { eventstoredb: 'EventStoreDB', postgres: 'PostgreSQL' };

const program = createProgram(
  'migrate-log',
  'Let EventStoreDB commit the log that PostgreSQL commits, or the other way round. PostgreSQL has the whole log in either\n' +
    'case, so positions, times, hashes, signatures and rows stay as they are. Every event is copied and compared first, while\n' +
    'the gateways may keep running; then they are stopped, and the command is run again to switch, which takes seconds.\n' +
    'An interrupted run is resumed by the next.',
)
  .usage('[options]')
  .addOption(new Option('--to <store>', 'the store that commits the log afterwards').choices(STORES))
  .option('--verify-only', 'compare both stores from the beginning, and change nothing')
  .option(
    '--public-key <file>',
    'public key of checkpoints (PEM), may be repeated; default: the key of the gateway',
    several,
  )
  .addHelpText(
    'after',
    `
Examples:
  $ export EVENT_STORE_URL='esdb://kissapi:…@10.0.0.11:2113?tlsCAFile=/path/ca.crt'
  $ npm run migrate-log -- --to eventstoredb
  $ npm run migrate-log -- --verify-only
  $ npm run migrate-log -- --to postgres
${EXIT_CODES}
The exit code is 1 if the stores are not the same, or if gateways must be stopped before the switch. Set EVENT_STORE_URL
for the command alone: the gateways must not have it before the switch, and must have it after it.`,
  )
  .allowExcessArguments(false)
  .parse();

type Options = { readonly to?: Store; readonly verifyOnly?: true; readonly publicKey?: readonly string[] };
const { to, verifyOnly = false, publicKey = [] } = program.opts<Options>();
if ((to === undefined) !== verifyOnly) program.error('error: give --to or --verify-only');

/** The switch follows within milliseconds, unless a command appends at that moment. */
const ROUNDS = 20;
const RETRY_MS = 250;

const createSteps = (what: string) => {
  const bar = createBar(what, 'events', ' | {speed} events/s');
  let first: { readonly position: number; readonly at: number } | undefined;
  bar.start(0, 0, { speed: 0 });
  return {
    progress: (position: number, of: number): void => {
      first ??= { position, at: performance.now() };
      const seconds = (performance.now() - first.at) / 1000;
      bar.setTotal(of);
      bar.update(position, { speed: seconds < 0.1 ? 0 : Math.round((position - first.position) / seconds) });
    },
    stop: (): void => bar.stop(),
  };
};

const inSteps = async <T>(
  what: string,
  work: (progress: (at: number, of: number) => void) => Promise<T>,
): Promise<T> => {
  const { progress, stop } = createSteps(what);
  return work(progress).finally(stop);
};

/** What both stores have. Undefined if they differ, or the chain is broken. */
const verify = async (migration: Migration, url: string, all: boolean): Promise<Compared | undefined> => {
  const { compared, difference, metadata } = await inSteps('compare', (progress) => migration.compare(all, progress));
  for (const stream of metadata)
    console.error(
      `migrate-log: metadata of the stream ${stream} were set in EventStoreDB, which can make it delete events.`,
    );
  if (difference) {
    await print(`NOT THE SAME at event ${difference.position}: ${difference.what}.`);
    return undefined;
  }
  const before = all ? 0 : compared.chained;
  if (before >= compared.position) return compared;
  const keys = await publicKeys(publicKey);
  const verdict = await inSteps('verify', (progress) =>
    verifyDatabase(url, { publicKeys: keys, kept: [], progress, ...(before > 0 ? { from: before + 1 } : {}) }),
  );
  const { flaw, last, events, signatures } = verdict;
  if (flaw) {
    await print(`NOT IN ORDER at event ${flaw.position}: ${flaw.what}.`);
    return undefined;
  }
  if (last) await migration.chained(compared, Math.min(last.position, compared.position));
  const checked = signatures.good > 0 ? `, good signatures: ${signatures.good}` : '';
  await print(
    `The chain of ${counted(events, 'event')} up to event ${last?.position ?? before} is in order${checked}.`,
  );
  return compared;
};

const verifyBoth = async (migration: Migration, url: string): Promise<ExitCode> => {
  const compared = await verify(migration, url, true);
  if (!compared) return 1;
  const { position, store } = await migration.head();
  await print(`Both stores have the same ${counted(compared.position, 'event')}; ${NAMES[store]} commits the log.`);
  if (store === 'eventstoredb' || compared.position >= position) return 0;
  await print(`EventStoreDB lacks ${counted(position - compared.position, 'event')} of ${position}.`);
  return 0;
};

/** PostgreSQL gets what EventStoreDB had at the call: this process copies it if no gateway does. */
const completeCopy = async (databaseUrl: string, eventStoreUrl: string): Promise<void> => {
  const log = createLog({ databaseUrl, eventStoreUrl });
  try {
    await inSteps('copy', async (progress) => {
      const end = await log.complete?.((position) => progress(position, position));
      if (end !== undefined) progress(end, end);
    });
  } finally {
    await log.close();
  }
};

type Asked = {
  readonly migration: Migration;
  readonly url: string;
  readonly eventStoreUrl: string;
  readonly store: Store;
};

const migrate = async ({ migration, url, eventStoreUrl, store }: Asked): Promise<ExitCode> => {
  const head = await migration.head();
  if (head.store === store) {
    throw new CliFault(
      `${NAMES[store]} commits this log already, ${counted(head.position, 'event')}. --verify-only compares the two stores.`,
    );
  }
  if (head.position === 0)
    throw new CliFault('The log has no events, so there is nothing to migrate: start a gateway with EVENT_STORE_URL.');
  for (let round = 0; round < ROUNDS; round++) {
    if (store === 'eventstoredb') await inSteps('copy', migration.copy);
    else await completeCopy(url, eventStoreUrl);
    const compared = await verify(migration, url, false);
    if (!compared) return 1;
    const running = await liveRuns(url);
    if (running > 0) return askToStop(compared, `running gateways: ${running}`, store);
    const switched = await switchPatiently(migration, store, compared);
    if (switched.kind === 'in_use')
      return askToStop(compared, `connections of processes that can append: ${switched.processes}`, store);
    if (switched.kind === 'switched') return tellSwitched(compared, store);
  }
  throw new CliFault('Something keeps appending to the log. Stop it, and run this again.');
};

/** Connections of this command may still be closing. */
const switchPatiently = async (migration: Migration, store: Store, compared: Compared) => {
  for (let tries = 0; ; tries++) {
    const switched = await migration.switchTo(store, compared);
    if (switched.kind !== 'in_use' || tries >= 8) return switched;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
};

const askToStop = async ({ position }: Compared, running: string, store: Store): Promise<ExitCode> => {
  await print(`Both stores have the same ${counted(position, 'event')}. Nothing is switched yet; ${running}.`);
  await print(
    `Stop all gateways, and run this again: it copies the rest, switches to ${NAMES[store]}, and takes seconds.`,
  );
  return 1;
};

const tellSwitched = async ({ position }: Compared, store: Store): Promise<ExitCode> => {
  await print(
    `${NAMES[store]} commits the log now, from event ${position + 1} on. Both stores have the ${position} before.`,
  );
  await print(
    store === 'eventstoredb'
      ? 'Start the gateways with EVENT_STORE_URL. Without it, none starts, and PostgreSQL refuses their appends.'
      : 'Start the gateways without EVENT_STORE_URL. What EventStoreDB has stays there, and is not used any more.',
  );
  return 0;
};

const liveRuns = async (url: string): Promise<number> => {
  const rows = createDatabase(url);
  try {
    return (await readLiveRuns(rows)).length;
  } finally {
    await rows.$pool.end();
  }
};

const expectTables = async (url: string): Promise<void> => {
  const rows = createDatabase(url);
  try {
    const { there } = await rows.one<{ there: boolean }>(
      `select to_regclass('log_copies') is not null and to_regclass('runs') is not null as there`,
    );
    if (!there)
      throw new CliFault('The tables of this version are missing. Start a gateway of this version on it once.');
  } finally {
    await rows.$pool.end();
  }
};

const asFault = (error: unknown): unknown =>
  error instanceof CannotMigrate || error instanceof UnfitEventStore
    ? new CliFault(error.message, { cause: error })
    : logFault(error);

await runAlone('migrate-log', async (log) => {
  const { databaseUrl, eventStoreUrl, dataDir } = readCommandConfig();
  if (eventStoreUrl === undefined) throw new CliFault('Set EVENT_STORE_URL to the address of EventStoreDB.');
  const server = await openServer({ databaseUrl, dataDir, log });
  const { url } = server;
  try {
    await expectSessions(url);
    await expectTables(url);
    let told = '';
    const waiting = ({ message }: StoreUnavailable): void => {
      if (message !== told) log(`${message}; trying again`);
      told = message;
    };
    const migration = await openMigration({
      ...{ databaseUrl: url, eventStoreUrl, begin: !verifyOnly, now: () => new Date(), waiting },
    });
    try {
      if (migration.insecure) log('EventStoreDB has no TLS and no access control: this is for development only.');
      return to === undefined
        ? await verifyBoth(migration, url)
        : await migrate({ migration, url, eventStoreUrl, store: to });
    } finally {
      await migration.close();
    }
  } catch (error) {
    throw asFault(error);
  } finally {
    await server.stop();
  }
});
