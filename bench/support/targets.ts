import type { Started } from '../../test/support/process.ts';
import type { Stage } from './stage.ts';
import { eventStoreFor, eventStorePid, NAMES, type Store } from './stores.ts';

/** A server under load: it answers `POST /chat/completions` below its url. */
export type Target = {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pid: number;
  /** The process of the EventStoreDB that commits its log, if it runs on this machine. */
  readonly eventStorePid?: number | undefined;
};

export type Gateway = Target & {
  readonly process: Started;
  /** The number of charges in the account's log. */
  countCharges(): Promise<number>;
  heldUsd(): Promise<string>;
};

const ADMIN_TOKEN = 'admin-token-of-the-benchmark-0123456789';
const GRANT_USD = '10000.00';

const MODEL = 'gpt-4o-mini';
const prompt = 'How much does a completion cost, and who says so? '.repeat(8);

/** Tokens in a response of the simulated provider, unless a request sets another number. */
export const OUTPUT_TOKENS = 16;

/** The body of every benchmark's request; `more` are further fields. */
export const bodyOf = (stream: boolean, more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    model: MODEL,
    stream,
    max_tokens: OUTPUT_TOKENS,
    messages: [{ role: 'user', content: prompt }],
    ...more,
  });

const asJson = (key: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${key}`,
  'content-type': 'application/json',
});

/** The simulated provider alone, without a gateway in front of it. */
export const startUpstream = async (stage: Stage): Promise<Target> => {
  const { said, pid } = await stage.start('src/cli/simulate.ts', ['--port', '0'], {}, /(http:\S+\/v1)/);
  return { name: 'direct', url: said, headers: asJson('bench'), pid };
};

type Env = Readonly<Record<string, string>>;

export const startPassThrough = async (
  stage: Stage,
  upstream: Target,
  env: Env = {},
): Promise<Target & { readonly process: Started }> => {
  const process = await stage.start('bench/money-path/pass-through.ts', [upstream.url], env, /(http:\S+\/v1)/);
  return { name: 'pass-through', url: process.said, headers: asJson('bench'), pid: process.pid, process };
};

export const startGateway = async (
  stage: Stage,
  upstream: Target,
  store: Store = 'postgres',
  env: Env = {},
): Promise<Gateway> => {
  const eventStoreUrl = eventStoreFor([store]);
  const started = await stage.start(
    'src/main.ts',
    [],
    {
      PORT: '0',
      KISSAPI_DATA: await stage.directory(),
      KISSAPI_LOG: 'warn',
      KISSAPI_ADMIN_TOKEN: ADMIN_TOKEN,
      DATABASE_URL: process.env['BENCH_DATABASE_URL'] ?? '',
      EVENT_STORE_URL: eventStoreUrl ?? '',
      OPENAI_API_KEY: 'bench',
      OPENAI_UPSTREAM_URL: upstream.url,
      ...env,
    },
    /OPENAI_BASE_URL=\S+?:(\d+)\/v1[^]*OPENAI_API_KEY=(\S+)/,
  );
  const origin = `http://127.0.0.1:${started.said}`;
  const manage = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
    const response = await fetch(`${origin}/api/accounts/acc_demo${path}`, {
      method,
      headers: asJson(ADMIN_TOKEN),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Body;
  };
  // The demo account's credit would be used up within minutes, and refused requests cost less.
  await manage('POST', '/grants', { usd: GRANT_USD, reason: 'benchmark' });
  return {
    name: store === 'postgres' ? 'gateway' : `gateway, ${NAMES[store]}`,
    eventStorePid: await eventStorePid(eventStoreUrl),
    url: `${origin}/v1`,
    headers: asJson(started.match[2] ?? ''),
    pid: started.pid,
    process: started,
    countCharges: async () => {
      let charges = 0;
      for (let from: number | null = 0; from !== null;) {
        const page: Page = await manage('GET', `/events?limit=1000&from_revision=${from}`);
        charges += page.data.filter(({ type }) => type === 'HoldSettled').length;
        from = page.next_revision;
      }
      return charges;
    },
    heldUsd: async () => {
      const response = await fetch(`${origin}/v1/credits`, { headers: asJson(started.match[2] ?? '') });
      return ((await response.json()) as { data: { held: string } }).data.held;
    },
  };
};

type Page = { readonly data: readonly { readonly type: string }[]; readonly next_revision: number | null };
