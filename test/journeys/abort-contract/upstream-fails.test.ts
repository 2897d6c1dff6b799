import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { RunningGateway } from '../../support/gateway.ts';
import { UPSTREAM_KEY } from '../../support/house.ts';
import { untilKnown } from '../../support/nodes/known.ts';
import { errorOf, send } from '../../support/traffic.ts';
import type { Script } from '../../support/scripted-upstream.ts';
import { says } from '../../support/scripted-upstream.ts';
import { answered, contract, one, question, type Seen } from './contract.ts';
import { answer, breaks, complete, usage } from './support/wire.ts';

const playing = (script: Script) =>
  one(({ upstream, ask }) => {
    upstream.play(script);
    return answered(ask());
  });

const refusing = (status: number, error: object, headers: Readonly<Record<string, string>> = {}): Script =>
  says(JSON.stringify({ error }), { status, headers });

/** Whose key is wrong at the provider's, or who is out of credit there, is no customer's business. */
const SECRET = 'Account 4711 of the house has no credit.';
const keepsItSecret = ({ answer: { body } }: Seen): void => expect(body).not.toContain(SECRET);
/** What is wrong with the request is the customer's, and nobody else's. */
const passesItOn = ({ answer }: Seen): void => expect(errorOf(answer).message).toBe('Too long.');

/** Where nobody listens, and nobody may without being root. */
const NOBODY = 'http://127.0.0.1:1';

contract('upstream-fails', {}, (row, place) => {
  for (const status of [400, 409, 413, 422]) {
    const error = { message: 'Too long.', type: 'invalid_request_error', param: null, code: null };
    row(`answers ${status}`, playing(refusing(status, error)), { check: passesItOn });
  }
  row('answers 404', playing(refusing(404, { message: 'Too long.', code: 'model_not_found' })), { check: passesItOn });
  for (const status of [401, 402, 403, 408, 500, 502, 503, 504, 529]) {
    row(`answers ${status}`, playing(refusing(status, { message: SECRET })), { check: keepsItSecret });
  }
  row('answers 429', playing(refusing(429, { message: SECRET }, { 'retry-after': '3' })), {
    check: (seen) => {
      keepsItSecret(seen);
      const { headers } = seen.answer;
      expect([headers.get('retry-after-ms'), headers.get('retry-after')]).toEqual(['3000', '3']);
    },
  });
  row(
    'answers 302',
    playing((response) => response.writeHead(302, { location: `${NOBODY}/` }).end()),
  );

  row(
    'resets before the first byte',
    playing((response) => response.destroy()),
  );
  row(
    'resets half-way through an answer that does not stream',
    playing(breaks(false, answer('a b', usage).slice(0, 99))),
  );

  const error = { message: 'Overloaded', code: 502 };
  const nones = {
    'answers what is not JSON': '<html>',
    'answers nothing, with 200': '',
    'answers an error, with 200': JSON.stringify({ error }),
    'answers an error and a usage, with 200': JSON.stringify({ error, usage }),
    'answers an error as a status beside it and a usage, with 200': JSON.stringify({
      choices: null,
      usage: { total_tokens: 0, total_characters: 0 },
      base_resp: { status_code: 2056, status_msg: SECRET },
    }),
    'answers what finished for a reason that is a failure': answer('', usage).replace('"stop"', '"network_error"'),
    'answers with no choices and no usage': JSON.stringify({ id: 'x', choices: [], usage: null }),
  };
  for (const [name, text] of Object.entries(nones)) row(name, playing(says(text)));
  row('answers whole though a stream was asked for', playing(says(answer('a b c', usage))));
  const types = {
    'streams under the media type of JSON': { 'content-type': 'application/json' },
    'streams under no media type': {},
  };
  for (const [name, head] of Object.entries(types)) {
    row(
      name,
      playing((response) => response.writeHead(200, head).end(complete(true))),
      { check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 9, output: 3 }) },
    );
  }

  const stream = { contentType: 'text/event-stream' };
  row('streams though no stream was asked for', playing(says(complete(true), stream)), {
    check: ({ answer: { body, headers }, generation }) => {
      expect(headers.get('content-type')).toBe('application/json');
      const json = JSON.parse(body) as { choices: readonly { message: { content: string } }[] };
      expect(json.choices[0]?.message.content).toBe('a b c');
      expect(json).toMatchObject({ usage: { cost_usd: generation?.chargedUsd } });
    },
  });
  row('streams though no stream was asked for, and breaks', playing(breaks(true, complete(true).slice(0, 400))));

  const gzip =
    (body: string, status: number, contentType: string): Script =>
    (response) =>
      response
        .writeHead(status, { 'content-type': contentType, 'content-encoding': 'gzip' })
        .end(gzipSync(Buffer.from(body)));
  row(
    'answers with gzip',
    one(({ upstream, ask, streamed }) => {
      upstream.play(gzip(complete(streamed), 200, streamed ? 'text/event-stream' : 'application/json'));
      return answered(ask());
    }),
    { check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 9, output: 3 }) },
  );
  const tooLong = JSON.stringify({ error: { message: 'Too long.', type: 'invalid_request_error', code: null } });
  row('answers 400 with gzip', playing(gzip(tooLong, 400, 'application/json')), { check: passesItOn });

  let started: Promise<RunningGateway> | undefined;
  const withNobody = () =>
    (started ??= place().house.premises.startGateway({ OPENAI_UPSTREAM_URL: NOBODY, OPENAI_API_KEY: UPSTREAM_KEY }));
  row('refuses the connection', async (at) => {
    const gateway = await withNobody();
    await untilKnown(at.customer.apiKey, [gateway]);
    const ask = () => send(gateway, at.customer.apiKey, '/chat/completions', question(at.streamed));
    return one(() => answered(ask()))(at);
  });
});
