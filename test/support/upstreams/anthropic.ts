import { readAnthropic } from './read-anthropic.ts';
import { finishOf, halves, usageOf, type Call, type Dialect, type Failure, type Turn } from './turn.ts';
import { createUpstream, type Upstream } from './upstream.ts';

export const createAnthropicUpstream = (options?: { readonly port?: number }): Promise<Upstream> =>
  createUpstream(anthropic, options);

const reasons = { stop: 'end_turn', tool_calls: 'tool_use', length: 'max_tokens', content_filter: 'refusal' } as const;

const usage = (turn: Turn): unknown =>
  usageOf(turn, ({ input, cached, written, output, reasoning }) => ({
    input_tokens: input,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 },
    output_tokens: output + reasoning,
    output_tokens_details: { thinking_tokens: reasoning },
    service_tier: 'standard',
  }));

/** At the start of a stream, hardly any output is counted. A script that lies does so from the start. */
const usageAtStart = (turn: Turn): unknown =>
  usageOf(turn, ({ input, cached, written }) => ({
    input_tokens: input,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 },
    output_tokens: 1,
    service_tier: 'standard',
  }));

type Block = { readonly start: object; readonly deltas: readonly object[]; readonly whole: object };

const toolBlock = ({ id, name, arguments: input }: Call): Block => ({
  start: { type: 'tool_use', id, name, input: {} },
  deltas: ['', ...halves(JSON.stringify(input))].map((json) => ({ type: 'input_json_delta', partial_json: json })),
  whole: { type: 'tool_use', id, name, input },
});

const blocksOf = ({ thinking, texts = [], calls = [] }: Turn): readonly Block[] => {
  const { text: thought = '', signature = '' } = thinking ?? {};
  const text = texts.join('');
  return [
    ...(thinking
      ? [
          {
            start: { type: 'thinking', thinking: '', signature: '' },
            deltas: [
              { type: 'thinking_delta', thinking: thought },
              { type: 'signature_delta', signature },
            ],
            whole: { type: 'thinking', thinking: thought, signature },
          },
        ]
      : []),
    ...(texts.length > 0
      ? [
          {
            start: { type: 'text', text: '' },
            deltas: texts.map((piece) => ({ type: 'text_delta', text: piece })),
            whole: { type: 'text', text },
          },
        ]
      : []),
    ...calls.map(toolBlock),
  ];
};

const event = (data: { readonly type: string } & Record<string, unknown>): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

const eventsOf = ({ start, deltas }: Block, index: number): readonly string[] => [
  event({ type: 'content_block_start', index, content_block: start }),
  ...deltas.map((delta) => event({ type: 'content_block_delta', index, delta })),
  event({ type: 'content_block_stop', index }),
];

const message = (turn: Turn, model: string) => ({
  ...{ id: 'msg_01XFDUDYJgAACzvnptvVoYEL', type: 'message', role: 'assistant', model },
  stop_reason: turn.nativeFinish ?? reasons[finishOf(turn)],
  stop_sequence: null,
});

const errors: Readonly<Record<Failure['failure'], readonly [number, string, string]>> = {
  request: [400, 'invalid_request_error', 'messages: at least one message is required'],
  key: [401, 'authentication_error', 'invalid x-api-key'],
  credit: [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'],
  rate: [429, 'rate_limit_error', "This request would exceed your organization's rate limit."],
  overloaded: [529, 'overloaded_error', 'Overloaded'],
  broken: [500, 'api_error', 'Internal server error'],
};

const errorOf = (type: string, text: string) => ({
  type: 'error',
  error: { type, message: text },
  request_id: 'req_011CSHoEeqs5C35K2UUqR7Fy',
});

/** Anthropic's Messages, as https://docs.claude.com/en/api/messages describes it. */
const anthropic: Dialect = {
  version: '/v1',
  read: readAnthropic,
  hasKey: (headers) => typeof headers['x-api-key'] === 'string' && typeof headers['anthropic-version'] === 'string',
  whole: (turn, { model }) => ({
    ...message(turn, model),
    content: blocksOf(turn).map(({ whole }) => whole),
    usage: usage(turn),
  }),
  events: (turn, { model }) => {
    const { stop_reason: reason, ...begun } = message(turn, model);
    const start = { ...begun, content: [], stop_reason: null, usage: usageAtStart(turn) };
    const [first = [], ...rest] = blocksOf(turn).map(eventsOf);
    // The first piece of content comes with the start of its block.
    const [blockStart = '', ...deltas] = first;
    return {
      head: [event({ type: 'message_start', message: start }), event({ type: 'ping' })],
      content: [`${blockStart}${deltas[0] ?? ''}`, ...deltas.slice(1), ...rest.flat()],
      tail: [
        event({ type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage: usage(turn) }),
        event({ type: 'message_stop' }),
      ],
    };
  },
  brokenEvent: event(errorOf('overloaded_error', 'Overloaded')),
  failure: ({ failure, message: text }) => {
    const [status, type, ordinary] = errors[failure];
    const headers = failure === 'rate' ? { 'retry-after': '2' } : {};
    return { status, body: errorOf(type, text ?? ordinary), headers };
  },
};
