import { connect } from 'node:net';
import { expect } from 'vitest';
import { png } from '../../proxy/media/media.ts';
import { SOON } from '../../support/soon.ts';
import { appendWaits, holdTheLog } from './support/stage.ts';
import { answered, contract, left, none, one, PROMPT_TOKENS, type At, type Seen } from './contract.ts';
import {
  answer,
  begins,
  callsTool,
  complete,
  counts,
  plays,
  reports,
  role,
  says,
  sse,
  stays,
  stop,
  tokens,
  usage,
} from './support/wire.ts';

/** Whatever had reached the gateway before has been seen by it after this. */
const isNoticed = async ({ house: { gateway } }: At): Promise<void> => {
  for (let n = 0; n < 2; n++) await fetch(`${gateway.url}/health`);
};

/** Leaves after so many words of a stream that stays on the line. */
const leavesAfter = (words: number, text: string, fields = {}) =>
  one(async ({ upstream, ask }) => {
    const line = stays(true, text);
    upstream.play(line.script);
    const sent = ask(fields);
    await expect.poll(() => sent.words(), SOON).toBe(words);
    const seen = await left(sent);
    expect(await line.gone).toBe('left');
    return seen;
  });

const metered =
  (output: number, pictures = 0) =>
  ({ generation }: Seen): void =>
    expect(generation?.tokens).toMatchObject({ input: PROMPT_TOKENS + pictures, output });

const showing = (...urls: readonly string[]) => ({
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'How are you?' },
        ...urls.map((url) => ({ type: 'image_url', image_url: { url } })),
      ],
    },
  ],
});
const PICTURE = `data:image/png;base64,${png(1024, 1024).toString('base64')}`;

/** A model that may hide its reasoning, whose report says how much of it there was. */
const THINKER = { model: 'gpt-5-mini' };
const thought = { ...tokens(9, 503), completion_tokens_details: { reasoning_tokens: 500 } };

/** Leaves after two words; once the gateway has noticed, the provider writes the rest. */
const leavesBefore = (begun: string, rest: string, fields = {}) =>
  one(async (at) => {
    const line = stays(true, sse(role, says('a'), says(' b')) + begun);
    at.upstream.play(line.script);
    const sent = at.ask(fields);
    const response = await line.asked;
    await expect.poll(() => sent.words(), SOON).toBe(2);
    const seen = await left(sent);
    await isNoticed(at);
    response.write(rest);
    expect(await line.gone).toBe('left');
    return seen;
  });

