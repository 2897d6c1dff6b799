import { Agent, request } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../../src/http/management/routes.ts';
import { ADMIN_TOKEN, type RunningGateway } from '../../support/gateway.ts';
import { sharedHouse } from '../../support/house.ts';

let gateway: RunningGateway;
let account: Awaited<ReturnType<RunningGateway['openAccount']>>;
beforeAll(async () => {
  ({ gateway } = await sharedHouse());
  account = await gateway.openAccount('1.00');
});

/** As they are written in a URL. */
const inUrls: readonly string[] = [
  '%00', // a NUL
  'a%00b', // a NUL within
  '%01%0d%0a%1b%7f', // control characters
  '%ED%A0%80', // a lone surrogate in UTF-8
  '%ff%fe', // bytes that are no UTF-8
  '%C0%AF', // an overlong slash
  '%', // invalid percent-encoding
  '%zz', // invalid percent-encoding of two digits
  '%25', // a percent sign
  '..%2f..%2f', // dots
  '%27%3B--', // a quote and a semicolon
  '__proto__', // names that every object has
  'constructor', // a name that every object has
  '%EF%BF%BF', // a noncharacter
  '%F0%9F%98%80', // a character outside the first plane
  '%E2%80%AE', // a direction mark
  'x'.repeat(30_000), // thousands of characters
  '9'.repeat(30_000), // thousands of digits
];

const agent = new Agent({ keepAlive: false, maxSockets: 16 });

type Asked = { readonly method: string; readonly path: string; readonly body?: string };
type Told = { readonly status: number; readonly text: string };

/** Not by fetch, which changes paths before it sends them. Resolves to what came before the connection was closed. */
const ask = ({ method, path, body }: Asked): Promise<Told> =>
  new Promise((resolve, reject) => {
    const token = path.startsWith('/v1') ? account.apiKey : ADMIN_TOKEN;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = request(gateway.url, { path, method, headers, agent });
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => (text += more));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** Its answers are for a payment partner: a message, and 500 for a delivery that must be repeated. */
const isForPartner = ({ path }: Asked): boolean => path.startsWith('/webhooks/');

const expectNoFault = ({ status, text }: Told, asked: Asked): void => {
  const what = `${asked.method} ${asked.path.slice(0, 200)} ${asked.body?.slice(0, 300) ?? ''}: ${text.slice(0, 300)}`;
  expect(status, what).toBeGreaterThanOrEqual(200);
  if (!isForPartner(asked)) expect(status, what).toBeLessThan(500);
  if (status < 400 || asked.method === 'HEAD' || isForPartner(asked) || text.startsWith('<!doctype html>')) return;
  expect(JSON.parse(text), what).toMatchObject({ error: { code: expect.any(String) as string } });
};

/** Every route: its path with parameters in braces, its query parameters, and a body that is valid. */
const all = [
  ...['/chat/completions', '/completions', '/embeddings'].map((path) => ({
    ...{ method: 'POST', path: `/v1${path}`, query: ['id'] },
    body: {
      model: 'simulated-chat',
      messages: [{ role: 'user', content: 'Hi', name: 'a' }],
      prompt: 'a',
      input: 'a',
      user: 'a',
    },
  })),
  ...['/messages', '/messages/count_tokens'].map((path) => ({
    ...{ method: 'POST', path: `/v1${path}`, query: ['id'] },
    body: {
      ...{ model: 'simulated-chat', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] },
      ...{ system: 'a', stop_sequences: ['a'], metadata: { user_id: 'a' } },
    },
  })),
  { method: 'GET', path: '/v1/models', query: ['limit'] },
  { method: 'GET', path: '/v1/models/{id}', query: [] },
  { method: 'GET', path: '/v1/generation', query: ['id'] },
  { method: 'GET', path: '/v1/key', query: ['id'] },
  { method: 'GET', path: '/v1/credits', query: ['id'] },
  { method: 'GET', path: '/health', query: ['id'] },
  { method: 'GET', path: '/confirm', query: ['id'] },
  { method: 'GET', path: '/contact', query: ['topic', 'about'] },
  { method: 'GET', path: '/contact/thanks', query: ['id'] },
  {
    method: 'POST',
    path: '/contact/messages',
    query: ['id'],
    body: { email: 'a@example.com', topic: 'other', text: 'a' },
  },
  { method: 'GET', path: '/top-ups/{id}', query: ['n', 'checkout_id'] },
  { method: 'POST', path: '/webhooks/creem', query: ['id'], body: { id: 'evt_1', eventType: 'checkout.completed' } },
  { method: 'GET', path: '/metrics', query: ['id'] },
  { method: 'GET', path: '/api/docs', query: ['id'] },
  { method: 'GET', path: '/api/openapi.json', query: ['id'] },
  { method: 'GET', path: '/v1/{id}', query: [] },
  { method: 'GET', path: '/{id}', query: [] },
  { method: 'GET', path: '/api/{id}', query: [] },
  ...routes.map(({ method, path, query, body }) => ({
    method: method.toUpperCase(),
    path: `/api${path}`,
    query: Object.keys((query as { shape?: object } | undefined)?.shape ?? {}),
    body: body?.example,
  })),
].map((route) => ({ body: undefined, ...route }));

const filled = (path: string): string => path.replace('{account_id}', account.accountId).replaceAll(/\{\w+\}/g, 'x');

it.each(['/v1/models/', '/v1/generation?id=', '/api/accounts/', '/'])(
  'refuses a million characters behind %s',
  async (path) => {
    expect((await ask({ method: 'GET', path: path + 'x'.repeat(1_000_000) })).status).toBe(431);
  },
);

describe.each(all)('$method $path', ({ method, path, query, body }) => {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };

  it('refuses what it cannot take in its path and its query, and never fails', async () => {
    const parameters = path.match(/\{\w+\}/g) ?? [];
    for (const text of inUrls) {
      const asked = [
        ...parameters.map((name) => filled(path.replace(name, () => text))),
        `${filled(path)}/${text}`,
        ...[...query, text].flatMap((name) => [
          `${filled(path)}?${name}=${text}`,
          `${filled(path)}?${name}=a&${name}=${text}`,
        ]),
      ].map((one): Asked => ({ method, path: one, ...sent }));
      await Promise.all(asked.map(async (one) => expectNoFault(await ask(one), one)));
    }
  });

  if (body === undefined) return;
  const inBodies = ['\0', 'a\0b', '\ud800', '\udfff\ud800', '\uffff', '__proto__', '\u202e', '', 'x'.repeat(60_000)];
  it('refuses what it cannot take in a text of its body, and never fails', async () => {
    for (const text of inBodies) {
      const asked = [...withEachText(body, text)].map((changed) => ({
        method,
        path: filled(path),
        body: JSON.stringify(changed),
      }));
      await Promise.all(asked.map(async (one) => expectNoFault(await ask(one), one)));
    }
  });
});

/** The value once for each text in it, and once for each name, with that one replaced. */
function* withEachText(value: unknown, text: string): Generator<unknown> {
  if (typeof value === 'string') yield text;
  if (typeof value !== 'object' || value === null) return;
  const entries = Object.entries(value);
  for (const [n, [name, member]] of entries.entries()) {
    for (const changed of withEachText(member, text)) {
      if (Array.isArray(value)) yield value.with(n, changed);
      else yield { ...value, [name]: changed };
    }
    if (!Array.isArray(value)) yield Object.fromEntries(entries.with(n, [text, member]));
  }
}
