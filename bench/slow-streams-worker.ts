import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { bodyOf } from './targets.ts';

/**
 * Opens so many slow streams, some at a time, and reads them to their ends. Says `ready`, how many are open from time to
 * time, `all {…}` when each has begun, and `end {…}` when each has ended.
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    headers: { type: 'string', default: '{}' },
    streams: { type: 'string', default: '1' },
    'per-second': { type: 'string', default: '1' },
    tokens: { type: 'string', default: '1' },
    'token-ms': { type: 'string', default: '1000' },
  },
});
const { origin, pathname } = new URL(`${values.url}/chat/completions`);
const headers = JSON.parse(values.headers) as Record<string, string>;
const streams = Number(values.streams);
const perSecond = Number(values['per-second']);
const tokens = Number(values.tokens);
const body = bodyOf(true, {
  max_tokens: tokens,
  simulate: { outputTokens: tokens, tokenMs: Number(values['token-ms']) },
});
const DONE = Buffer.from('data: [DONE]\n\n');

const pool = new Pool(origin, { connections: null, headersTimeout: 60_000, bodyTimeout: 60_000 });
let begun = 0;
let whole = 0;
let failed = 0;
let why: string | undefined;
const say = (what: string, figures: object): void => void process.stdout.write(`${what} ${JSON.stringify(figures)}\n`);

const open = (): void => {
  let status = 0;
  let first = true;
  let complete = false;
  const end = (failure?: string): void => {
    if (first) begins();
    if (failure === undefined) whole++;
    else failed++;
    why ??= failure;
    if (whole + failed === streams) say('end', { whole, failed, why });
  };
  const begins = (): void => {
    first = false;
    if (++begun === streams) say('all', { open: begun - whole - failed });
  };
  pool.dispatch(
    { path: pathname, method: 'POST', headers, body },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, statusCode) => void (status = statusCode),
      onResponseData: (_controller, chunk) => {
        if (first) begins();
        complete = chunk.subarray(-DONE.length).equals(DONE);
      },
      onResponseEnd: () => end(status !== 200 ? `status ${status}` : complete ? undefined : 'it ended too early'),
      onResponseError: (_controller, error) => end(error.message),
    },
  );
};

process.stdout.write('ready\n');
const startMs = performance.now();
let opened = 0;
const opening = setInterval(() => {
  const due = Math.min(streams, Math.floor(((performance.now() - startMs) / 1000) * perSecond));
  for (; opened < due; opened++) open();
  if (opened === streams) clearInterval(opening);
}, 10);
const telling = setInterval(() => {
  say('open', { begun, ended: whole + failed });
  if (whole + failed < streams) return;
  clearInterval(telling);
  void pool.destroy();
}, 500);
