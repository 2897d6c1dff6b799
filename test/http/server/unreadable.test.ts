import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import OpenAI, { APIError } from 'openai';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openDoor } from '../../../src/gateway/http-server.ts';
import { answerUnreadable, type UnreadableOptions } from '../../../src/http/server/unreadable.ts';

const NOW = new Date('2026-01-31T10:00:00Z');
const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

const options = () => {
  const answered: number[] = [];
  let ids = 0;
  const told: UnreadableOptions = {
    newId: () => `id-${++ids}`,
    now: () => NOW,
    answered: (status) => answered.push(status),
  };
  return { told, answered };
};

/** The gateway's own door, with something else behind it. `met` is told when something cannot be read. */
const open = async (
  app: RequestListener = (_request, response) => response.end('fine'),
  met: () => void = () => undefined,
) => {
  const { told, answered } = options();
  const attend = (server: Server): void => {
    answerUnreadable(server, told);
    server.on('clientError', met);
  };
  const door = await openDoor({
    app,
    attend,
    host: '127.0.0.1',
    port: 0,
    graceMs: 0,
    delayMs: 0,
    drain: () => Promise.resolve(),
  });
  opened.push(door.close);
  return { port: door.port, answered };
};

/** Writes to a connection, and reads all that comes on it until the other side has closed it. */
const talk = async (port: number, ...pieces: readonly string[]): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (more: string) => (text += more));
  for (const piece of pieces) socket.write(piece);
  // Rejects where the connection is reset, and the answer may be lost.
  await once(socket, 'end');
  return text;
};

type Told = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** The answers on a connection, one after another, by the lengths that they say themselves. */
const answersIn = (text: string): readonly Told[] => {
  if (text === '') return [];
  const end = text.indexOf('\r\n\r\n');
  const [start = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => line.split(/: (.*)/, 2)).map(([name = '', value = '']) => [name.toLowerCase(), value]),
  );
  const length = Number(headers['content-length'] ?? expect.fail(`an answer says its length: ${text}`));
  const body = text.slice(end + 4, end + 4 + length);
  expect(body).toHaveLength(length);
  return [{ status: Number(start.split(' ')[1]), headers, body }, ...answersIn(text.slice(end + 4 + length))];
};

const expectError = ({ status, headers, body }: Told | undefined = expect.fail('there is no answer')) => {
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'x-request-id': expect.stringMatching(/^req_/) as string,
    connection: 'close',
  });
  const { error } = JSON.parse(body) as { error: Readonly<Record<string, unknown>> };
  expect(error).toEqual({
    message: expect.stringMatching(/^[A-Z].*\.$/) as string,
    type: 'invalid_request_error',
    param: null,
    code: expect.any(String) as string,
    request_id: headers['x-request-id'],
  });
  return [status, error['code'], headers['x-should-retry']] as const;
};

const post = (...headers: readonly string[]): string =>
  ['POST /v1/chat/completions HTTP/1.1', 'host: x', ...headers, '', ''].join('\r\n');

