import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AssistantPart } from '../../../../src/proxy/formats/conversation.ts';
import { messages } from '../../../../src/proxy/formats/messages/messages.ts';
import type { DeltaEvent, Piece } from '../../../../src/proxy/providers/provider.ts';
import { goodJob } from '../../examples.ts';

const job = goodJob(
  { model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'x' }] },
  '/messages',
);
const frame = { id: 'gen-1', model: 'm', createdAt: new Date(0) };
const settlement = {
  charged: 1_500_000n,
  usage: { input: 9, cachedInput: 4, cacheWrite: 2, output: 3, reasoning: 1 },
};

const stream = () => {
  if (!messages.stream) throw new Error('it has streams');
  return messages.stream;
};

/** The message that Anthropic's client makes of a stream. */
const read = (body: string): Promise<Anthropic.Message> => {
  const answer = new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  const client = new Anthropic({
    apiKey: 'k',
    baseURL: 'http://gateway.test',
    maxRetries: 0,
    fetch: async () => answer,
  });
  return client.messages.stream({ model: 'm', max_tokens: 9, messages: [] }).finalMessage();
};

/** Without what the client adds. */
const plainly = (message: Anthropic.Message): unknown =>
  JSON.parse(JSON.stringify(message, (name, value: unknown) => (/^parsed/.test(name) ? undefined : value)));

const eventsOf = (body: string): readonly { readonly type: string; readonly index?: number }[] =>
  body
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => JSON.parse(event.slice(event.indexOf('data: ') + 6)) as { readonly type: string });

const delta = (pieces: readonly Piece[], finishReason: string | null = null): DeltaEvent => ({
  ...{ kind: 'delta', parts: [{ choice: 0, text: '', finishReason, pieces }], wire: undefined },
});

const write = (finishReason: string, ...pieces: readonly Piece[]): string => {
  const writer = stream().open(job);
  const deltas = pieces.map((piece) => writer.writeDelta(frame, delta([piece]))).join('');
  return deltas + writer.writeDelta(frame, delta([], finishReason)) + writer.writeEnd(frame, settlement, undefined);
};

const gather = (body: string): string => {
  const gathering = stream().gather();
  gathering.feed(body);
  return gathering.answer();
};

const word = fc.string({ minLength: 1, maxLength: 8 });
const part: fc.Arbitrary<AssistantPart> = fc.oneof(
  word.map((text) => ({ kind: 'text' as const, text })),
  fc.record({ kind: fc.constant('thinking' as const), text: word }),
  word.map((value) => ({ kind: 'thinking' as const, text: 'thoughts', signature: { from: 'openai' as const, value } })),
  word.map((value) => ({
    ...{ kind: 'thinking' as const, text: '', redacted: true, signature: { from: 'anthropic' as const, value } },
  })),
  fc.record({
    ...{ kind: fc.constant('tool_call' as const), id: word, name: word },
    arguments: fc.dictionary(word, fc.oneof(word, fc.integer())).map((input) => JSON.stringify(input)),
  }),
);

/** Parts that do not continue each other, as pieces: texts and arguments in two. */
const piecesOf = (parts: readonly AssistantPart[]): readonly Piece[] =>
  parts.flatMap((one, index): readonly Piece[] => {
    const halves = (text: string): readonly string[] => [text.slice(0, text.length / 2), text.slice(text.length / 2)];
    if (one.kind === 'text') return halves(one.text).map((text) => ({ kind: 'text', text }));
    if (one.kind === 'tool_call') {
      const { id, name } = one;
      const json = halves(one.arguments).map((text) => ({ kind: 'tool_call' as const, index, arguments: text }));
      return [{ kind: 'tool_call', index, id, name }, ...json];
    }
    if (one.kind === 'refusal') return [{ kind: 'refusal', text: one.text }];
    const { text, signature, redacted } = one;
    if (redacted === true && signature) return [{ kind: 'thinking', text, signature, redacted }];
    return [{ kind: 'thinking', text }, ...(signature ? [{ kind: 'thinking' as const, text: '', signature }] : [])];
  });

const continues = (one: AssistantPart, next: AssistantPart): boolean =>
  one.kind === next.kind && one.kind !== 'tool_call' && !(one.kind === 'thinking' && one.signature);

