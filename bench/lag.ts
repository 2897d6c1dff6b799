import { setTimeout as sleep } from 'node:timers/promises';
import { createProgram } from '../src/cli/terminal/run.ts';
import { startGatewayOn, type RunningGateway } from '../test/support/nodes/running-gateway.ts';
import { wholeNumber } from './support/options.ts';
import { runOnStage } from './support/stage.ts';
import { line, median } from './support/table.ts';

/**
 * How long one request delays the others: the delay of a gateway's event loop, measured inside it, while it receives large
 * bodies. The account has slightly too little credit for their bytes, so that their prompts are counted.
 */
const program = createProgram(
  'bench:lag',
  'Measure, for an idle gateway and for each kind of body, the response, its duration, and how long the event loop was\n' +
    'blocked: the 99th percentile, the longest of a round (median and worst of the rounds), and the same in CPU time of the\n' +
    'main thread, which does not depend on other processes.',
)
  .usage('[options]')
  .option('--rounds <n>', 'how often each kind of body is sent', wholeNumber(1, 1000), 5)
  .parse();
const { rounds } = program.opts<{ readonly rounds: number }>();

const MODEL = 'gpt-4.1';
const MAX_BODY = 20 * 1024 * 1024;

const filled = (head: string, piece: string, tail: string, bytes = MAX_BODY): string =>
  head + piece.repeat(Math.floor((bytes - head.length - tail.length) / Buffer.byteLength(piece))) + tail;
const START = `{"model":"${MODEL}","max_tokens":16,"messages":[`;
const said = (piece: string, bytes?: number): string =>
  filled(`${START}{"role":"user","content":"`, piece, '"}]}', bytes);

type Load = { readonly name: string; readonly body?: string; readonly usd?: string };

/** The credit is less than a hold by bytes, and, if possible, more than a hold by tokens. */
const loads: readonly Load[] = [
  { name: 'idle' },
  { name: '50,000 equal characters', body: said('a', 50_000), usd: '0.05' },
  { name: '1 MB of equal characters', body: said('a', 1_000_000), usd: '0.60' },
  { name: '1 MB of words', body: said('How much is it? ', 1_000_000), usd: '0.80' },
  { name: 'the largest body, one text', body: said('a'), usd: '1.00' },
  { name: 'the largest body, in Chinese', body: said('好'), usd: '1.00' },
  { name: 'the largest body, every character escaped', body: said('\\"'), usd: '1.00' },
  {
    name: 'the largest body, a picture',
    body: filled(
      `${START}{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,`,
      'AAAA',
      '"}}]}]}',
    ),
    usd: '0.002',
  },
  {
    name: 'the largest body, of many messages',
    body: filled(`${START}{"role":"user","content":"Hi"}`, ',{"role":"user","content":"How are you?"}', ']}'),
    usd: '1.00',
  },
  { name: 'as many values as are accepted', body: `${START}{}${',{}'.repeat(199_990)}]}`, usd: '0.80' },
  {
    name: 'the largest body, escaped, passed on',
    body: filled(
      `${START.replace('{', '{"stream":true,"stream_options":{},')}{"role":"user","content":"`,
      '\\"',
      '"}]}',
    ),
    usd: '5.00',
  },
  { name: 'the largest body, of empty objects', body: filled(`${START}{}`, ',{}', ']}'), usd: '1.00' },
];

type Lag = { readonly max: number; readonly p99: number; readonly cpu: number };

/** Since the last SIGUSR2. */
const lagOf = async ({ process: { pid, output } }: RunningGateway): Promise<Lag> => {
  const before = output().length;
  process.kill(pid, 'SIGUSR2');
  for (;;) {
    const [, max, p99, cpu] = /^lag (\S+) (\S+) (\S+)$/m.exec(output().slice(before)) ?? [];
    if (max !== undefined) return { max: Number(max), p99: Number(p99), cpu: Number(cpu) };
    await sleep(5);
  }
};

const ask = async ({ url }: RunningGateway, apiKey: string, body: string): Promise<string> => {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body,
  });
  await response.text();
  return String(response.status);
};

await runOnStage('bench:lag', async (stage) => {
  const upstream = await stage.start('src/cli/simulate.ts', ['--port', '0'], {}, /(http:\S+\/v1)/);
  const dataDir = await stage.directory();
  const gateway = await stage.keep(async () => {
    const running = await startGatewayOn(
      { databaseUrl: process.env['BENCH_DATABASE_URL'] ?? '', dataDir },
      {
        NODE_OPTIONS: `--import=${new URL('lag-probe.ts', import.meta.url).href}`,
        KISSAPI_LOG: 'warn',
        SELF_AUDIT_EVERY_MS: '0',
        MAX_BODY_BYTES: String(MAX_BODY),
        OPENAI_API_KEY: 'bench',
        OPENAI_UPSTREAM_URL: upstream.said,
      },
    );
    return { ...running, stop: () => running.process.stop() };
  });

  line(['ms', 'answer', 'took', 'p99', 'max', 'worst max', 'CPU', 'worst CPU']);
  for (const { name, body, usd } of loads) {
    const lags: Lag[] = [];
    const took: number[] = [];
    let answer = '';
    for (let round = -1; round < rounds; round++) {
      const account = usd === undefined ? undefined : await gateway.openAccount(usd);
      await sleep(200);
      await lagOf(gateway);
      const startedAt = performance.now();
      if (body === undefined || !account) await sleep(1000);
      else answer = await ask(gateway, account.apiKey, body);
      const lag = await lagOf(gateway);
      // The first of each kind is the warm-up.
      if (round < 0) continue;
      took.push(performance.now() - startedAt);
      lags.push(lag);
    }
    const [p99, max, cpu] = [lags.map((lag) => lag.p99), lags.map((lag) => lag.max), lags.map((lag) => lag.cpu)];
    const figures = [median(took), median(p99), median(max), Math.max(...max), median(cpu), Math.max(...cpu)];
    line([name, answer, ...figures.map((figure) => figure.toFixed(1))]);
  }
});