describe('what cannot be read', () => {
  it.each([
    ['is no HTTP', 'GARBAGE\r\n\r\n', 400, 'invalid_request'],
    ['is HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'invalid_request'],
    ['has two lengths', post('content-length: 1', 'content-length: 2'), 400, 'invalid_request'],
    ['has a longer head than is read', post(`x-much: ${'x'.repeat(70_000)}`), 431, 'headers_too_large'],
    ['has a head without an end', `${post(`x-much: ${'x'.repeat(2_000_000)}`)}`, 431, 'headers_too_large'],
  ])('%s', async (_what, sent, status, code) => {
    const { port, answered } = await open();
    const [answer, ...more] = answersIn(await talk(port, sent));
    expect(expectError(answer)).toEqual([status, code, 'false']);
    expect(answer?.headers['date']).toBe(NOW.toUTCString());
    expect(more).toEqual([]);
    expect(answered).toEqual([status]);
  });

  it.each([
    ['no chunk', 'zz\r\n', 400, 'invalid_request'],
    ['extensions without an end', `2;${'x'.repeat(20_000)}\r\n`, 413, 'request_too_large'],
  ])('is a body of %s, whose request keeps its id', async (_what, body, status, code) => {
    const late = Promise.withResolvers<void>();
    const { port } = await open((request, response) => {
      response.setHeader('x-request-id', 'req_known');
      request.resume().once('error', () => {
        // Whoever answers it now speaks to nobody.
        response.end('late');
        late.resolve();
      });
    });
    const [answer, ...more] = answersIn(await talk(port, post('transfer-encoding: chunked'), body));
    expect(expectError(answer)).toEqual([status, code, 'false']);
    expect(answer?.headers['x-request-id']).toBe('req_known');
    await late.promise;
    expect(more).toEqual([]);
  });

  it('is told of once, however much of it comes', async () => {
    const { port, answered } = await open();
    const answers = answersIn(await talk(port, ...Array<string>(100).fill('GARBAGE '.repeat(5000))));
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(answered).toEqual([400]);
  });

  it('is not written into an answer: that is sent to its end, and comes first', async () => {
    const met = Promise.withResolvers<void>();
    const { port } = await open((_request, response) => {
      response.writeHead(200, { 'content-length': 8 });
      response.write('half');
      void met.promise.then(() => response.end('half'));
    }, met.resolve);
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => (text += more));
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await vi.waitFor(() => expect(text).toContain('half'));
    socket.write('GARBAGE\r\n\r\n');
    await once(socket, 'end');
    const [first, second, ...more] = answersIn(text);
    expect(first).toMatchObject({ status: 200, body: 'halfhalf' });
    expect(expectError(second)).toEqual([400, 'invalid_request', 'false']);
    expect(more).toEqual([]);
  });

  it('comes behind a request in one packet, and after its answer', async () => {
    const met = Promise.withResolvers<void>();
    const { port } = await open((_request, response) => void met.promise.then(() => response.end('fine')), met.resolve);
    const [first, second, ...more] = answersIn(await talk(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\nGARBAGE\r\n\r\n'));
    expect(first).toMatchObject({ status: 200, body: 'fine' });
    expect(expectError(second)).toEqual([400, 'invalid_request', 'false']);
    expect(more).toEqual([]);
  });

  it('is no second answer to a request that was answered before it was read', async () => {
    const { port, answered } = await open((_request, response) => response.end('no'));
    const text = await talk(port, post('transfer-encoding: chunked'), 'zz\r\n');
    expect(answersIn(text)).toMatchObject([{ status: 200, body: 'no' }]);
    expect(answered).toEqual([]);
  });
});

describe('the OpenAI SDK', () => {
  it('reads it like every other error, and does not ask again', async () => {
    const { port, answered } = await open();
    const client = new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 2 });
    const asked = client.models.list({ headers: { 'x-much': 'x'.repeat(100_000) } });
    const error = await asked.then(
      () => expect.fail('it was answered'),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 431, code: 'headers_too_large', requestID: 'req_id-1' });
    expect(answered).toEqual([431]);
  });
});

describe('408', () => {
  const openImpatiently = async (patience: ServerOptions) => {
    const { told, answered } = options();
    const server = createServer({ ...patience, connectionsCheckingInterval: 1 }, (request) => void request.resume());
    answerUnreadable(server, told);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    opened.push(async () => {
      server.close().closeAllConnections();
      await once(server, 'close');
    });
    return { port: (server.address() as AddressInfo).port, answered };
  };

  it.each([
    ['a head', { headersTimeout: 1 }, 'POST /v1/chat/completions HTTP/1.1\r\nhost'],
    ['a body', { requestTimeout: 1, headersTimeout: 1 }, `${post('content-length: 9')}{`],
  ])('to %s that does not come to its end: it may be sent again', async (_what, patience, sent) => {
    const { port } = await openImpatiently(patience);
    const [answer, ...more] = answersIn(await talk(port, sent));
    expect(expectError(answer)).toEqual([408, 'request_timeout', 'true']);
    expect(more).toEqual([]);
  });
});

describe('417', () => {
  it('to what is expected of nobody', async () => {
    const { port, answered } = await open();
    const [answer, ...more] = answersIn(await talk(port, post('expect: tea', 'content-length: 2')));
    expect(expectError(answer)).toEqual([417, 'expectation_failed', 'false']);
    expect(more).toEqual([]);
    expect(answered).toEqual([417]);
  });

  it('but not to what clients do expect', async () => {
    const { port } = await open((request, response) => {
      request.resume().once('end', () => response.setHeader('connection', 'close').end('fine'));
    });
    const text = await talk(port, post('expect: 100-continue', 'content-length: 2'), '{}');
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    expect(answersIn(text.slice(text.indexOf('\r\n\r\n') + 4))).toMatchObject([{ status: 200, body: 'fine' }]);
  });
});
