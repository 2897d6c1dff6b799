import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { cpuSeconds, findProcesses } from './cpu.ts';
import { startProcess, type Started } from '../test/support/process.ts';

/**
 * What the money path costs: the whole gateway beside a plain pass-through, in the same run, on loopback, before the same
 * upstream. The two take turns, so that a machine that is slow for a while is slow for both.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32,128' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(
    'npm run bench -- [--seconds 8] [--rounds 3] [--connections 32,128]\n' +
      'Prints requests/s, p50 and p99 of the pass-through and of the gateway, the ratio of their requests/s, and the CPU\n' +
      'time per request of each and of the database (on Linux).\n',
  );
  process.exit(0);
}

type Figures = {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
  /** CPU time of the target's own process and, for the gateway, of its PostgreSQL, per request. */
  readonly cpuMs: number;
  readonly databaseCpuMs: number;
};
type Target = { readonly url: string; readonly key: string; readonly pid: number };

const MODEL = 'gpt-4o-mini';
const prompt = 'How much does a completion cost, and who says so? '.repeat(8);
const bodyOf = (stream: boolean): string =>
  JSON.stringify({ model: MODEL, stream, max_tokens: 16, messages: [{ role: 'user', content: prompt }] });

const load = async (
  { url, key, pid }: Target,
  stream: boolean,
  connections: number,
  seconds: number,
): Promise<Figures> => {
  const before = await cpuOf(pid);
  const result = await autocannon({
    url: `${url}/chat/completions`,
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: bodyOf(stream),
    connections,
    duration: seconds,
  });
  const after = await cpuOf(pid);
  const served = result['2xx'];
  return {
    perSecond: served / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    failed: result.non2xx + result.errors,
    cpuMs: ((after.own - before.own) * 1000) / served,
    databaseCpuMs: ((after.children - before.children) * 1000) / served,
  };
};

const cpuOf = async (pid: number): Promise<{ own: number; children: number }> => {
  const all = (await cpuSeconds(pid)) ?? Number.NaN;
  const children = await Promise.all((await findProcesses(pid)).map(cpuSeconds));
  const sum = children.reduce<number>((total, seconds) => total + (seconds ?? 0), 0);
  return { own: all - sum, children: sum };
};

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;

const medianFigures = (rounds: readonly Figures[]): Figures => ({
  perSecond: median(rounds.map(({ perSecond }) => perSecond)),
  p50: median(rounds.map(({ p50 }) => p50)),
  p99: median(rounds.map(({ p99 }) => p99)),
  failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
  cpuMs: median(rounds.map(({ cpuMs }) => cpuMs)),
  databaseCpuMs: median(rounds.map(({ databaseCpuMs }) => databaseCpuMs)),
});

const line = (cells: readonly string[]): void => {
  process.stdout.write(`${cells.map((cell, n) => (n === 0 ? cell.padEnd(40) : cell.padStart(11))).join('')}\n`);
};

const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const dataDir = await mkdtemp(join(tmpdir(), 'kissapi-bench-'));
const started: Started[] = [];
try {
  const upstream = await startProcess('src/cli/simulate.ts', ['--port', '0'], {}, /(http:\S+\/v1)/);
  started.push(upstream);
  const passThrough = await startProcess('bench/pass-through.ts', [upstream.said], {}, /(http:\S+\/v1)/);
  started.push(passThrough);
  const gateway = await startProcess(
    'src/main.ts',
    [],
    {
      PORT: '0',
      KISSAPI_DATA: dataDir,
      KISSAPI_LOG: 'warn',
      DATABASE_URL: process.env['BENCH_DATABASE_URL'] ?? '',
      OPENAI_API_KEY: 'bench',
      OPENAI_UPSTREAM_URL: upstream.said,
    },
    /OPENAI_BASE_URL=(\S+)[^]*OPENAI_API_KEY=(\S+)/,
  );
  started.push(gateway);
  const [, gatewayUrl = '', key = ''] = gateway.match;
  const targets: readonly [Target, Target] = [
    { url: passThrough.said, key: 'bench', pid: passThrough.pid },
    { url: gatewayUrl.replace('localhost', '127.0.0.1'), key, pid: gateway.pid },
  ];

  line(['', 'requests/s', 'p50 ms', 'p99 ms', 'ratio', 'failed', 'CPU ms', 'database']);
  for (const stream of [false, true]) {
    for (const connections of values.connections.split(',').map(Number)) {
      const figures = new Map<Target, Figures[]>(targets.map((target) => [target, []]));
      for (const target of targets) await load(target, stream, connections, 2); // Warms both up.
      for (let round = 0; round < rounds; round++) {
        for (const target of targets) figures.get(target)?.push(await load(target, stream, connections, seconds));
      }
      const [plain, full] = targets.map((target) => medianFigures(figures.get(target) ?? []));
      if (!plain || !full) continue;
      const what = `${stream ? 'streamed' : 'whole'}, ${connections} connections`;
      const row = (name: string, figures: Figures, ratio: string): void => {
        const { perSecond, p50, p99, failed, cpuMs, databaseCpuMs } = figures;
        const numbers = [perSecond.toFixed(0), p50.toFixed(1), p99.toFixed(1), ratio, String(failed)];
        line([`${what}: ${name}`, ...numbers, cpuMs.toFixed(2), databaseCpuMs.toFixed(2)]);
      };
      row('pass-through', plain, '');
      row('gateway', full, (full.perSecond / plain.perSecond).toFixed(2));
    }
  }
} finally {
  for (const process of started.reverse()) await process.stop();
  await rm(dataDir, { recursive: true, force: true });
}
