import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { invariant } from '../../src/domain/decider.ts';
import { quantile } from '../support/table.ts';
import { bodyOf } from '../support/targets.ts';

/**
 * Prints `ready`, sends requests at scheduled times, independent of earlier requests, and prints as JSON how long each took
 * from its scheduled time. It is a separate process, so that no other work delays it.
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    headers: { type: 'string', default: '{}' },
    stream: { type: 'boolean', default: false },
    rate: { type: 'string', default: '500' },
    warm: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
  },
});
/** How long to wait for the last responses. */
const PATIENCE_MS = 10_000;
const LAG_RESOLUTION_MS = 1;

const { origin, pathname } = new URL(`${values.url}/chat/completions`);
const headers = JSON.parse(values.headers) as Record<string, string>;
const body = bodyOf(values.stream);
const everyMs = 1000 / Number(values.rate);
const warm = Math.round((Number(values.warm) * 1000) / everyMs);
const total = warm + Math.round((Number(values.seconds) * 1000) / everyMs);

const pool = new Pool(origin, { connections: null, pipelining: 1 });
const firstByteMs: number[] = [];
const lastByteMs: number[] = [];
const lateMs: number[] = [];
let failed = 0;
/** The first failure. */
let why: string | undefined;
let ended = 0;
const over = Promise.withResolvers<void>();
const end = (counts: boolean, failure?: string): void => {
  if (failure !== undefined) why ??= failure;
  if (counts && failure !== undefined) failed++;
  if (++ended === total) over.resolve();
};

const DONE = Buffer.from('data: [DONE]\n\n');

const send = (dueMs: number, counts: boolean): void => {
  let status = 0;
  let firstMs: number | undefined;
  let last: Buffer | undefined;
  if (counts) lateMs.push(performance.now() - dueMs);
  pool.dispatch(
    { path: pathname, method: 'POST', headers, body },
    {
      // Required: without it, undici treats the handler as one of its older interface.
      onRequestStart: () => undefined,
      onResponseStart: (_controller, statusCode) => void (status = statusCode),
      onResponseData: (_controller, chunk) => {
        firstMs ??= performance.now() - dueMs;
        last = chunk;
      },
      onResponseEnd: () => {
        const whole = !values.stream || last?.subarray(-DONE.length).equals(DONE) === true;
        const failure = status !== 200 ? `status ${status}` : whole ? undefined : 'the stream ended too early';
        if (counts && failure === undefined && firstMs !== undefined) {
          firstByteMs.push(firstMs);
          lastByteMs.push(performance.now() - dueMs);
        }
        end(counts, failure);
      },
      onResponseError: (_controller, error) => end(counts, error.message),
    },
  );
};

process.stdout.write('ready\n');
const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
const startMs = performance.now();
let sent = 0;
let busyFrom = performance.eventLoopUtilization();
await new Promise<void>((resolve) => {
  const tick = (): void => {
    for (; sent < total && startMs + sent * everyMs <= performance.now(); sent++) {
      if (sent === warm) {
        lag.enable();
        busyFrom = performance.eventLoopUtilization();
      }
      send(startMs + sent * everyMs, sent >= warm);
    }
    if (sent === total) resolve();
    else setTimeout(tick, Math.max(0, startMs + sent * everyMs - performance.now()));
  };
  tick();
});
lag.disable();
const busy = performance.eventLoopUtilization(busyFrom).utilization;
const patience = setTimeout(over.resolve, PATIENCE_MS);
await over.promise;
clearTimeout(patience);

invariant(lateMs.length === total - warm, 'every scheduled request was sent');
lateMs.sort((a, b) => a - b);
const short = (numbers: number[]): number[] => numbers.map((ms) => Math.round(ms * 1000) / 1000);
const figures = {
  firstByteMs: short(firstByteMs),
  lastByteMs: short(lastByteMs),
  failed: failed + (total - ended),
  why: why ?? (ended < total ? 'no response arrived in time' : undefined),
  lateMs: [quantile(lateMs, 0.5), quantile(lateMs, 0.99), lateMs.at(-1)],
  // The monitor's own timer is included in its measurement, so its resolution is subtracted.
  lagMs: [50, 99, 100].map((percent) => Math.max(0, lag.percentile(percent) / 1e6 - LAG_RESOLUTION_MS)),
  busy,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
await pool.destroy();
