import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startProcess } from '../test/support/process.ts';
import { openAccounts } from './support/accounts.ts';
import { cpuWithEnded } from './support/cpu.ts';
import { eventStorePid, NAMES, type Store } from './support/stores.ts';
import { line, median, print } from './support/table.ts';

export type StoresOptions = {
  readonly stores: readonly Store[];
  readonly databaseUrl: string;
  readonly eventStoreUrl: string | undefined;
  /** The folder of the bundled PostgreSQL. */
  readonly dataDir: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly accounts: number;
  readonly flight: readonly number[];
  readonly processes: readonly number[];
  readonly profile?: true;
};

type Worker = {
  readonly commands: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly loadsPerSecond: number;
  readonly cpuMs: number;
  readonly copiedMs: number;
  readonly groups?: readonly (readonly [string, number])[];
};

/** Of one turn; CPU time in ms a command. */
type Turn = Omit<Worker, 'commands' | 'groups'> & {
  readonly databaseMs: number;
  readonly eventStoreMs: number;
  readonly groups: ReadonlyMap<string, number>;
};

type Log = { readonly store: Store; readonly url: string; readonly eventStoreUrl: string | undefined };

type Case = { readonly accounts: number; readonly flight: number; readonly processes: number };

const NAME_WIDTH = 62;