// No test here depends on how soon a machine that is busy writes a report.
contract('client-gone', { USAGE_AFTER_LEAVING_MS: '30000' }, (row) => {
  row(
    'leaves in the middle of its request',
    none(async (at) => {
      const { hostname, port } = new URL(at.house.gateway.url);
      const asked = at.upstream.bodies.length;
      const socket = connect(Number(port), hostname);
      const head =
        `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${at.customer.apiKey}\r\n` +
        'content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"model":';
      await new Promise((written) => socket.write(head, written));
      socket.destroy();
      await isNoticed(at);
      expect(at.upstream.bodies).toHaveLength(asked);
      return { answer: { status: undefined, headers: new Headers(), body: '', whole: false }, left: true };
    }),
  );

  row(
    'leaves while its credits are set aside',
    one(async (at) => {
      const asked = at.upstream.bodies.length;
      const goOn = await holdTheLog(at);
      const sent = at.ask();
      await appendWaits(at);
      const seen = await left(sent);
      await isNoticed(at);
      await goOn();
      await expect
        .poll(() => at.house.gateway.manage('GET', `/accounts/${at.customer.accountId}`), SOON)
        .toMatchObject({
          open_holds: [],
        });
      expect(at.upstream.bodies, 'the provider is not asked').toHaveLength(asked);
      return seen;
    }),
  );

  row(
    'leaves before the first byte',
    one(async ({ upstream, streamed, ask }) => {
      const line = stays(streamed);
      upstream.play(line.script);
      const sent = ask();
      await line.asked;
      const seen = await left(sent);
      expect(await line.gone).toBe('left');
      return seen;
    }),
  );

  row(
    'leaves before the first token',
    one(async ({ upstream, ask }) => {
      const line = stays(true, sse(role));
      upstream.play(line.script);
      const sent = ask();
      await expect.poll(() => sent.status(), SOON).toBe(200);
      const seen = await left(sent);
      expect(await line.gone).toBe('left');
      return seen;
    }),
  );

  row(
    'leaves half-way through an answer that does not stream',
    one(async ({ upstream, ask }) => {
      const line = stays(false, answer('a b c', usage).slice(0, 100));
      upstream.play(line.script);
      const sent = ask();
      await line.asked;
      const seen = await left(sent);
      expect(await line.gone).toBe('left');
      return seen;
    }),
  );

  row('leaves mid-stream', leavesAfter(2, sse(role, says('a'), says(' b'))), { check: metered(2) });
  row(
    'leaves mid-stream, of several choices',
    leavesAfter(4, sse(role, says('a'), says(' b'), says(' c', 1), says(' d', 1))),
    { check: metered(4) },
  );
  row(
    'leaves mid-stream, among the arguments of a tool',
    leavesAfter(2, sse(role, says('a'), callsTool('{"x":1'), says(''))),
    { check: ({ generation }) => expect(generation?.tokens?.['output']).toBeGreaterThan(3) },
  );
  // Four tiles each; and of an address, what the smallest would be.
  row(
    'leaves mid-stream, of a question about pictures',
    leavesAfter(2, sse(role, says('a'), says(' b')), showing(PICTURE, PICTURE, 'https://example.com/a.png')),
    { check: metered(2, 2 * (2833 + 4 * 5667) + 2833) },
  );
  row(
    'leaves mid-stream, when its usage has been reported',
    leavesAfter(3, sse(role, says('a'), says(' b'), counts(says(' c'), usage))),
    { check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 9, output: 3 }) },
  );
  row(
    'leaves mid-stream, when more was said after its usage',
    leavesAfter(3, sse(role, counts(says('a'), tokens(9, 5)), says(' b'), says(' c'))),
    { check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 9, output: 7 }) },
  );

  row('leaves at the finish reason, before its usage', leavesBefore(sse(stop), sse(reports(thought)), THINKER), {
    check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 9, output: 3, reasoning: 500 }),
  });
  row('leaves at the finish reason, and no usage comes', leavesBefore(sse(stop), ': working\n\n'), {
    check: metered(2),
  });
  row(
    'leaves mid-stream, of a model that may hide its reasoning',
    leavesBefore('', sse(says(' c'), stop, reports(thought)), THINKER),
    { check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 9, output: 2, reasoning: 500 }) },
  );

  row(
    'leaves while its settlement is on its way',
    one(async (at) => {
      const [begun, rest] = at.streamed ? [sse(role, says('a')), complete(true)] : ['', complete(false)];
      const line = stays(at.streamed, at.streamed ? begun : undefined);
      at.upstream.play(line.script);
      const sent = at.ask();
      const response = await line.asked;
      if (at.streamed) await expect.poll(() => sent.words(), SOON).toBe(1);
      const goOn = await holdTheLog(at);
      if (!at.streamed) begins(response, false);
      response.end(rest);
      await appendWaits(at);
      const seen = await left(sent);
      await isNoticed(at);
      await goOn();
      return seen;
    }),
    { check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 9, output: 3 }) },
  );

  row(
    'leaves after the last byte',
    one(async ({ upstream, streamed, ask }) => {
      upstream.play(plays(streamed, complete(streamed)));
      const sent = ask();
      const seen = await answered(sent);
      sent.leave();
      return seen;
    }),
  );
});
