import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { describe, expect, it } from 'vitest';
import { chunk, sse, usage } from '../../examples.ts';
import { serve } from './served.ts';

const end = (finish: string) => [
  chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: finish }] }),
  chunk({}, { choices: [], usage: usage(9, 3) }),
  '[DONE]',
];
const calls = (index: number, id: string, city: string) =>
  chunk({ tool_calls: [{ index, id, function: { name: 'weather', arguments: JSON.stringify({ city }) } }] });

/** The AI SDK, whose default is this format, on a provider that has chats. */
const modelOn = (answers: readonly string[]) => {
  const asked: unknown[] = [];
  const provider = createOpenAI({
    ...{ apiKey: 'k', baseURL: 'http://test/v1' },
    fetch: async (_, init) => {
      const body = JSON.parse(String(init?.body)) as object;
      const answer = answers[asked.length] ?? '';
      const { written, answered, upstream } = await serve(body, { answer });
      asked.push(upstream.sent[0]?.body);
      if (answered.kind === 'problem') throw new Error(JSON.stringify(answered.problem));
      const type = written.startsWith('{') ? 'application/json' : 'text/event-stream';
      return new Response(written, { headers: { 'content-type': type } });
    },
  });
  return { model: provider('m'), asked };
};

const weather = tool({
  description: 'The weather of a city.',
  inputSchema: jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } } }),
  execute: ({ city }) => Promise.resolve(`${city}: sun`),
});

const options = { prompt: 'How is it?', tools: { weather }, stopWhen: stepCountIs(3), maxRetries: 0 };

describe('the AI SDK by default', () => {
  const answers = [
    sse(chunk({ reasoning: 'Hm.' }), calls(0, 'c1', 'Rome'), calls(1, 'c2', 'Oslo'), ...end('tool_calls')),
    sse(chunk({ content: 'Sun ' }), chunk({ content: 'everywhere.' }), ...end('stop')),
  ];

  it('streams, calls tools in parallel and goes on', async () => {
    const { model, asked } = modelOn(answers);
    const stream = streamText({ model, ...options });
    expect(await stream.text).toBe('Sun everywhere.');
    expect((await stream.steps).map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
    expect(asked[1]).toMatchObject({
      messages: [
        { role: 'user' },
        { role: 'assistant', tool_calls: [{ id: 'c1' }, { id: 'c2' }] },
        { role: 'tool', tool_call_id: 'c1', content: 'Rome: sun' },
        { role: 'tool', tool_call_id: 'c2', content: 'Oslo: sun' },
      ],
    });
  });

  it('reads whole answers', async () => {
    const { model } = modelOn(answers);
    const { text, usage: counted } = await generateText({ model, ...options });
    expect(text).toBe('Sun everywhere.');
    expect(counted).toMatchObject({ inputTokens: 18, outputTokens: 6 });
  });
});