describe("a stream in Anthropic's shape", () => {
  it('gives the same message as a whole answer, in pieces and from one piece', async () => {
    const parts = fc.array(part, { maxLength: 6 }).map((all) =>
      all.reduce<AssistantPart[]>((kept, one) => {
        const last = kept.at(-1);
        return last && continues(last, one) ? kept : [...kept, one];
      }, []),
    );
    await fc.assert(
      fc.asyncProperty(parts, fc.constantFrom('stop', 'length', 'content_filter'), async (all, finishReason) => {
        const answer = messages.writeAnswer(frame, { choices: [{ parts: all, finishReason }] }, job);
        const whole = JSON.parse(messages.addSettlement(answer, settlement)) as Anthropic.Message;
        const plain = { ...whole, usage: expect.objectContaining({ input_tokens: 9, output_tokens: 4 }) as unknown };
        expect(plainly(await read(write(finishReason, ...piecesOf(all))))).toEqual(plain);
        const once = stream().fromAnswer(messages.addSettlement(answer, settlement), true);
        expect(plainly(await read(once))).toEqual(plain);
        expect(JSON.parse(gather(write(finishReason, ...piecesOf(all))))).toEqual(plain);
      }),
      { numRuns: 50 },
    );
  });

  it('opens and closes its blocks one after the other', () => {
    const events = eventsOf(
      write(
        'tool_calls',
        { kind: 'thinking', text: 'hm' },
        { kind: 'text', text: 'I ' },
        { kind: 'text', text: 'look.' },
        { kind: 'tool_call', index: 0, id: 'a', name: 'f', arguments: '{}' },
        { kind: 'tool_call', index: 1, id: 'b', name: 'g', arguments: '{}' },
      ),
    );
    expect(events.map(({ type, index }) => `${type} ${index ?? ''}`.trim())).toEqual([
      'message_start',
      ...['content_block_start 0', 'content_block_delta 0', 'content_block_stop 0'],
      ...['content_block_start 1', 'content_block_delta 1', 'content_block_delta 1', 'content_block_stop 1'],
      ...['content_block_start 2', 'content_block_delta 2', 'content_block_stop 2'],
      ...['content_block_start 3', 'content_block_delta 3', 'content_block_stop 3'],
      ...['message_delta', 'message_stop'],
    ]);
  });

  it('states the usage without what came from a cache, and the cost', () => {
    const [ending] = eventsOf(write('stop', { kind: 'text', text: 'x' })).filter(
      ({ type }) => type === 'message_delta',
    );
    expect(ending).toMatchObject({
      delta: { stop_reason: 'end_turn' },
      usage: {
        ...{ input_tokens: 9, cache_read_input_tokens: 4, cache_creation_input_tokens: 2, output_tokens: 4 },
        ...{ output_tokens_details: { thinking_tokens: 1 }, cost: 0.0015, cost_usd: '0.0015' },
      },
    });
  });

  it('ends with tool_use after tool calls, whatever the provider names as the reason', async () => {
    const call: Piece = { kind: 'tool_call', index: 0, id: 'a', name: 'f', arguments: '{"n":12345678901234567890}' };
    const body = write('stop', call);
    expect((await read(body)).stop_reason).toBe('tool_use');
    expect(body).toContain('{\\"n\\":12345678901234567890}');
  });

  const notice = { generationId: 'gen-1', error: { code: 'insufficient_credits' } };
  const native = (type: string, more: object): DeltaEvent => ({
    ...{ kind: 'delta', parts: [], wire: () => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n` },
  });

  it.each<[string, readonly DeltaEvent[]]>([
    ['of another dialect', [delta([{ kind: 'text', text: 'one ' }])]],
    [
      'of the same dialect',
      [
        native('message_start', {
          message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], usage: {} },
        }),
        native('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
        native('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'one ' } }),
      ],
    ],
    ['without any content', []],
  ])('closes a stream %s that a limit cuts, and states why', async (_, deltas) => {
    const writer = stream().open(job);
    const begun = deltas.map((one) => writer.writeDelta(frame, one)).join('');
    const body = begun + writer.writeCut(frame, [0], notice) + writer.writeEnd(frame, settlement, undefined);
    const events = eventsOf(body);
    const blocks = deltas.length === 0 ? [] : ['content_block_start', 'content_block_delta', 'content_block_stop'];
    expect(events.map(({ type }) => type)).toEqual(['message_start', ...blocks, 'message_delta', 'message_stop']);
    expect(events.at(-2)).toMatchObject({ kissapi: { generation_id: 'gen-1', error: notice.error } });
    expect((await read(body)).stop_reason).toBe('max_tokens');
  });

  it('is assembled although a limit cuts the input of a tool', () => {
    const writer = stream().open(job);
    const cut: Piece = { kind: 'tool_call', index: 0, id: 'a', name: 'f', arguments: '{"city":"Be' };
    const begun = writer.writeDelta(frame, delta([cut])) + writer.writeCut(frame, [0], notice);
    const message = JSON.parse(gather(begun + writer.writeEnd(frame, settlement, undefined))) as unknown;
    expect(message).toMatchObject({ stop_reason: 'max_tokens', content: [{ type: 'tool_use', input: '{"city":"Be' }] });
  });

  it('begins with a message, although the provider leaves it out', async () => {
    const writer = stream().open(job);
    const body = [
      native('content_block_start', { index: 0, content_block: { type: 'text', text: 'one' } }),
      native('content_block_stop', { index: 0 }),
    ].map((event) => writer.writeDelta(frame, event));
    expect((await read(body.join('') + writer.writeEnd(frame, settlement, undefined))).content).toHaveLength(1);
  });

  it('is written of any answer in one piece', () => {
    const odd = messages.addSettlement('{"id":"a","content":[null,"x",{"type":"verse","verse":1}]}', settlement);
    expect(eventsOf(stream().fromAnswer(odd, true)).at(-1)).toEqual({ type: 'message_stop' });
  });

  it('breaks off with a named event, and no end', async () => {
    const writer = stream().open(job);
    const body =
      writer.writeDelta(frame, delta([{ kind: 'text', text: 'one' }])) +
      writer.writeError('{"type":"error","error":{"type":"api_error","message":"The provider failed."}}');
    await expect(read(body)).rejects.toThrow('The provider failed.');
  });
});