/** The same load on each store. They take turns, so that a slow period of the machine affects all of them. */
export const compareStores = async (options: StoresOptions): Promise<void> => {
  const logs = await openLogs(options);
  const pids = {
    postgres: Number((await readFile(join(options.dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]),
    eventStore: await eventStorePid(options.eventStoreUrl),
  };
  print(
    'Times of CPU are ms a command: of the process, of PostgreSQL and of EventStoreDB. Copied: how long after the last',
  );
  print('command PostgreSQL had all events.');
  const cpu = ['CPU ms', 'PostgreSQL', 'EventStore'];
  line(['', 'commands/s', 'p50 ms', 'p99 ms', 'ratio', ...cpu, 'copied ms', 'loads/s', 'load'], NAME_WIDTH);
  for (const accounts of [options.accounts, 1]) {
    for (const flight of options.flight) {
      for (const processes of options.processes) {
        if (flight >= processes) await compareCase(options, logs, pids, { accounts, flight, processes });
      }
    }
  }
};

const openLogs = async ({ stores, databaseUrl, eventStoreUrl, accounts }: StoresOptions): Promise<readonly Log[]> => {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const logs: Log[] = [];
  for (const store of stores) {
    await client.query(`create database in_${store}`);
    const url = databaseUrl.replace(/\/[^/]*$/, `/in_${store}`);
    const log = { store, url, eventStoreUrl: store === 'eventstoredb' ? eventStoreUrl : undefined };
    await openAccounts(url, accounts, log.eventStoreUrl);
    logs.push(log);
  }
  await client.end();
  return logs;
};

type Pids = { readonly postgres: number; readonly eventStore: number | undefined };

const compareCase = async (options: StoresOptions, logs: readonly Log[], pids: Pids, one: Case): Promise<void> => {
  const turns = new Map<Log, Turn[]>(logs.map((log) => [log, []]));
  const loads: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    // Who begins changes, because the one before leaves work to the disk.
    for (const log of round % 2 === 0 ? logs : logs.toReversed()) {
      turns.get(log)?.push(await takeTurn(options, log, pids, one));
      loads.push(loadavg()[0] ?? 0);
    }
  }
  const { accounts, flight, processes } = one;
  const what = `${accounts === 1 ? 'one account' : `${accounts} accounts`}, ${flight} in flight, ${processes} process${processes > 1 ? 'es' : ''}`;
  const [first] = logs;
  const of = (log: Log | undefined, figure: (turn: Turn) => number): number =>
    median((log ? (turns.get(log) ?? []) : []).map(figure));
  for (const log of logs) {
    const ratio = log === first ? '' : of(log, ({ perSecond }) => perSecond) / of(first, ({ perSecond }) => perSecond);
    const cells = [
      of(log, ({ perSecond }) => perSecond).toFixed(0),
      of(log, ({ p50 }) => p50).toFixed(1),
      of(log, ({ p99 }) => p99).toFixed(1),
      ratio === '' ? '' : ratio.toFixed(2),
      of(log, ({ cpuMs }) => cpuMs).toFixed(3),
      of(log, ({ databaseMs }) => databaseMs).toFixed(3),
      log.store === 'postgres' ? '' : of(log, ({ eventStoreMs }) => eventStoreMs).toFixed(3),
      log.store === 'postgres' ? '' : of(log, ({ copiedMs }) => copiedMs).toFixed(0),
      accounts === 1 ? '' : of(log, ({ loadsPerSecond }) => loadsPerSecond).toFixed(0),
      median(loads).toFixed(1),
    ];
    line([`${what}: ${NAMES[log.store]}`, ...cells], NAME_WIDTH);
  }
  if (options.profile) printGroups(logs, turns);
};

const takeTurn = async (options: StoresOptions, log: Log, pids: Pids, one: Case): Promise<Turn> => {
  const args = ['--database', log.url, '--accounts', String(one.accounts), '--seconds', String(options.seconds)];
  const each = ['--flight', String(Math.max(1, Math.floor(one.flight / one.processes)))];
  const more = [
    ...(log.eventStoreUrl === undefined ? [] : ['--event-store', log.eventStoreUrl]),
    ...(options.profile ? ['--profile'] : []),
  ];
  const before = await serverCpu(pids);
  const started = await Promise.all(
    Array.from({ length: one.processes }, () =>
      startProcess('bench/log-worker.ts', [...args, ...each, ...more], {}, /(\{.*\})\n/),
    ),
  );
  const workers = started.map(({ said }) => JSON.parse(said) as Worker);
  await Promise.all(started.map(({ stop }) => stop()));
  const after = await serverCpu(pids);
  const sum = (figure: (worker: Worker) => number): number => workers.reduce((total, one) => total + figure(one), 0);
  const commands = sum((worker) => worker.commands);
  // The servers also work for the loads before the commands, each of which is a command as well.
  const served = commands + one.accounts * one.processes;
  const groups = new Map<string, number>();
  for (const [name, ms] of workers.flatMap((worker) => worker.groups ?? []))
    groups.set(name, (groups.get(name) ?? 0) + (ms * 1000) / commands);
  return {
    perSecond: sum((worker) => worker.perSecond),
    p50: Math.max(...workers.map(({ p50 }) => p50)),
    p99: Math.max(...workers.map(({ p99 }) => p99)),
    loadsPerSecond: sum((worker) => worker.loadsPerSecond),
    cpuMs: sum((worker) => worker.cpuMs) / commands,
    copiedMs: Math.max(...workers.map(({ copiedMs }) => copiedMs)),
    databaseMs: ((after.postgres - before.postgres) * 1000) / served,
    eventStoreMs: ((after.eventStore - before.eventStore) * 1000) / served,
    groups,
  };
};

const serverCpu = async ({ postgres, eventStore }: Pids) => ({
  postgres: await cpuWithEnded(postgres),
  eventStore: eventStore === undefined ? Number.NaN : await cpuWithEnded(eventStore),
});

/** The main thread of the processes by group, in microseconds a command. */
const printGroups = (logs: readonly Log[], turns: ReadonlyMap<Log, readonly Turn[]>): void => {
  const of = (log: Log, name: string): number =>
    median((turns.get(log) ?? []).map(({ groups }) => groups.get(name) ?? 0));
  const names = [...new Set([...turns.values()].flat().flatMap(({ groups }) => [...groups.keys()]))];
  const last = logs.at(-1);
  names.sort((a, b) => (last ? of(last, b) - of(last, a) : 0));
  line(['  main thread, µs a command', ...logs.map(({ store }) => NAMES[store])], NAME_WIDTH);
  for (const name of names) line([`  ${name}`, ...logs.map((log) => of(log, name).toFixed(1))], NAME_WIDTH);
};
