import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Script } from '../../support/scripted-upstream.ts';
import { SOON } from '../../support/soon.ts';
import type { Answer } from '../../support/traffic.ts';
import { answered, contract, one, PROMPT_TOKENS, question, type At, type Seen } from './contract.ts';
import {
  answer,
  begins,
  complete,
  DONE,
  reports,
  role,
  says,
  sse,
  stays,
  stop,
  tokens,
  usage,
} from './support/wire.ts';

/** Long enough for the test itself to stop for a second on a busy machine. */
const SILENCE_MS = 1500;
const COMMENT_MS = 150;
/** Far longer than it takes to see that the reader reads nothing. */
const READER_MS = 10_000;

/** The provider says so much, or not even that it heard, and no more. */
const silentAfter = (text?: string) =>
  one(async ({ upstream, streamed, ask }) => {
    const line = stays(streamed, text);
    upstream.play(line.script);
    const seen = await answered(ask());
    expect(await line.gone).toBe('left');
    return seen;
  });

/** The provider says so much, and then nothing but comments. */
const commentsAfter = (text: string) =>
  one(async ({ upstream, ask }) => {
    const line = stays(true, text);
    upstream.play(line.script);
    const sent = ask();
    const response = await line.asked;
    const comments = setInterval(() => response.write(': working\n\n'), COMMENT_MS);
    const seen = await answered(sent);
    expect(await line.gone).toBe('left');
    clearInterval(comments);
    return seen;
  });

const said = sse(role, says('a'), says(' b'));
const finished = said + sse(stop);
const metered = ({ generation }: Seen): void =>
  expect(generation?.tokens).toMatchObject({ input: PROMPT_TOKENS, output: 2 });

/** Far more bytes than the buffers on the way hold, and few words. */
const PIECES = 1500;
const piece = sse(says(' a').replace('{', `{"padding":"${'.'.repeat(32_000)}",`));

/** Writes as fast as it is read, and tells how much of it has been taken. */
const pouring = () => {
  let taken = 0;
  const gone = Promise.withResolvers<'left'>();
  const pour = async (response: ServerResponse): Promise<void> => {
    begins(response, true).write(sse(role));
    for (; taken < PIECES && !response.destroyed; taken++) {
      if (!response.write(piece)) await Promise.race([once(response, 'drain'), gone.promise]);
    }
    response.end(sse(stop, reports(tokens(9, PIECES)), DONE));
  };
  const script: Script = (response) => {
    response.on('close', () => gone.resolve('left'));
    void pour(response);
  };
  return { script, taken: () => taken, gone: gone.promise };
};

/** Asks, and reads nothing yet. */
const askUnread = ({ house: { gateway }, customer }: At): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${customer.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(question(true)),
  });

const readAll = async (response: Response): Promise<Answer> => {
  const { status, headers } = response;
  const text = await response.text().catch(() => undefined);
  return { status, headers, body: text ?? '', whole: text !== undefined };
};

/** Until the provider cannot get rid of any more, for longer than it may be silent itself. */
const stalled = async (taken: () => number): Promise<void> => {
  let before = -1;
  for (let since = 0; performance.now() - since < SILENCE_MS * 1.5; await sleep(20)) {
    if (taken() === before) continue;
    before = taken();
    since = performance.now();
  }
};

const env = {
  UPSTREAM_FIRST_BYTE_TIMEOUT_MS: String(SILENCE_MS),
  UPSTREAM_IDLE_TIMEOUT_MS: String(SILENCE_MS),
  KEEP_ALIVE_COMMENT_MS: String(COMMENT_MS),
  SLOW_READER_TIMEOUT_MS: String(READER_MS),
};

contract('slow', env, (row) => {
  row('the provider is silent before the first byte', silentAfter());
  row(
    'the provider falls silent half-way through an answer that does not stream',
    silentAfter(answer('a b', usage).slice(0, 99)),
  );
  row('the provider falls silent before the first token', silentAfter(sse(role)));
  row('the provider falls silent mid-stream', silentAfter(said), { check: metered });
  row('the provider says nothing but comments mid-stream', commentsAfter(said), { check: metered });
  row('the provider stays on the line after [DONE]', silentAfter(complete(true)));
  row('the provider stays on the line after its finish reason and usage', silentAfter(finished + sse(reports(usage))));
  row(
    'the provider says nothing but comments after its finish reason and usage',
    commentsAfter(finished + sse(reports(usage))),
  );
  row('the provider stays on the line after its finish reason, without a usage', silentAfter(finished), {
    check: metered,
  });

  row(
    'the provider takes its time',
    one(async ({ upstream, ask }) => {
      const line = stays(true, sse(role));
      upstream.play(line.script);
      const sent = ask();
      const response = await line.asked;
      for (const word of ['a', ' b', ' c']) {
        await sleep(SILENCE_MS * 0.4);
        response.write(sse(says(word)));
      }
      response.end(sse(stop, reports(usage), DONE));
      return answered(sent);
    }),
    {
      // What the customer's side of the line hears meanwhile.
      check: ({ answer: { body } }) => expect(body.split(': still working\n\n').length).toBeGreaterThan(2),
    },
  );

  row(
    'the reader takes its time',
    one(async (at) => {
      const { script, taken } = pouring();
      at.upstream.play(script);
      const response = await askUnread(at);
      await stalled(taken);
      // The gateway keeps no more for a slow reader than sockets do; the rest has not even been sent to it.
      expect(taken()).toBeLessThan(PIECES / 2);
      const read = await readAll(response);
      expect(taken()).toBe(PIECES);
      expect(read.body.split('"content":" a"')).toHaveLength(PIECES + 1);
      return { answer: read };
    }),
  );
  row(
    'the reader takes nothing for too long',
    one(async (at) => {
      const { script, gone } = pouring();
      at.upstream.play(script);
      const response = await askUnread(at);
      expect(await gone).toBe('left');
      const { gateway } = at.house;
      await expect
        .poll(() => gateway.manage('GET', `/accounts/${at.customer.accountId}`), SOON)
        .toMatchObject({ open_holds: [] });
      return { answer: await readAll(response) };
    }),
    { check: ({ generation }) => expect(generation?.tokens?.['output']).toBeLessThan(PIECES) },
  );
});
