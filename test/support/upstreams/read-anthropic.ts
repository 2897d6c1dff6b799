import type {
  AssistantPart,
  ImagePart,
  Message,
  Settings,
  TextPart,
  Tool,
  ToolResult,
} from '../../../src/proxy/formats/conversation.ts';
import { BadBody, check, checkFields, object, type Asked, type Json } from './turn.ts';

/** A text stands for one block of text. */
const blocks = (value: unknown): readonly Json[] =>
  typeof value === 'string' ? [{ type: 'text', text: value }] : Array.isArray(value) ? (value as Json[]) : [];

const topFields = [
  ...['model', 'messages', 'system', 'max_tokens', 'stream', 'temperature', 'top_p', 'top_k', 'stop_sequences'],
  ...['tools', 'tool_choice', 'thinking', 'output_config', 'metadata', 'service_tier', 'cache_control'],
];

/** Reads a request of Anthropic's wire format, and refuses what Anthropic refuses. */
export const readAnthropic = (body: unknown, path: string): Asked => {
  const fields = object(body);
  check(/\/messages(?:\?beta=true)?$/.test(path), `no such path: ${path}`);
  checkFields(fields, topFields, 'request');
  const { max_tokens: limit, model, stream } = fields;
  check(typeof limit === 'number' && limit > 0, 'max_tokens: Field required');
  const messages = blocks(fields['messages']);
  check(messages[0]?.['role'] === 'user', 'messages: first message must use the "user" role');
  checkResults(messages);
  const system = blocks(fields['system']).map(textPart);
  return {
    ...{ model: String(model), streamed: stream === true, maxOutputTokens: limit as number },
    messages: [
      ...(system.length > 0 ? [{ role: 'system' as const, parts: system }] : []),
      ...messages.flatMap(messagesOf),
    ],
    tools: blocks(fields['tools']).map(toolOf),
    settings: settingsOf(fields),
    others: {},
  };
};

/** The results of all calls of a message are at the start of the next one. */
const checkResults = (messages: readonly Json[]): void => {
  for (const [index, { role, content }] of messages.entries()) {
    check(role === 'user' || role === 'assistant', `messages.${index}.role: Input should be 'user' or 'assistant'`);
    const calls = blocks(content).filter(({ type }) => type === 'tool_use');
    const next = blocks(messages[index + 1]?.['content']);
    const results = next.slice(0, calls.length).map(({ tool_use_id: id }) => id);
    for (const { id } of index === messages.length - 1 ? [] : calls) {
      check(
        results.includes(id),
        `messages.${index + 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${String(id)}`,
      );
    }
  }
};

const cacheOf = ({ cache_control: control }: Json): { readonly cached?: true } => {
  if (control === undefined || control === null) return {};
  check(object(control)['type'] === 'ephemeral', 'cache_control.type: must be ephemeral');
  return { cached: true };
};

const textPart = (block: Json): TextPart => {
  checkFields(block, ['type', 'text', 'cache_control', 'citations'], 'text');
  check(block['text'] !== '', 'messages: text content blocks must be non-empty');
  return { kind: 'text', text: String(block['text']), ...cacheOf(block) };
};

const textOrPicture = (block: Json): TextPart | ImagePart => {
  if (block['type'] !== 'image') return textPart(block);
  const { type, media_type: mediaType, data, url } = object(block['source']);
  const source =
    type === 'url'
      ? { kind: 'url' as const, url: String(url) }
      : { kind: 'base64' as const, mediaType: String(mediaType), data: String(data) };
  return { kind: 'image', source, ...cacheOf(block) };
};

const messagesOf = ({ role, content }: Json): readonly Message[] => {
  if (role === 'assistant') return [{ role, parts: blocks(content).map(assistantPart) }];
  const results = blocks(content).filter(({ type }) => type === 'tool_result');
  const others = blocks(content).filter(({ type }) => type !== 'tool_result');
  return [
    ...results.map(resultOf),
    ...(others.length > 0 ? [{ role: 'user' as const, parts: others.map(textOrPicture) }] : []),
  ];
};

