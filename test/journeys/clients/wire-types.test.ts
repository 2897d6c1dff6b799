import { createParser } from 'eventsource-parser';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Customer } from '../../support/customers/audit.ts';
import { dialects, houseOnUpstreams, type HouseOnUpstreams } from '../../support/upstreams/house.ts';
import type { Turn } from '../../support/upstreams/turn.ts';
import { typeErrors, type Recorded } from './type-errors.ts';

let at: HouseOnUpstreams;
let customer: Customer;
beforeAll(async () => {
  at = await houseOnUpstreams();
  customer = await at.house.gateway.openAccount('100.00');
});

const question = 'How are you in Oslo?';
const chat = { messages: [{ role: 'user', content: question }] };
/** All that an answer may have. */
const turn: Turn = {
  thinking: { text: 'Let me see.', signature: 'sig' },
  texts: ['I shall ', 'look.'],
  calls: [
    { id: 'call_a', name: 'f', arguments: { x: 1 } },
    { id: 'call_b', name: 'f', arguments: { x: 2 } },
  ],
  usage: { input: 12, cached: 3, output: 60, reasoning: 8 },
};

type Event = { readonly type: string; readonly sequence_number?: number; readonly output_index?: number };

const send = async (path: string, body?: object): Promise<string> => {
  const headers = { authorization: `Bearer ${customer.apiKey}`, 'content-type': 'application/json' };
  const sent = body ? { method: 'POST', body: JSON.stringify(body) } : {};
  const response = await fetch(`${at.house.gateway.url}/v1${path}`, { headers, ...sent });
  return response.text();
};
const json = async (path: string, body?: object): Promise<unknown> => JSON.parse(await send(path, body));
const streamed = async (path: string, body: object): Promise<readonly string[]> => {
  const events: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => events.push(data) });
  parser.feed(await send(path, { ...body, stream: true }));
  return events;
};
const typed = (events: readonly string[]): readonly Event[] => events.map((data) => JSON.parse(data) as Event);

/** The types of the events, without repetitions. */
const order = (events: readonly Event[]): readonly string[] =>
  events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);

const message = [
  ...['response.output_item.added', 'response.content_part.added', 'response.output_text.delta'],
  ...['response.output_text.done', 'response.content_part.done', 'response.output_item.done'],
];
const call = [
  ...['response.output_item.added', 'response.function_call_arguments.delta'],
  ...['response.function_call_arguments.done', 'response.output_item.done'],
];
const reasoning = [
  ...['response.output_item.added', 'response.reasoning_summary_part.added', 'response.reasoning_summary_text.delta'],
  ...['response.reasoning_summary_text.done', 'response.reasoning_summary_part.done', 'response.output_item.done'],
];
const block = ['content_block_start', 'content_block_delta', 'content_block_stop'];

describe.each(dialects)('answers of an upstream with the wire format of $dialect', ({ dialect, model }) => {
  const play = (): void => at.upstreams[dialect].play(turn);

  it('have the types of the clients, whole and in each event, in the order that the clients expect', async () => {
    const recorded: Recorded[] = [];
    const add = (type: Recorded['type'], ...values: readonly unknown[]) =>
      recorded.push(...values.map((value) => ({ type, value })));

    play();
    add('ChatCompletion', await json('/chat/completions', { model, ...chat }));
    play();
    const options = { stream_options: { include_usage: true } };
    const chunks = await streamed('/chat/completions', { model, ...chat, ...options });
    expect(chunks.at(-1)).toBe('[DONE]');
    const parsed = chunks.slice(0, -1).map((data) => JSON.parse(data) as unknown);
    expect(parsed[0]).toMatchObject({ choices: [{ delta: { role: 'assistant' } }] });
    expect(parsed.slice(-2)).toMatchObject([
      { choices: [{ finish_reason: 'tool_calls' }] },
      { choices: [], usage: { total_tokens: 83 } },
    ]);
    add('ChatCompletionChunk', ...parsed);

    play();
    add('Response', await json('/responses', { model, input: question }));
    play();
    const events = typed(await streamed('/responses', { model, input: question }));
    // Parallel calls may take turns, so the order is that of each item.
    const items = Map.groupBy(events, ({ output_index: index }) => index ?? 'response');
    expect([...items.values()].map(order)).toEqual([
      ['response.created', 'response.in_progress', 'response.completed'],
      ...[reasoning, message, call, call],
    ]);
    expect(events.at(-1)?.type).toBe('response.completed');
    expect(events.map(({ sequence_number: number }) => number)).toEqual([...events.keys()]);
    add('ResponseStreamEvent', ...events);

    play();
    const whole = await json('/messages', { model, max_tokens: 2000, ...chat });
    // What Anthropic sends is passed on as it is, and it leaves out fields that its client declares.
    if (dialect !== 'anthropic') add('Message', whole);
    play();
    const all = typed(await streamed('/messages', { model, max_tokens: 2000, ...chat }));
    const messageEvents = all.filter(({ type }) => type !== 'ping');
    expect(order(messageEvents)).toEqual([
      'message_start',
      // Google signs the part after its thoughts, which is a block of its own.
      ...Array.from({ length: dialect === 'gemini' ? 5 : 4 }, () => block).flat(),
      ...['message_delta', 'message_stop'],
    ]);
    if (dialect !== 'anthropic') add('RawMessageStreamEvent', ...messageEvents);

    expect(typeErrors(recorded)).toEqual([]);
  });
});

it('models, and errors of each format, have the types of the clients', async () => {
  const models = (await json('/models')) as { readonly data: readonly unknown[] };
  expect(models.data.length).toBeGreaterThan(3);
  const recorded: readonly Recorded[] = [
    ...models.data.map((value) => ({ type: 'Model' as const, value })),
    { type: 'Model', value: await json('/models/gpt-4o-mini') },
    { type: 'OpenAiError', value: await json('/chat/completions', {}) },
    { type: 'OpenAiError', value: await json('/responses', {}) },
    { type: 'ErrorResponse', value: await json('/messages', {}) },
  ];
  expect(typeErrors(recorded)).toEqual([]);
});

it('the check finds a value of another type, a missing field, and accepts further fields', () => {
  const model = { id: 'm', object: 'model', created: 1, owned_by: 'x', more: { further: [1] } };
  expect(typeErrors([{ type: 'Model', value: model }])).toEqual([]);
  for (const wrong of [{ ...model, created: '1' }, { ...model, object: 'other' }, { id: 'm' }]) {
    expect(typeErrors([{ type: 'Model', value: wrong }])).toHaveLength(1);
  }
});
