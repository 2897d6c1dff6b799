import autocannon from 'autocannon';
import { cpuOf, cpuWithEnded } from '../support/cpu.ts';
import { line, median } from '../support/table.ts';
import { bodyOf, OUTPUT_TOKENS, type Target } from '../support/targets.ts';

export type Figures = {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
  /** CPU time per request, of the target's process and, for the gateway, of its PostgreSQL. */
  readonly cpuMs: number;
  readonly databaseCpuMs: number;
  /** Of EventStoreDB; NaN if it does not commit the log. */
  readonly eventStoreCpuMs: number;
};

/** The throughput of a number of connections, each of which sends its next request when the response has arrived. */
export const load = async (
  { url, headers, pid, eventStorePid }: Target,
  stream: boolean,
  connections: number,
  seconds: number,
  tokens = OUTPUT_TOKENS,
): Promise<Figures> => {
  const before = await cpuOf(pid);
  const storeBefore = eventStorePid === undefined ? Number.NaN : await cpuWithEnded(eventStorePid);
  const result = await autocannon({
    url: `${url}/chat/completions`,
    method: 'POST',
    headers,
    body: bodyOf(stream, tokens === OUTPUT_TOKENS ? {} : { max_tokens: tokens, simulate: { outputTokens: tokens } }),
    connections,
    duration: seconds,
  });
  const after = await cpuOf(pid);
  const storeAfter = eventStorePid === undefined ? Number.NaN : await cpuWithEnded(eventStorePid);
  const served = result['2xx'];
  // Without a served request there is no average.
  const each = (seconds: number): number => (served === 0 ? Number.NaN : (seconds * 1000) / served);
  return {
    perSecond: served / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    failed: result.non2xx + result.errors,
    cpuMs: each(after.own - before.own),
    databaseCpuMs: each(after.children - before.children),
    eventStoreCpuMs: each(storeAfter - storeBefore),
  };
};

const medianFigures = (rounds: readonly Figures[]): Figures => ({
  perSecond: median(rounds.map(({ perSecond }) => perSecond)),
  p50: median(rounds.map(({ p50 }) => p50)),
  p99: median(rounds.map(({ p99 }) => p99)),
  failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
  cpuMs: median(rounds.map(({ cpuMs }) => cpuMs)),
  databaseCpuMs: median(rounds.map(({ databaseCpuMs }) => databaseCpuMs)),
  eventStoreCpuMs: median(rounds.map(({ eventStoreCpuMs }) => eventStoreCpuMs)),
});

const NAME_WIDTH = 56;

export type ThroughputOptions = {
  readonly connections: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly tokens?: number;
};

/** Compares the targets with the first of them. They take turns. */
export const compareThroughput = async (targets: readonly Target[], options: ThroughputOptions): Promise<void> => {
  const { connections: allConnections, rounds, seconds, tokens = OUTPUT_TOKENS } = options;
  const eventStore = targets.some(({ eventStorePid }) => eventStorePid !== undefined) ? ['EventStore'] : [];
  line(
    [
      `${tokens} tokens a response`,
      'requests/s',
      'p50 ms',
      'p99 ms',
      'ratio',
      'failed',
      'CPU ms',
      'database',
      ...eventStore,
    ],
    NAME_WIDTH,
  );
  for (const stream of [false, true]) {
    for (const connections of allConnections) {
      const figures = new Map<Target, Figures[]>(targets.map((target) => [target, []]));
      for (const target of targets) await load(target, stream, connections, 2, tokens); // Warm-up.
      for (let round = 0; round < rounds; round++) {
        for (const target of targets)
          figures.get(target)?.push(await load(target, stream, connections, seconds, tokens));
      }
      const what = `${stream ? 'streamed' : 'whole'}, ${connections} connections`;
      let plain: Figures | undefined;
      for (const target of targets) {
        const own = medianFigures(figures.get(target) ?? []);
        const ratio = plain ? (own.perSecond / plain.perSecond).toFixed(2) : '';
        plain ??= own;
        const numbers = [own.perSecond.toFixed(0), own.p50.toFixed(1), own.p99.toFixed(1), ratio, String(own.failed)];
        const third = Number.isNaN(own.eventStoreCpuMs) ? [] : [own.eventStoreCpuMs.toFixed(2)];
        const cpu = [own.cpuMs.toFixed(2), own.databaseCpuMs.toFixed(2), ...third];
        line([`${what}: ${target.name}`, ...numbers, ...cpu], NAME_WIDTH);
      }
    }
  }
};
