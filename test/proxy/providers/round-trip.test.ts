import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chat } from '../../../src/proxy/formats/chat/chat.ts';
import { messages } from '../../../src/proxy/formats/messages/messages.ts';
import { responses } from '../../../src/proxy/formats/responses/responses.ts';
import type { Conversation, Message } from '../../../src/proxy/formats/conversation.ts';
import { isBadRequest, type Format } from '../../../src/proxy/formats/format.ts';
import { parseExact } from '../../../src/proxy/json/exact-json.ts';
import { measureJsonNow } from '../../../src/proxy/json/json-shape.ts';
import { createAnthropicWire } from '../../../src/proxy/providers/anthropic/wire.ts';
import { createGeminiWire } from '../../../src/proxy/providers/gemini/gemini.ts';
import type { Transport, TransportRequest } from '../../../src/proxy/providers/http/transport.ts';
import { createOpenAiWire } from '../../../src/proxy/providers/openai/wire.ts';
import type { Provider } from '../../../src/proxy/providers/provider.ts';
import { readAnthropic } from '../../support/upstreams/read-anthropic.ts';
import { readGemini } from '../../support/upstreams/read-gemini.ts';
import { bodyOf } from '../examples.ts';
import { responsesRequest } from '../formats/responses/request.ts';
import { foreignJob } from './foreign-job.ts';

const readBy = (format: Format, body: Uint8Array): Conversation => {
  const bytes = Buffer.from(body);
  const job = format.read(bytes, measureJsonNow(bytes));
  const conversation = isBadRequest(job) ? job : job.conversation();
  if (!conversation || isBadRequest(conversation)) throw new Error(conversation?.message ?? 'no conversation');
  return conversation;
};

type Dialect = {
  readonly open: (transport: Transport) => Provider;
  readonly read: (request: TransportRequest) => Conversation;
};

const textOf = ({ body }: TransportRequest): string => Buffer.from(body).toString();

/** A dialect with a format for customers is read by that format. */
const dialects = {
  gemini: {
    open: (transport) => createGeminiWire('test', transport),
    read: (request) => readGemini(parseExact(textOf(request)), request.endpoint),
  },
  messages: {
    open: (transport) => createAnthropicWire('test', transport),
    read: (request) => {
      // The scripted upstream refuses what Anthropic would refuse.
      readAnthropic(parseExact(textOf(request)), request.endpoint);
      return readBy(messages, request.body);
    },
  },
  chat: {
    open: (transport) => createOpenAiWire('openrouter', transport, { outputLimitField: 'max_completion_tokens' }),
    read: ({ body }) => readBy(chat, body),
  },
} satisfies Readonly<Record<string, Dialect>>;

type Name = keyof typeof dialects | 'responses';
const names: readonly Name[] = ['gemini', 'messages', 'chat', 'responses'];
const nothing = (): void => undefined;

/** Writes a conversation as the request of a dialect, and reads it back. */
const through = async (conversation: Conversation, { open, read }: Dialect): Promise<Conversation> => {
  let sent: TransportRequest | undefined;
  const provider = open({
    send: (request) => {
      sent = request;
      return Promise.resolve({ status: 500, contentType: 'text/plain', body: bodyOf([]) });
    },
    close: () => Promise.resolve(),
  });
  const job = foreignJob(conversation);
  expect(provider.unsupported(job)).toBeUndefined();
  const watch = { heard: nothing, pause: nothing, expectEnd: nothing, isWanted: true };
  await provider.ask({ job, model: 'm', outputCap: 100, signal: new AbortController().signal, watch });
  if (!sent) throw new Error('nothing was sent');
  return read(sent);
};

/** No request is translated into the responses format, so a client of it writes the request. It has no stop sequences. */
const throughResponses = (conversation: Conversation): Conversation => {
  const read = readBy(responses, Buffer.from(JSON.stringify(responsesRequest(conversation))));
  return { ...read, settings: { ...read.settings, stop: conversation.settings.stop } };
};

const canonical = (json: string): string => JSON.stringify(parseExact(json));

/** What every dialect keeps of a message. */
const kept = (message: Message) => ({
  role: message.role === 'developer' ? 'system' : message.role,
  callId: message.role === 'tool' ? message.callId : undefined,
  parts: message.parts.map((part) => {
    if (part.kind === 'image') return part.source;
    return part.kind === 'tool_call' ? { ...part, arguments: canonical(part.arguments) } : part.text;
  }),
});

const essence = ({ messages: all, tools, settings }: Conversation) => ({
  messages: all.map(kept),
  tools: tools.map((tool) => [tool.name, tool.description, tool.kind === 'function' ? tool.schema : undefined]),
  schema: settings.output?.kind === 'schema' ? settings.output.schema : undefined,
  settings: [settings.temperature, settings.topP, settings.stop],
  choice: settings.toolChoice?.kind === 'auto' ? undefined : settings.toolChoice,
});

const unit = fc.constantFrom(...'ab1 {}[]",:\\\n\u2028ü😀');
/** Anthropic refuses blank texts. */
const text = fc.string({ unit, maxLength: 12 }).map((filling) => `${filling}.`);
const toolName = fc.constantFrom('get_weather', 'run', 'look-up_2');
const doubles = ['0', '-2.5', '1234567'];
/** Doubles cannot represent these, or JSON.stringify writes them otherwise. */
const others = ['1.0', '-2.5e3', '12345678901234567890', '0.1000000000000000055511'];

