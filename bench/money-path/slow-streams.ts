import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import type { Started } from '../../test/support/process.ts';
import { inspect, INSPECTABLE, type Inspector } from './inspector.ts';
import type { Stage } from '../support/stage.ts';
import { line, print } from '../support/table.ts';
import { startGateway, startPassThrough, type Gateway, type Target } from '../support/targets.ts';
import { load } from './throughput.ts';

export type StreamsOptions = { readonly streams: number; readonly holdSeconds: number };

/** Streams opened per second: at least this many, twice as many if the machine can. More would measure how connections are accepted. */
const OPENED_PER_SECOND = 200;
const SETTLED_WITHIN_MS = 20_000;
/** File descriptors of a process without streams: its files, its database, its log. */
const OTHER_FILES = 200;

/** Why this number of streams cannot be opened here; undefined if it can. */
export const tooFewFiles = async (streams: number): Promise<string | undefined> => {
  const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -n']);
  const allowed = stdout.trim() === 'unlimited' ? Infinity : Number(stdout);
  // A stream has one connection from the client and one to the provider.
  const needed = 2 * streams + OTHER_FILES;
  if (needed <= allowed) return undefined;
  const fewer = Math.floor((allowed - OTHER_FILES) / 2);
  const instead = fewer > 0 ? `, or ask for fewer: --streams ${fewer}` : '';
  return `${streams} streams need ${needed} open files, and ${allowed} are allowed here: ulimit -n ${needed}${instead}`;
};

/** Bytes. */
type Memory = { readonly rss: number; readonly heapUsed: number };

/** The memory of a process after a garbage collection. */
const settledMemory = async ({ ask }: Inspector): Promise<Memory> => {
  for (let n = 0; n < 2; n++) {
    await ask('HeapProfiler.collectGarbage');
    await sleep(300);
  }
  const expression = 'JSON.stringify(process.memoryUsage())';
  const { result } = await ask<{ result: { value: string } }>('Runtime.evaluate', { expression });
  return JSON.parse(result.value) as Memory;
};

type Outcome = {
  readonly before: Memory;
  readonly plateau: Memory;
  readonly after: Memory;
  /** The number of streams requested, and the largest number open at once. */
  readonly opened: number;
  readonly open: number;
  readonly whole: number;
  readonly failed: number;
  readonly why?: string;
};

const hold = async (
  stage: Stage,
  target: Target & { readonly process: Started },
  { streams, holdSeconds }: StreamsOptions,
): Promise<Outcome> => {
  const inspector = await inspect(target.process);
  try {
    const before = await settledMemory(inspector);
    const rampSeconds = Math.max(5, streams / OPENED_PER_SECOND);
    const how = { streams, 'ramp-seconds': rampSeconds, 'hold-seconds': holdSeconds };
    const args = Object.entries(how).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const worker = await stage.start(
      'bench/money-path/slow-streams-worker.ts',
      ['--url', target.url, '--headers', JSON.stringify(target.headers), ...args],
      {},
      /(ready)\n/,
    );
    const follow = watch(worker, streams, target.name, (rampSeconds + holdSeconds) * 2 + 60);
    const { opened, open } = await follow<{ opened: number; open: number }>(/^all (.*)\n/m);
    const plateau = await settledMemory(inspector);
    const ended = await follow<{ whole: number; failed: number; why?: string }>(/^end (.*)\n/m);
    await worker.stop();
    await sleep(1000);
    return { before, plateau, after: await settledMemory(inspector), opened, open, ...ended };
  } finally {
    // A process does not end while an inspector is connected.
    inspector.close();
  }
};

/** Waits for a line of the worker, and shows its progress. */
const watch = (worker: Started, streams: number, name: string, withinSeconds: number) => {
  const bar = new SingleBar(
    { format: `${name} {bar} {open} open, {ended} ended`, noTTYOutput: true, notTTYSchedule: 10_000 },
    Presets.shades_classic,
  );
  const until = performance.now() + withinSeconds * 1000;
  return async <Figures>(pattern: RegExp): Promise<Figures> => {
    bar.start(streams, 0, { open: 0, ended: 0 });
    try {
      for (;;) {
        const [, said] = pattern.exec(worker.output()) ?? [];
        if (said !== undefined) return JSON.parse(said) as Figures;
        if (performance.now() > until)
          throw new Error(`the streams did not end in time:\n${worker.output().slice(-500)}`);
        await sleep(100);
        const last = worker
          .output()
          .match(/^open .*\n/gm)
          ?.at(-1);
        if (last === undefined) continue;
        const { begun, ended } = JSON.parse(last.slice('open '.length)) as { begun: number; ended: number };
        bar.update(begun, { open: begun - ended, ended });
      }
    } finally {
      bar.stop();
    }
  };
};

/** The number of charges, once nothing is held and the expected number is reached, or after a timeout. */
const whenSettled = async (gateway: Gateway, charges: number): Promise<{ charged: number; heldUsd: string }> => {
  const until = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const now = { charged: await gateway.countCharges(), heldUsd: await gateway.heldUsd() };
    if ((now.charged >= charges && Number(now.heldUsd) === 0) || performance.now() > until) return now;
    await sleep(500);
  }
};

const MB = 1024 * 1024;

const rowOf = ({ name }: Target, { before, plateau, after, open, failed }: Outcome): readonly string[] => {
  const perStream = (of: keyof Memory): string => ((plateau[of] - before[of]) / 1024 / open).toFixed(1);
  const megabytes = [before, plateau, after].map(({ rss }) => (rss / MB).toFixed(0));
  return [name, String(open), ...megabytes, perStream('rss'), perStream('heapUsed'), String(failed)];
};

/**
 * The memory of a pass-through and of a gateway, each alone and with all streams open. False if a stream was not served to
 * its end, or was not charged exactly once.
 */
export const compareStreams = async (stage: Stage, upstream: Target, options: StreamsOptions): Promise<boolean> => {
  const { streams } = options;
  const complaints: string[] = [];
  const measure = async (target: Target & { readonly process: Started }): Promise<Outcome> => {
    const outcome = await hold(stage, target, options);
    const { open, failed, why } = outcome;
    // The machine limits that; each stream is served nevertheless.
    if (open < streams) print(`${target.name}: at most ${open} were open at once on this machine.`);
    if (failed > 0) complaints.push(`${target.name}: ${failed} streams failed; the first: ${why}.`);
    return outcome;
  };
  const warmUp = (target: Target) => load(target, true, 32, 2); // Memory that any load needs is not attributed to streams.

  const passThrough = await startPassThrough(stage, upstream, INSPECTABLE);
  await warmUp(passThrough);
  const plain = await measure(passThrough);
  await passThrough.process.stop();

  const gateway = await startGateway(stage, upstream, 'postgres', INSPECTABLE);
  await warmUp(gateway);
  const before = await whenSettled(gateway, 0);
  const full = await measure(gateway);
  const { charged, heldUsd } = await whenSettled(gateway, before.charged + full.opened);
  await gateway.process.stop();

  line([`${streams} slow streams`, 'open', 'MB before', 'with all', 'after', 'KB/stream', 'KB of heap', 'failed']);
  line(rowOf(passThrough, plain));
  line(rowOf(gateway, full));
  print(`Charged ${charged - before.charged} times for ${full.opened} streams; held afterwards: $${heldUsd}.`);
  if (charged - before.charged !== full.opened || Number(heldUsd) !== 0)
    complaints.push('gateway: the charges are WRONG.');
  for (const complaint of complaints) print(complaint);
  return complaints.length === 0;
};
