import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditedOne, type Customer, type Ended } from '../../support/customers/audit.ts';
import { createHouse, type House } from '../../support/house.ts';
import { createScriptedUpstream, type Script, type ScriptedUpstream } from '../../support/scripted-upstream.ts';
import { SOON } from '../../support/soon.ts';
import { send, type Answer, type Sent } from '../../support/traffic.ts';
import { begins, breaks, complete, plays, role, says, sse, stays, usage } from './support/wire.ts';

const model = 'gpt-4o-mini';
const messages = [{ role: 'user', content: 'How are you?' }];

/** The events of a native response, up to its words, and its end. */
const event = (type: string, members: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
const response = (status: string, more: object = {}) => ({
  response: { id: 'resp_1', object: 'response', created_at: 1, model, status, output: [], ...more },
});
const begun = [
  event('response.created', response('in_progress')),
  event('response.output_item.added', {
    output_index: 0,
    item: { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] },
  }),
].join('');
const word = (delta: string): string =>
  event('response.output_text.delta', { item_id: 'msg_1', output_index: 0, content_index: 0, delta, logprobs: [] });
const text = 'a b c';
const output = [
  {
    ...{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' },
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  },
];
const reported = { input_tokens: 9, output_tokens: 3, total_tokens: 12 };
const ended = { output, usage: reported };

type Wire = {
  /** The start of a stream with so many words. */
  readonly partly: (words: readonly string[]) => string;
  readonly whole: (streamed: boolean) => string;
};

const ofChat: Wire = {
  partly: (words) => sse(role, ...words.map((one) => says(one))),
  whole: (streamed) => complete(streamed, usage),
};
const ofResponses: Wire = {
  partly: (words) => begun + words.map(word).join(''),
  whole: (streamed) =>
    streamed
      ? begun + ['a', ' b', ' c'].map(word).join('') + event('response.completed', response('completed', ended))
      : JSON.stringify(response('completed', ended).response),
};

type Tested = {
  readonly path: string;
  readonly wire: Wire;
  readonly body: (streamed: boolean) => object;
  /** The type of the event that breaks a stream off, and of the one that ends it in order. */
  readonly broken: RegExp;
  readonly complete: RegExp;
};

/** Each format as its customers use it. The provider has the responses format itself, and messages become chats. */
const formats: readonly Tested[] = [
  {
    ...{ path: '/chat/completions', wire: ofChat, broken: /^data: \{"error":/m, complete: /^data: \[DONE\]/m },
    body: (stream) => ({ model, messages, stream, ...(stream ? { stream_options: { include_usage: true } } : {}) }),
  },
  {
    ...{ path: '/messages', wire: ofChat, broken: /^event: error$/m, complete: /^event: message_stop$/m },
    body: (stream) => ({ model, messages, stream, max_tokens: 10_000 }),
  },
  {
    ...{ path: '/responses', wire: ofResponses, broken: /^event: error$/m },
    complete: /^event: response\.(?:completed|incomplete)$/m,
    body: (stream) => ({ model, input: 'How are you?', stream }),
  },
];

describe.each(formats)('a generation in the format of $path', ({ path, wire, body, broken, complete: completed }) => {
  let house: House;
  let upstream: ScriptedUpstream;
  beforeAll(async () => {
    upstream = await createScriptedUpstream();
    house = await createHouse({ OPENAI_UPSTREAM_URL: upstream.url });
  });
  afterAll(async () => {
    await house.close();
    await upstream.close();
  });

  const play = async (
    streamed: boolean,
    script: Script,
    act: (sent: Sent) => Promise<Answer> = (sent) => sent.answer,
    usd = '5.00',
  ): Promise<{ readonly answer: Answer; readonly generation: Ended; readonly customer: Customer }> => {
    const customer = await house.gateway.openAccount(usd);
    upstream.play(script);
    const { result: answer, generation } = await auditedOne(house, customer, () =>
      act(send(house.gateway, customer.apiKey, path, body(streamed))),
    );
    return { answer, generation, customer };
  };

  it.each([true, false])('is charged what was reported if it completes (streamed: %s)', async (streamed) => {
    const { answer, generation } = await play(streamed, plays(streamed, wire.whole(streamed)));
    expect(answer.status).toBe(200);
    expect(generation.tokens).toMatchObject({ input: 9, output: 3 });
    expect(generation.delivery).toMatchObject({ ended: 'completed', usage_source: 'reported' });
    if (streamed) expect(answer.body).toMatch(completed);
    expect(answer.body).toContain('"cost_usd":"');
  });

  it('is charged what was delivered if the provider breaks off mid-stream, and ends with an error', async () => {
    const { answer, generation } = await play(true, breaks(true, wire.partly(['a', ' b'])));
    expect(generation.delivery).toMatchObject({ ended: 'upstream_broke', usage_source: 'metered' });
    expect(generation.tokens).toMatchObject({ output: 2 });
    expect(answer.body).toMatch(broken);
    expect(answer.body).not.toMatch(completed);
  });

  it('costs nothing if the provider breaks off within an answer in one piece', async () => {
    const { answer, generation } = await play(false, breaks(false, wire.whole(false).slice(0, 40)));
    expect(answer.status).toBe(502);
    expect(generation).toMatchObject({ by: 'HoldReleased', reason: 'upstream_failed' });
  });

  it('costs nothing if the provider refuses the request, whose error has the shape of the format', async () => {
    const { answer, generation } = await play(true, (response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"Too long.","type":"invalid_request_error","param":null,"code":"x"}}');
    });
    expect(answer.status).toBe(400);
    const error = JSON.parse(answer.body) as { type?: string; error: { message: string } };
    expect(error.error.message).toBe('Too long.');
    expect(error.type).toBe(path === '/messages' ? 'error' : undefined);
    expect(generation).toMatchObject({ by: 'HoldReleased', reason: 'upstream_refused' });
  });

  it('is charged what was delivered if the customer leaves mid-stream, and the provider is left', async () => {
    const line = stays(true, wire.partly(['a', ' b']));
    const { generation } = await play(true, line.script, async (sent) => {
      await expect.poll(() => sent.words(), SOON).toBeGreaterThan(1);
      sent.leave();
      expect(await line.gone).toBe('left');
      return sent.answer;
    });
    expect(generation.delivery).toMatchObject({ ended: 'client_gone', usage_source: 'metered' });
    expect(generation.tokens).toMatchObject({ output: 2 });
  });

  it('ends in order with what the credits pay for, with the reason', async () => {
    const endless: Script = (response) => {
      begins(response, true).write(wire.partly(Array.from({ length: 5000 }, (_, n) => ` w${n}`)));
    };
    const { answer, generation } = await play(true, endless, (sent) => sent.answer, '0.002');
    expect(generation.delivery).toMatchObject({ ended: 'out_of_credits', finish_reason: 'length' });
    expect(answer.body).toMatch(completed);
    expect(answer.body).toContain('credit_balance_exhausted');
  });
});
