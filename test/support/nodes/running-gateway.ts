import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import OpenAI, { type ClientOptions } from 'openai';
import { startProcess, type Started } from '../process.ts';

export const ADMIN_TOKEN = 'admin-token-of-the-tests-0123456789abcdef';
export const DATA_KEY = '0123456789abcdef'.repeat(4);
export const KEY_PEPPER = 'pepper-of-the-tests-0123456789abcdefghij';

export type RunningGateway = {
  readonly process: Started;
  /** Without a path: `http://127.0.0.1:1234`. */
  readonly url: string;
  readonly demoKey: string;
  /** Calls the management API, below /api; throws on anything but a 2xx. */
  manage<Body>(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Body>;
  /** A new account that accepted the terms, with this much granted credit and one key. */
  openAccount(
    usd?: string,
    holder?: 'person' | 'entity',
  ): Promise<{ readonly accountId: string; readonly apiKey: string; readonly keyId: string }>;
  /** The official client; it does not retry unless told to. */
  client(apiKey: string, options?: ClientOptions): OpenAI;
};

type Where = {
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** The folder of another copy of this software; the working directory if left out. */
  readonly software?: string | undefined;
  /** The arguments of `npm start`. */
  readonly args?: readonly string[] | undefined;
};

/** Starts a gateway, as a real process, with the simulated provider and whatever the environment given adds. */
export const startGatewayOn = async (
  { databaseUrl, dataDir, software = '', args = [] }: Where,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningGateway> =>
  running(
    await startProcess(
      join(software, 'src/main.ts'),
      args,
      {
        NODE_ENV: 'development',
        PORT: '0',
        KISSAPI_DATA: dataDir,
        DATABASE_URL: databaseUrl,
        KISSAPI_ADMIN_TOKEN: ADMIN_TOKEN,
        KISSAPI_KEY_PEPPER: KEY_PEPPER,
        KISSAPI_DATA_KEY: DATA_KEY,
        OPENAI_API_KEY: '',
        ...env,
      },
      /OPENAI_BASE_URL=http:\/\/localhost:(\d+)\/v1[^]*OPENAI_API_KEY=(kiss_test_\w+)[^]*\/api\/docs/,
    ),
  );

/** The gateway closes a kept-alive connection that was idle for long, which may happen just as a request is sent. */
const wasClosedIdle = (error: unknown): boolean => {
  const cause = error instanceof TypeError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.message === 'other side closed' || ['EPIPE', 'ECONNRESET'].includes(cause?.code ?? '');
};

const running = (process: Started): RunningGateway => {
  const url = `http://127.0.0.1:${process.said}`;
  const manage: RunningGateway['manage'] = async (method, path, body, headers = {}) => {
    const send = () =>
      fetch(`${url}/api${path}`, {
        method,
        headers: { ...own, authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const own = method === 'GET' ? {} : { 'idempotency-key': randomUUID() };
    const response = await send().catch((error: unknown) => {
      if (!wasClosedIdle(error)) throw error;
      return send();
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as never;
  };
  return {
    process,
    url,
    demoKey: process.match[2] ?? '',
    manage,
    openAccount: async (usd = '5.00', holder = 'person') => {
      const account = await manage<{ account_id: string; terms_in_force?: string }>('POST', '/accounts', {
        name: 'Ada',
        email: 'ada@example.com',
        adult: true,
        holder,
        accept_terms: '2026-11-30',
      });
      const accountId = account.account_id;
      await manage('POST', `/accounts/${accountId}/grants`, { usd, reason: 'test' });
      const key = await manage<{ secret: string; key_id: string }>('POST', `/accounts/${accountId}/keys`, {
        name: 'test',
      });
      return { accountId, apiKey: key.secret, keyId: key.key_id };
    },
    client: (apiKey, options = {}) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0, ...options }),
  };
};