const resultOf = (block: Json): ToolResult => {
  checkFields(block, ['type', 'tool_use_id', 'content', 'is_error', 'cache_control'], 'tool_result');
  return {
    ...{ role: 'tool', callId: String(block['tool_use_id']) },
    parts: blocks(block['content']).map(textOrPicture),
    ...(block['is_error'] === true ? { isError: true } : {}),
    ...cacheOf(block),
  };
};

const assistantPart = (block: Json): AssistantPart => {
  const { type, id, name, input, thinking, signature, data } = block;
  switch (type) {
    case 'thinking':
      check(typeof signature === 'string' && signature !== '', 'thinking: Invalid `signature` in `thinking` block');
      return { kind: 'thinking', text: String(thinking), signature: { from: 'anthropic', value: String(signature) } };
    case 'redacted_thinking':
      return { kind: 'thinking', text: '', signature: { from: 'anthropic', value: String(data) }, redacted: true };
    case 'tool_use':
      check(/^[\w-]+$/.test(String(id)), `tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
      check(typeof input === 'object' && input !== null, 'tool_use.input: Input should be a valid dictionary');
      return {
        kind: 'tool_call',
        id: String(id),
        name: String(name),
        arguments: JSON.stringify(input),
        ...cacheOf(block),
      };
    case 'text':
      return textPart(block);
    default:
      throw new BadBody(`messages: unexpected block ${String(type)}`);
  }
};

const toolOf = (tool: Json): Tool => {
  checkFields(
    tool,
    ['type', 'name', 'description', 'input_schema', 'strict', 'cache_control', 'eager_input_streaming'],
    'tools',
  );
  const { name, description, input_schema: schema, strict } = tool;
  check(object(schema)['type'] === 'object', 'tools.input_schema.type: Field required');
  return {
    ...{ kind: 'function', name: String(name) },
    ...(typeof description === 'string' ? { description } : {}),
    schema: object(schema),
    ...(strict === true ? { strict } : {}),
    ...cacheOf(tool),
  };
};

const settingsOf = (fields: Json): Settings => {
  const {
    temperature,
    top_p: topP,
    top_k: topK,
    stop_sequences: stop,
  } = fields as Readonly<Record<string, number>> & {
    readonly stop_sequences?: readonly string[];
  };
  const choice = object(fields['tool_choice']);
  const { format, effort } = object(fields['output_config']);
  return {
    ...{ temperature, topP, topK, stop, toolChoice: choiceOf(choice) },
    ...(choice['disable_parallel_tool_use'] === true ? { parallelToolCalls: false } : {}),
    output: format ? { kind: 'schema', name: 'answer', schema: object(object(format)['schema']) } : undefined,
    thinking: thinkingOf(object(fields['thinking']), effort, fields['max_tokens']),
  };
};

const choiceOf = ({ type, name }: Json): Settings['toolChoice'] => {
  switch (type) {
    case 'none':
      return { kind: 'none' };
    case 'any':
      return { kind: 'required' };
    case 'tool':
      return { kind: 'tool', name: String(name) };
    default:
      return undefined;
  }
};

const thinkingOf = ({ type, budget_tokens: tokens }: Json, effort: unknown, limit: unknown): Settings['thinking'] => {
  if (type === 'enabled') {
    check(typeof tokens === 'number' && tokens >= 1024, 'thinking.enabled.budget_tokens: must be at least 1024');
    check(Number(tokens) < Number(limit), '`max_tokens` must be greater than `thinking.budget_tokens`.');
    return { kind: 'budget', tokens: Number(tokens) };
  }
  if (type === 'disabled') return { kind: 'off' };
  if (typeof effort === 'string') return { kind: 'effort', effort };
  return type === 'adaptive' ? { kind: 'adaptive' } : undefined;
};
