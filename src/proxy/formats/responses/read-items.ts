import { asList, field, isThere } from '../../json/untyped-json.ts';
import type { AssistantPart, ImagePart, Message, TextPart, ToolCallPart } from '../conversation.ts';
import { cannotTranslate, imageSourceOf, recordOf, refuse } from '../translating.ts';
import { readReasoning } from './reasoning.ts';
import { flatName, TOOL_SEARCH } from './tools.ts';

/** The input of a request as messages: items of the assistant that follow each other are one message. */
export const readInput = (input: unknown): readonly Message[] => {
  if (typeof input === 'string') return [{ role: 'user', parts: [{ kind: 'text', text: input }] }];
  const messages: Message[] = [];
  for (const [index, item] of asList(input).entries()) {
    const read = readItem(item, `input.${index}`);
    if (!read) continue;
    const last = messages.at(-1);
    if (read.role === 'assistant' && last?.role === 'assistant') {
      messages[messages.length - 1] = { role: 'assistant', parts: [...last.parts, ...read.parts] };
    } else messages.push(read);
  }
  return messages;
};

/** Undefined for an item that is not part of the conversation. */
const readItem = (item: unknown, at: string): Message | undefined => {
  switch (field(item, 'type')) {
    case 'reasoning':
      return { role: 'assistant', parts: readReasoning(item) };
    case 'function_call':
    case 'custom_tool_call':
    case 'tool_search_call':
      return { role: 'assistant', parts: [readCall(item, at)] };
    case 'function_call_output':
    case 'custom_tool_call_output':
      return { role: 'tool', callId: callId(item, at), parts: readParts(field(item, 'output'), `${at}.output`) };
    case 'tool_search_output':
      return { role: 'tool', callId: callId(item, at), parts: [{ kind: 'text', text: foundTools(item) }] };
    case 'additional_tools':
    case 'item_reference':
      return undefined;
    default:
      return readMessage(item, at);
  }
};

const knownFields = new Set([
  ...['type', 'role', 'content', 'id', 'status', 'phase', 'internal_chat_message_metadata_passthrough'],
]);

const readMessage = (item: unknown, at: string): Message => {
  for (const [name, value] of Object.entries(recordOf(item))) {
    if (!knownFields.has(name) && isThere(value)) return cannotTranslate(`${at}.${name}`);
  }
  const [role, content] = [field(item, 'role'), field(item, 'content')];
  switch (role) {
    case 'system':
    case 'developer':
      return { role, parts: readParts(content, `${at}.content`).map((part) => textOnly(part, `${at}.content`)) };
    case 'assistant':
      return { role, parts: readAssistantParts(content, `${at}.content`) };
    case 'user':
      return { role, parts: readParts(content, `${at}.content`) };
    default:
      return refuse(`${at}.role`, 'must be user, assistant, system or developer.');
  }
};

const textOnly = (part: TextPart | ImagePart, at: string): TextPart =>
  part.kind === 'text' ? part : cannotTranslate(at);

const readAssistantParts = (content: unknown, at: string): readonly AssistantPart[] =>
  asList(typeof content === 'string' ? [{ type: 'output_text', text: content }] : content).map((part, index) => {
    const refusal = field(part, 'refusal');
    if (field(part, 'type') === 'refusal' && typeof refusal === 'string') return { kind: 'refusal', text: refusal };
    return textOnly(readPart(part, `${at}.${index}`), `${at}.${index}`);
  });

const readParts = (content: unknown, at: string): readonly (TextPart | ImagePart)[] =>
  typeof content === 'string'
    ? [{ kind: 'text', text: content }]
    : asList(content).map((part, index) => readPart(part, `${at}.${index}`));

const readPart = (part: unknown, at: string): TextPart | ImagePart => {
  const cached = isThere(field(part, 'prompt_cache_breakpoint')) ? { cached: true } : {};
  const [type, text, url, detail] = ['type', 'text', 'image_url', 'detail'].map((name) => field(part, name));
  if ((type === 'input_text' || type === 'output_text') && typeof text === 'string') {
    return { kind: 'text', text, ...cached };
  }
  if (type !== 'input_image' || typeof url !== 'string') return cannotTranslate(`${at}.${String(type)}`);
  return {
    ...{ kind: 'image', source: imageSourceOf(url), ...cached },
    ...(typeof detail === 'string' && detail !== 'auto' ? { detail } : {}),
  };
};

const callId = (item: unknown, at: string): string => {
  const id = field(item, 'call_id');
  return typeof id === 'string' ? id : refuse(`${at}.call_id`, 'must be a string.');
};

const readCall = (item: unknown, at: string): ToolCallPart => {
  const [type, name, namespace] = [field(item, 'type'), field(item, 'name'), field(item, 'namespace')];
  const id = callId(item, at);
  if (type === 'tool_search_call') {
    return { kind: 'tool_call', id, name: TOOL_SEARCH, arguments: JSON.stringify(field(item, 'arguments') ?? {}) };
  }
  const text = field(item, type === 'custom_tool_call' ? 'input' : 'arguments');
  if (typeof name !== 'string' || typeof text !== 'string') return refuse(at, 'must have a name and its arguments.');
  const call: ToolCallPart = { kind: 'tool_call', id, name: flatName(name, namespace), arguments: text };
  return type === 'custom_tool_call' ? { ...call, custom: true } : call;
};

/** The tools are also among those of the request. */
const foundTools = (item: unknown): string =>
  asList(field(item, 'tools'))
    .flatMap((tool) => {
      const [name, within] = [field(tool, 'name'), asList(field(tool, 'tools'))];
      if (field(tool, 'type') !== 'namespace') return [String(name)];
      return within.map((one) => flatName(String(field(one, 'name')), name));
    })
    .map((name) => `Found the tool ${name}.`)
    .join('\n') || 'Found no tool.';
