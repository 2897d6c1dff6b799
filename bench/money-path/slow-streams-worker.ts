import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { bodyOf } from '../support/targets.ts';

/**
 * Opens slow streams of one token per second and reads them to their ends, which are all at about the same time. Prints
 * `ready`, the number of open streams at intervals, `all {…}` when the last has begun or the time for that is over, and
 * `end {…}` when the last has ended.
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    headers: { type: 'string', default: '{}' },
    streams: { type: 'string', default: '1' },
    'ramp-seconds': { type: 'string', default: '1' },
    'hold-seconds': { type: 'string', default: '1' },
  },
});
/** More at once would measure how connections are accepted. */
const OPENING_AT_ONCE = 64;
const TOKEN_MS = 1000;
/** The ends are spread over this number of seconds. */
const SPREAD = 5;

const { origin, pathname } = new URL(`${values.url}/chat/completions`);
const headers = JSON.parse(values.headers) as Record<string, string>;
const wanted = Number(values.streams);
const rampMs = Number(values['ramp-seconds']) * 1000;
const holdMs = Number(values['hold-seconds']) * 1000;
const DONE = Buffer.from('data: [DONE]\n\n');

const pool = new Pool(origin, { connections: null, headersTimeout: 60_000, bodyTimeout: 60_000 });
let opened = 0;
let begun = 0;
let whole = 0;
let failed = 0;
let why: string | undefined;
let opening = true;
const ended = (): number => whole + failed;
const print = (what: string, figures: object): void =>
  void process.stdout.write(`${what} ${JSON.stringify(figures)}\n`);

const startMs = performance.now();
const elapsedMs = (): number => performance.now() - startMs;

const open = (): void => {
  const tokens = Math.ceil((rampMs + holdMs - elapsedMs()) / TOKEN_MS) + 1 + (opened++ % SPREAD);
  const simulate = { outputTokens: tokens, tokenMs: TOKEN_MS };
  let status = 0;
  let first = true;
  let complete = false;
  const begins = (): void => {
    if (first) begun++;
    first = false;
  };
  const end = (failure?: string): void => {
    begins();
    if (failure === undefined) whole++;
    else failed++;
    why ??= failure;
  };
  pool.dispatch(
    { path: pathname, method: 'POST', headers, body: bodyOf(true, { max_tokens: tokens, simulate }) },
    {
      // Required: without it, undici treats the handler as one of its older interface.
      onRequestStart: () => undefined,
      onResponseStart: (_controller, statusCode) => void (status = statusCode),
      onResponseData: (_controller, chunk) => {
        begins();
        complete = chunk.subarray(-DONE.length).equals(DONE);
      },
      onResponseEnd: () =>
        end(status !== 200 ? `status ${status}` : complete ? undefined : 'the stream ended too early'),
      onResponseError: (_controller, error) => end(error.message),
    },
  );
};

process.stdout.write('ready\n');
const pace = setInterval(() => {
  // Half of the time is a margin for slow machines.
  const due = Math.min(wanted, (elapsedMs() / (rampMs / 2)) * wanted);
  while (opening && opened < due && opened - begun < OPENING_AT_ONCE) open();
  if (opening && (begun === wanted || elapsedMs() > rampMs)) {
    opening = false;
    print('all', { opened, open: begun - ended() });
  }
  if (opening || ended() < opened) return;
  clearInterval(pace);
  clearInterval(telling);
  print('end', { whole, failed, why });
  void pool.destroy();
}, 10);
const telling = setInterval(() => print('open', { begun, ended: ended() }), 500);