const argsWith = (numbers: readonly string[]) =>
  fc
    .dictionary(
      fc.string({ unit: fc.constantFrom('a', 'b', 'ü'), minLength: 1, maxLength: 3 }),
      fc.oneof(text, fc.constantFrom(...numbers)),
    )
    .map((fields) =>
      Object.entries(fields).map(([name, value]) => {
        const isNumber = /^[-\d]/.test(value) && !value.endsWith('.');
        return `${JSON.stringify(name)}: ${isNumber ? value : JSON.stringify(value)}`;
      }),
    )
    .map((members) => `{${members.join(', ')}}`);

const picture = fc.oneof(
  fc
    .uint8Array({ minLength: 1, maxLength: 30 })
    .map((bytes) => `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`),
  fc.constantFrom('https://example.com/a.png', 'https://example.com/b.jpg?size=2'),
);
const userPart = fc.oneof(
  { weight: 3, arbitrary: text.map((one) => ({ type: 'text', text: one })) },
  { weight: 1, arbitrary: picture.map((url) => ({ type: 'image_url', image_url: { url } })) },
);
const user = fc
  .oneof(text, fc.array(userPart, { minLength: 1, maxLength: 3 }))
  .map((content) => ({ role: 'user', content }));

/** One turn: what the user writes, steps of parallel tool calls with their results, and the answer. */
const turnWith = (numbers: readonly string[]) =>
  fc.record({
    user,
    steps: fc.array(
      fc.record({
        text: fc.option(text),
        calls: fc.array(fc.record({ toolName, args: argsWith(numbers), result: text }), { minLength: 1, maxLength: 3 }),
      }),
      { maxLength: 2 },
    ),
    answer: text,
  });

const schema = fc
  .dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.constantFrom({ type: 'string' }, { type: 'array', items: { type: 'integer' } }),
  )
  .map((properties) => ({
    ...{ type: 'object', properties, required: Object.keys(properties) },
    additionalProperties: false,
  }));
const tools = fc.uniqueArray(fc.record({ name: toolName, description: text, parameters: schema }), {
  ...{ minLength: 1, maxLength: 3 },
  selector: ({ name }) => name,
});

type Turn = { readonly user: object; readonly steps: readonly Step[]; readonly answer: string };
type Step = {
  readonly text: string | null;
  readonly calls: readonly { readonly toolName: string; readonly args: string; readonly result: string }[];
};

const messagesOf = (turns: readonly Turn[], system: string | null): readonly object[] => {
  const written = turns.flatMap((one, at) => [
    one.user,
    ...one.steps.flatMap(({ text: content, calls }, step) => {
      const id = (index: number): string => `call_${at}_${step}_${index}`;
      const called = calls.map((call, index) => ({
        ...{ id: id(index), type: 'function' },
        function: { name: call.toolName, arguments: call.args },
      }));
      const results = calls.map(({ result }, index) => ({ role: 'tool', tool_call_id: id(index), content: result }));
      return [{ role: 'assistant', content, tool_calls: called }, ...results];
    }),
    { role: 'assistant', content: one.answer },
  ]);
  return [...(system === null ? [] : [{ role: 'system', content: system }]), ...written.slice(0, -1)];
};

const requestWith = (numbers: readonly string[]) =>
  fc
    .record({
      turns: fc.array(turnWith(numbers), { minLength: 1, maxLength: 50, size: 'max' }),
      system: fc.option(text),
      tools,
      output: fc.option(schema),
      temperature: fc.option(fc.constantFrom(0, 0.5, 1), { nil: undefined }),
      stop: fc.option(fc.constant(['END', 'STOP']), { nil: undefined }),
      choice: fc.constantFrom(undefined, 'auto', 'none', 'required'),
    })
    .map(({ turns, system, output, choice, ...rest }) => ({
      ...{ model: 'm', ...rest, messages: messagesOf(turns, system), tool_choice: choice },
      tools: rest.tools.map((called) => ({ type: 'function', function: called })),
      ...(output ? { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: output } } } : {}),
    }));

const comesBack = async (numbers: readonly string[], from: readonly Name[]): Promise<void> => {
  const order = fc.shuffledSubarray([...from], { minLength: from.length });
  await fc.assert(
    fc.asyncProperty(requestWith(numbers), order, async (body, round) => {
      const first = readBy(chat, Buffer.from(JSON.stringify(body)));
      let conversation = first;
      for (const name of round) {
        conversation =
          name === 'responses' ? throughResponses(conversation) : await through(conversation, dialects[name]);
        expect(essence(conversation), name).toEqual(essence(first));
      }
    }),
    { numRuns: 40 },
  );
};

describe('a conversation', () => {
  it('comes back from a round of all dialects with its roles, texts, pictures, tool calls and schemas', () =>
    comesBack(doubles, names));

  it('comes back with every digit of the arguments of tools', () => comesBack(others, ['gemini', 'chat', 'responses']));
});
