import type { ServerResponse } from 'node:http';
import { createScriptedUpstream, says, type Script } from '../scripted-upstream.ts';
import { converse } from './model.ts';
import { BadBody, type Asked, type Dialect, type Failure, type Turn } from './turn.ts';

export type Upstream = {
  /** The base URL for the provider. */
  readonly url: string;
  /** What was asked so far, read from the wire format. */
  readonly asked: readonly Asked[];
  /** The bodies of all requests so far, also of those that were refused. */
  readonly bodies: readonly string[];
  /** Answers the next requests; after the last one, the model converses. A failure or a fault is repeated. */
  play(...lines: readonly (Turn | Failure)[]): void;
  close(): Promise<void>;
};

/** A server with the wire format of a provider. It refuses what the provider would refuse. */
export const createUpstream = async (dialect: Dialect, { port = 0 } = {}): Promise<Upstream> => {
  const server = await createScriptedUpstream({ port });
  const asked: Asked[] = [];
  let script: (Turn | Failure)[] = [];
  const answer: Script = (response, body, request) => {
    const refuse = (failure: Failure): void => {
      const { status, body: json, headers } = dialect.failure(failure);
      says(JSON.stringify(json), { status, headers: headers ?? {} })(response, body, request);
    };
    if (!dialect.hasKey(request.headers)) return refuse({ failure: 'key' });
    const read = readBody(dialect, body, request.url ?? '');
    if (read instanceof BadBody) return refuse({ failure: 'request', message: read.message });
    asked.push(read);
    const line = script.length > 1 || !isRepeated(script[0]) ? script.shift() : script[0];
    if (line && 'failure' in line) return refuse(line);
    respond(dialect, line ?? converse(read), read, response);
  };
  server.play(answer);
  return {
    url: server.url.replace(/\/v1$/, dialect.version),
    asked,
    bodies: server.bodies,
    play: (...lines) => (script = [...lines]),
    close: server.close,
  };
};

const isRepeated = (line: Turn | Failure | undefined): boolean =>
  line !== undefined && ('failure' in line || line.fault !== undefined);

const readBody = (dialect: Dialect, body: string, path: string): Asked | BadBody => {
  try {
    return dialect.read(JSON.parse(body), path);
  } catch (error) {
    if (error instanceof BadBody) return error;
    throw error;
  }
};

const respond = (dialect: Dialect, turn: Turn, asked: Asked, response: ServerResponse): void => {
  const { fault } = turn;
  if (fault === 'no response') {
    response.destroy();
    return;
  }
  const breaks = fault === 'cut' || fault === 'hang' || fault === 'error';
  if (!asked.streamed) {
    const json = JSON.stringify(dialect.whole(turn, asked));
    response.writeHead(200, { 'content-type': 'application/json' });
    if (breaks) afterwards(response, json.slice(0, json.length / 2), fault, undefined);
    else response.end(json);
    return;
  }
  const { head, content, tail } = dialect.events(turn, asked);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (breaks) afterwards(response, [...head, ...content.slice(0, 1)].join(''), fault, dialect.brokenEvent);
  else response.end([...head, ...(fault === 'repeated start' ? head : []), ...content, ...tail].join(''));
};

/** Within a whole answer, an error is a broken connection. */
const afterwards = (response: ServerResponse, begun: string, fault: Turn['fault'], error: string | undefined): void => {
  response.write(begun, () => {
    if (fault === 'hang') return;
    setTimeout(() => (fault === 'error' && error !== undefined ? response.end(error) : response.destroy()), 20);
  });
};
