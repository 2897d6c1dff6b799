import { setTimeout as sleep } from 'node:timers/promises';
import { cpuOf } from '../support/cpu.ts';
import type { Stage } from '../support/stage.ts';
import { line, quantile, print } from '../support/table.ts';
import type { Target } from '../support/targets.ts';
import { load } from './throughput.ts';

/** The output of one turn of the generator. */
type Turn = {
  readonly firstByteMs: readonly number[];
  readonly lastByteMs: readonly number[];
  readonly failed: number;
  /** The first failure. */
  readonly why?: string;
  /** p50, p99 and maximum, in ms: how late requests were sent, and the delay of the generator's event loop. */
  readonly lateMs: readonly number[];
  readonly lagMs: readonly number[];
  /** Utilisation of the generator's event loop, from 0 to 1. */
  readonly busy: number;
};
type Figures = Turn & { readonly cpuMs: number; readonly databaseCpuMs: number };

export type LatencyOptions = { readonly rate: number; readonly rounds: number; readonly seconds: number };

const WARM_SECONDS = 1;
/** Load before the first turn: code is not fully compiled after a few thousand requests, and costs several times as much until then. */
const FIRST_WARM = { connections: 64, seconds: 8 };
/** If the generator is later than this, it measures its own delay. */
const DISTRUST_MS = 5;

/** One process for one turn; it warms up itself and the target before it measures. */
const turn = async (stage: Stage, target: Target, stream: boolean, options: LatencyOptions): Promise<Figures> => {
  const { rate, seconds } = options;
  const before = await cpuOf(target.pid);
  const args = ['--url', target.url, '--headers', JSON.stringify(target.headers), '--rate', String(rate)];
  const worker = await stage.start(
    'bench/money-path/open-loop-worker.ts',
    [...args, '--warm', String(WARM_SECONDS), '--seconds', String(seconds), ...(stream ? ['--stream'] : [])],
    {},
    /^(ready)\n/m,
  );
  // The worker waits ten seconds for the last responses; the rest is a margin for slow machines.
  const until = performance.now() + (WARM_SECONDS + seconds + 60) * 1000;
  let said: string | undefined;
  while ((said = /^(\{.*\})\n/m.exec(worker.output())?.[1]) === undefined) {
    if (performance.now() > until) throw new Error(`a turn did not end in time:\n${worker.output().slice(-500)}`);
    await sleep(20, undefined, { signal: stage.signal });
  }
  const after = await cpuOf(target.pid);
  const requests = rate * (WARM_SECONDS + seconds);
  return {
    ...(JSON.parse(said) as Turn),
    cpuMs: ((after.own - before.own) * 1000) / requests,
    databaseCpuMs: ((after.children - before.children) * 1000) / requests,
  };
};

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

/**
 * Latency at a fixed rate, measured from the time at which each request was due, so that waiting behind other requests
 * counts. The first target is the baseline that the others add to; they take turns.
 */
export const compareLatency = async (
  stage: Stage,
  targets: readonly Target[],
  options: LatencyOptions,
): Promise<void> => {
  const { rate, rounds } = options;
  line([
    `${rate} requests/s, open loop`,
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    'added p50',
    'added p99',
    'failed',
    'CPU ms',
    'database',
  ]);
  const everyTurn: Turn[] = [];
  for (const stream of [false, true]) {
    for (const target of targets) await load(target, stream, FIRST_WARM.connections, FIRST_WARM.seconds);
    const turns = new Map<Target, Figures[]>(targets.map((target) => [target, []]));
    for (let round = 0; round < rounds; round++) {
      for (const target of targets) turns.get(target)?.push(await turn(stage, target, stream, options));
    }
    everyTurn.push(...[...turns.values()].flat());
    for (const [what, timesOf] of stream ? STREAMED : WHOLE) {
      let direct: readonly number[] | undefined;
      for (const target of targets) {
        const own = turns.get(target) ?? [];
        const times = own.flatMap(timesOf).toSorted((a, b) => a - b);
        direct ??= times;
        const [p50, p99, p999] = [0.5, 0.99, 0.999].map((q) => quantile(times, q));
        const added = [0.5, 0.99].map((q) => (quantile(times, q) - quantile(direct ?? [], q)).toFixed(2));
        line([
          `${what}: ${target.name}`,
          ...[p50, p99, p999].map((ms) => (ms ?? Number.NaN).toFixed(2)),
          ...(times === direct ? ['', ''] : added),
          String(own.reduce((sum, { failed }) => sum + failed, 0)),
          ...(times === direct
            ? []
            : [mean(own.map(({ cpuMs }) => cpuMs)), mean(own.map(({ databaseCpuMs }) => databaseCpuMs))].map((ms) =>
                ms.toFixed(2),
              )),
        ]);
      }
    }
  }
  const why = everyTurn.find((turn) => turn.why !== undefined)?.why;
  if (why !== undefined) print(`First failure: ${why}.`);
  printGenerator(everyTurn);
};

const WHOLE = [['whole', (turn: Turn) => turn.lastByteMs]] as const;
const STREAMED = [
  ['streamed, first byte', (turn: Turn) => turn.firstByteMs],
  ['streamed, last byte', (turn: Turn) => turn.lastByteMs],
] as const;

/** Shows whether the generator itself was slow. */
const printGenerator = (turns: readonly Turn[]): void => {
  const worst = (of: (turn: Turn) => readonly number[]): string =>
    [0, 1, 2].map((n) => Math.max(...turns.map((turn) => of(turn)[n] ?? Number.NaN)).toFixed(2)).join(' / ');
  print(
    `The generator in its worst turn, p50 / p99 / maximum: sent ${worst(({ lateMs }) => lateMs)} ms late, ` +
      `its event loop lagged ${worst(({ lagMs }) => lagMs)} ms; it was busy ${(mean(turns.map(({ busy }) => busy)) * 100).toFixed(0)} % of the time.`,
  );
  const late = turns.filter(({ lateMs }) => (lateMs[1] ?? Number.NaN) > DISTRUST_MS).length;
  if (late > 0)
    print(
      `In ${late} of ${turns.length} turns it was more than ${DISTRUST_MS} ms late at its p99: distrust the p99 of this run.`,
    );
};
