import { readJob } from '../../proxy/examples.ts';
import { isBadRequest } from '../../../src/proxy/formats/format.ts';
import {
  BadBody,
  check,
  finishOf,
  halves,
  usageOf,
  type Asked,
  type Call,
  type Dialect,
  type Failure,
  type Turn,
} from './turn.ts';
import { createUpstream, type Upstream } from './upstream.ts';

export const createOpenAiUpstream = (options?: { readonly port?: number }): Promise<Upstream> =>
  createUpstream(openAi, options);

/** The chat format has a reader of its own, which has tests of its own. */
const read = (body: unknown, path: string): Asked => {
  check(path.endsWith('/chat/completions'), `no such path: ${path}`);
  const job = readJob('/chat/completions', Buffer.from(JSON.stringify(body)));
  if (isBadRequest(job)) throw new BadBody(job.message);
  const conversation = job.conversation();
  if (!conversation || isBadRequest(conversation)) throw new BadBody(conversation?.message ?? 'no conversation');
  checkResults(conversation.messages);
  const { model, streamed, maxOutputTokens } = job;
  return { ...conversation, model, streamed, maxOutputTokens };
};

/** The results of all calls of a message follow it. */
const checkResults = (messages: Asked['messages']): void => {
  for (const [index, message] of messages.entries()) {
    if (message.role !== 'assistant' || index === messages.length - 1) continue;
    const calls = message.parts.flatMap((part) => (part.kind === 'tool_call' ? [part.id] : []));
    const next = messages.slice(index + 1, index + 1 + calls.length);
    const results = next.flatMap((one) => (one.role === 'tool' ? [one.callId] : []));
    check(
      calls.every((id) => results.includes(id)),
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
    );
  }
};

const usage = (turn: Turn): unknown =>
  usageOf(turn, ({ input, cached, written, output, reasoning }) => ({
    prompt_tokens: input + cached + written,
    completion_tokens: output + reasoning,
    total_tokens: input + cached + written + output + reasoning,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: 0 },
  }));

const callOf = ({ id, name, arguments: args }: Call) => ({
  ...{ id, type: 'function' },
  function: { name, arguments: JSON.stringify(args) },
});

/** The first piece of a call has its id and name, and the next ones its arguments. */
const callDeltas = (call: Call, index: number): readonly object[] => {
  const { id, type, function: called } = callOf(call);
  const first = { index, id, type, function: { name: called.name, arguments: '' } };
  return [first, ...halves(called.arguments).map((text) => ({ index, function: { arguments: text } }))].map(
    (piece) => ({
      tool_calls: [piece],
    }),
  );
};

const deltasOf = ({ thinking, texts = [], calls = [] }: Turn): readonly object[] => [
  ...(thinking ? [{ reasoning_content: thinking.text }] : []),
  ...texts.map((content) => ({ content })),
  ...calls.flatMap(callDeltas),
];

const frame = (object: string, { model }: Asked) => ({
  id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
  object,
  created: 1,
  model,
});
const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

const errors: Readonly<Record<Failure['failure'], readonly [number, string, string | null, string]>> = {
  request: [400, 'invalid_request_error', null, 'messages is invalid'],
  key: [401, 'invalid_request_error', 'invalid_api_key', 'Incorrect API key provided: sk-secret.'],
  credit: [429, 'insufficient_quota', 'insufficient_quota', 'You exceeded your current quota.'],
  rate: [429, 'requests', 'rate_limit_exceeded', 'Rate limit reached in organization org-1.'],
  overloaded: [503, 'server_error', null, 'The engine is currently overloaded.'],
  broken: [500, 'server_error', null, 'The server had an error.'],
};

/** OpenAI's chat completions. */
const openAi: Dialect = {
  version: '/v1',
  read,
  hasKey: (headers) => /^Bearer ./.test(String(headers['authorization'])),
  whole: (turn, asked) => ({
    ...frame('chat.completion', asked),
    choices: [
      { index: 0, message: messageOf(turn), logprobs: null, finish_reason: turn.nativeFinish ?? finishOf(turn) },
    ],
    usage: usage(turn),
    service_tier: 'default',
  }),
  events: (turn, asked) => {
    const chunk = (delta: object, reason: string | null = null): string =>
      event({
        ...frame('chat.completion.chunk', asked),
        choices: [{ index: 0, delta, finish_reason: reason }],
        usage: null,
      });
    return {
      head: [chunk({ role: 'assistant', content: '' })],
      content: deltasOf(turn).map((delta) => chunk(delta)),
      tail: [
        chunk({}, turn.nativeFinish ?? finishOf(turn)),
        event({ ...frame('chat.completion.chunk', asked), choices: [], usage: usage(turn) }),
        'data: [DONE]\n\n',
      ],
    };
  },
  brokenEvent: event({ error: { message: 'The server had an error.', type: 'server_error', param: null, code: null } }),
  failure: ({ failure, message }) => {
    const [status, type, code, text] = errors[failure];
    return {
      status,
      body: { error: { message: message ?? text, type, param: null, code } },
      headers: failure === 'rate' ? { 'retry-after': '2' } : {},
    };
  },
};

const messageOf = ({ thinking, texts = [], calls = [] }: Turn) => ({
  role: 'assistant',
  content: texts.length > 0 ? texts.join('') : null,
  refusal: null,
  ...(thinking ? { reasoning_content: thinking.text } : {}),
  ...(calls.length > 0 ? { tool_calls: calls.map(callOf) } : {}),
});
