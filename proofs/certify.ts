import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { InvalidArgumentError, Option } from 'commander';
import { createProgram } from '../src/cli/terminal/run.ts';
import { certificate, isCertified, type Proof } from './certify/certificate.ts';
import { runDiskFull, type DiskFullReport } from './certify/disk-full.ts';
import { runKills, type KillsReport } from './certify/kills.ts';
import { runRewinds, type RewindsReport } from './certify/rewinds.ts';
import { CannotMount } from './certify/small-disk.ts';
import { runStoreRewinds, type StoreRewindsReport } from './certify/store-rewinds.ts';
import {
  NeedsEventStore,
  openEventStore,
  STORES,
  type ProofEventStore,
  type StoreName,
} from './support/event-store.ts';

const MAX_SEED = 2_147_483_646;

const wholeNumber =
  (from: number, to: number) =>
  (text: string): number => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= from && number <= to) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`);
  };

const program = createProgram(
  'certify',
  'Kill gateways and their PostgreSQL under load, again and again, and certify that nothing acknowledged was lost or doubled.\n' +
    'Put the database back to a copy, or promote a standby that was behind, under running gateways. Let the disk of the\n' +
    'database run full, twice. Everything is started for this, and removed afterwards.',
)
  .usage('[options]')
  .option('--kills <n>', 'how many times something is killed; 0 kills nothing', wholeNumber(0, 100_000), 8)
  .option('--nodes <n>', 'how many gateways share the database, behind a balancer', wholeNumber(1, 16), 2)
  .option(
    '--rewinds <n>',
    'how many times the log goes back in time (default: 2, and with --kills 0 none)',
    wholeNumber(0, 10_000),
  )
  .option(
    '--seed <n>',
    'chooses what is killed, what is asked and when',
    wholeNumber(1, MAX_SEED),
    (Date.now() % MAX_SEED) + 1,
  )
  .addOption(
    new Option('--store <name>', 'which store commits the log').choices(STORES).default('postgres' satisfies StoreName),
  )
  .addOption(
    new Option(
      '--store-nodes <n>',
      'how many nodes of EventStoreDB replicate the log; with 3, its leader is killed each time',
    )
      .choices(['1', '3'] as const)
      .default('1'),
  )
  .addHelpText(
    'after',
    `
Examples:
  $ npm run certify
  $ npm run certify -- --kills 200
  $ npm run certify -- --kills 200 --nodes 3
  $ npm run certify -- --kills 50 --store eventstoredb
  $ npm run certify -- --kills 20 --store eventstoredb --store-nodes 3
  $ npm run certify -- --kills 0                 only the full disk
  $ npm run certify -- --kills 0 --rewinds 5     only a log that goes back in time

A kill and what comes after it takes about three seconds, a rewind about twenty. A rewind needs two gateways. The full disk needs root, for a file system of its own.
EventStoreDB is started by the command in EVENT_STORE_SERVER. There, either store goes back in time in turns, and no disk runs full.

Exit codes:
  0  certified
  1  something was lost, doubled, differs, was left open, or does not add up: the certificate says what
  2  not done; stderr says why`,
  )
  .parse();

const { kills, nodes, seed, store, storeNodes, ...given } = program.opts<{
  kills: number;
  nodes: number;
  seed: number;
  store: StoreName;
  storeNodes: '1' | '3';
  rewinds?: number;
}>();
const rewinds = given.rewinds ?? (kills > 0 && storeNodes === '1' ? 2 : 0);
const noDisk = store === 'eventstoredb' || (kills === 0 && rewinds > 0);
const interrupted = new AbortController();
const { signal } = interrupted;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // After a second signal, child processes are left to the operating system.
    if (signal.aborted) process.exit(2);
    console.error('certify: interrupted; ending what was started');
    interrupted.abort(new Error('interrupted'));
  });
}

const openStore = async (home: string, count: 1 | 3): Promise<ProofEventStore | undefined> => {
  if (store === 'postgres') return undefined;
  return openEventStore({ directory: join(home, 'eventstoredb'), nodes: count, kills: true });
};

const killAll = async (home: string): Promise<KillsReport> => {
  // On stderr, and only on a terminal.
  const bar = new SingleBar(
    { format: 'kills {bar} {value} of {total} | {duration_formatted} | {kind}' },
    Presets.shades_classic,
  );
  bar.start(kills, 0, { kind: 'starting' });
  const killed = (kind: string): void => bar.increment({ kind });
  const eventStore = await openStore(home, storeNodes === '3' ? 3 : 1);
  try {
    return await runKills({ home, kills, nodes, seed, signal, killed, eventStore: eventStore?.servers });
  } finally {
    bar.stop();
    await eventStore?.stop();
  }
};

const goBack = async (home: string): Promise<RewindsReport> => {
  const did = (what: string): void => console.error(`certify: ${what}`);
  return runRewinds({ home, rewinds, nodes: Math.max(2, nodes), seed, signal, did });
};

const putBack = async (home: string): Promise<StoreRewindsReport | undefined> => {
  const eventStore = await openStore(home, 1);
  if (!eventStore?.servers) return undefined;
  const did = (what: string): void => console.error(`certify: ${what}`);
  try {
    const { servers } = eventStore;
    return await runStoreRewinds({ home, rewinds, nodes: Math.max(2, nodes), seed, signal, did, eventStore: servers });
  } finally {
    await eventStore.stop();
  }
};

const fillDisk = async (home: string): Promise<DiskFullReport | string> => {
  try {
    return await runDiskFull({ home, seed, signal, did: (what) => console.error(`certify: ${what}`) });
  } catch (error) {
    if (error instanceof CannotMount) return error.message;
    throw error;
  }
};

const home = await mkdtemp(join(tmpdir(), 'kissapi-certify-'));
let keep = false;
try {
  const proof: Proof = {
    seed,
    kills: kills === 0 ? undefined : await killAll(home),
    rewinds: rewinds === 0 || store === 'eventstoredb' ? undefined : await goBack(home),
    storeRewinds: rewinds === 0 || store === 'postgres' ? undefined : await putBack(home),
    diskFull: noDisk ? undefined : await fillDisk(home),
  };
  if (!proof.kills && !proof.rewinds && !proof.storeRewinds && typeof proof.diskFull === 'string') {
    // Nothing was tested, so nothing is certified.
    console.error(`certify: no small disk could be mounted: ${proof.diskFull}`);
    process.exitCode = 2;
  } else {
    keep = !isCertified(proof);
    process.exitCode = keep ? 1 : 0;
    console.log(certificate(proof));
    if (keep) console.log(`What was acknowledged, a line each, and the database are kept in ${home}`);
  }
} catch (error) {
  process.exitCode = 2;
  if (error instanceof NeedsEventStore) {
    console.error(`certify: ${error.message}`);
    await rm(home, { recursive: true, force: true });
    process.exit();
  }
  // The files are kept for analysis if the run failed, and was not interrupted.
  keep = !signal.aborted;
  if (keep) console.error(`certify: not done; what there is, is kept in ${home}:`, error);
} finally {
  if (!keep) await rm(home, { recursive: true, force: true });
}
// Clients of an interrupted run may still be waiting.
process.exit();
