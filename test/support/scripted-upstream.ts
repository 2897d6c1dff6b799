import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Script = (response: ServerResponse, body: string, request: IncomingMessage) => void;

/** A provider that answers each request by the next line of its script, the last one again and again. */
export type ScriptedUpstream = {
  readonly url: string;
  /** The bodies of the requests so far, as they came. */
  readonly bodies: readonly string[];
  /** How many connections were opened so far. */
  readonly connections: number;
  play(...script: [Script, ...Script[]]): void;
  close(): Promise<void>;
};

export const createScriptedUpstream = async ({ port = 0 } = {}): Promise<ScriptedUpstream> => {
  let script: Script[] = [];
  const bodies: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString('utf8');
      bodies.push(body);
      const line = script.length > 1 ? script.shift() : script[0];
      if (line) line(response, body, request);
      else response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', () => connections++);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    bodies,
    get connections() {
      return connections;
    },
    play: (...lines) => {
      script = lines;
    },
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};

/** Answers with this body, word for word. */
export const says =
  (body: string, { status = 200, contentType = 'application/json', headers = {} } = {}): Script =>
  (response) =>
    response.writeHead(status, { 'content-type': contentType, ...headers }).end(body);

/** A stream of these events' data; each may bring line breaks and comments of its own. */
export const streams = (...events: readonly string[]): Script =>
  says(events.map((data) => `data: ${data}\n\n`).join(''), { contentType: 'text/event-stream' });
