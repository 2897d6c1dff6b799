import { asList, field, isThere } from '../../json/untyped-json.ts';
import type { AssistantPart, Conversation, ImagePart, Message, TextPart, Tool, ToolResult } from '../conversation.ts';
import type { BadRequest, Job } from '../format.ts';
import { readSignature } from '../signatures.ts';
import { cannotTranslate, imageSourceOf, isCached, recordOf, refuse, translating } from '../translating.ts';
import { readSettings } from './read-settings.ts';

/** Reads a Messages request as a conversation in no dialect. */
export const readConversation = (fields: Job['fields']): Conversation | BadRequest =>
  translating(() => {
    const system = textsOf(fields['system'], 'system');
    const messages = asList(fields['messages']).flatMap((message, index) => messagesOf(message, `messages.${index}`));
    const all: readonly Message[] = system.length === 0 ? messages : [{ role: 'system', parts: system }, ...messages];
    return {
      messages: 'cached' in isCached(fields) ? withLastCached(all) : all,
      tools: asList(fields['tools']).map(toolOf),
      settings: readSettings(fields),
      others: {},
    };
  });

/** `cache_control` of the request applies to the last part of it. */
const withLastCached = (messages: readonly Message[]): readonly Message[] =>
  messages.map((message, index) => {
    if (index < messages.length - 1) return message;
    if (message.role === 'tool') return { ...message, cached: true };
    const parts = message.parts.map((part, place) =>
      place < message.parts.length - 1 || part.kind === 'thinking' ? part : { ...part, cached: true },
    );
    return { ...message, parts } as Message;
  });

const textsOf = (content: unknown, at: string): readonly TextPart[] =>
  partsOf(content, at).map((part) => (part.kind === 'text' ? part : cannotTranslate(at)));

const partsOf = (content: unknown, at: string): readonly (TextPart | ImagePart)[] =>
  typeof content === 'string'
    ? [{ kind: 'text', text: content }]
    : asList(content).map((block, index) => partOf(block, `${at}.${index}`));

const knownFields: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  image: ['source'],
  thinking: ['thinking', 'signature'],
  redacted_thinking: ['data'],
  tool_use: ['id', 'name', 'input', 'caller'],
  tool_result: ['tool_use_id', 'content', 'is_error'],
};

/** The type of a block, each of whose fields is known. */
const typeOf = (block: unknown, at: string): string => {
  const type = String(field(block, 'type'));
  const known = knownFields[type];
  if (!known) return cannotTranslate(`${at}.type`);
  for (const [name, value] of Object.entries(recordOf(block))) {
    const isEmpty = !isThere(value) || (Array.isArray(value) && value.length === 0);
    if (!known.includes(name) && name !== 'type' && name !== 'cache_control' && !isEmpty) {
      return cannotTranslate(`${at}.${name}`);
    }
  }
  return type;
};

const partOf = (block: unknown, at: string): TextPart | ImagePart => {
  const type = typeOf(block, at);
  const text = field(block, 'text');
  if (type === 'text') {
    return typeof text === 'string'
      ? { kind: 'text', text, ...isCached(block) }
      : refuse(`${at}.text`, 'must be a string.');
  }
  return type === 'image'
    ? { kind: 'image', source: imageOf(field(block, 'source'), at), ...isCached(block) }
    : cannotTranslate(at);
};

const imageOf = (source: unknown, at: string): ImagePart['source'] => {
  const [data, mediaType, url] = [field(source, 'data'), field(source, 'media_type'), field(source, 'url')];
  if (typeof data === 'string' && typeof mediaType === 'string') return { kind: 'base64', mediaType, data };
  return typeof url === 'string' ? imageSourceOf(url) : refuse(`${at}.source`, 'must be a base64 or a url source.');
};

const messagesOf = (message: unknown, at: string): readonly Message[] => {
  const [role, content] = [field(message, 'role'), field(message, 'content')];
  switch (role) {
    case 'system':
      return [{ role, parts: textsOf(content, `${at}.content`) }];
    case 'user':
      return userMessages(content, `${at}.content`);
    case 'assistant':
      return [{ role, parts: assistantParts(content, `${at}.content`) }];
    default:
      return refuse(`${at}.role`, 'must be user, assistant or system.');
  }
};

/** Results of tools are messages of their own. */
const userMessages = (content: unknown, at: string): readonly Message[] => {
  if (typeof content === 'string') return [{ role: 'user', parts: partsOf(content, at) }];
  const read: Message[] = [];
  let parts: (TextPart | ImagePart)[] | undefined;
  for (const [index, block] of asList(content).entries()) {
    const place = `${at}.${index}`;
    if (field(block, 'type') === 'tool_result') {
      parts = undefined;
      read.push(toolResult(block, place));
    } else if (parts) parts.push(partOf(block, place));
    else {
      parts = [partOf(block, place)];
      read.push({ role: 'user', parts });
    }
  }
  return read;
};

const toolResult = (block: unknown, at: string): ToolResult => {
  typeOf(block, at);
  const callId = field(block, 'tool_use_id');
  return {
    role: 'tool',
    callId: typeof callId === 'string' ? callId : refuse(`${at}.tool_use_id`, 'must be a string.'),
    parts: partsOf(field(block, 'content'), `${at}.content`),
    ...(field(block, 'is_error') === true ? { isError: true } : {}),
    ...isCached(block),
  };
};

const assistantParts = (content: unknown, at: string): readonly AssistantPart[] =>
  typeof content === 'string'
    ? [{ kind: 'text', text: content }]
    : asList(content).map((block, index) => assistantPart(block, `${at}.${index}`));

const assistantPart = (block: unknown, at: string): AssistantPart => {
  switch (typeOf(block, at)) {
    case 'thinking': {
      const [text, signature] = [field(block, 'thinking'), field(block, 'signature')];
      const isSigned = typeof signature === 'string' && signature !== '';
      return {
        kind: 'thinking',
        text: typeof text === 'string' ? text : '',
        ...(isSigned ? { signature: readSignature(signature, 'anthropic') } : {}),
      };
    }
    case 'redacted_thinking': {
      const signature = readSignature(String(field(block, 'data')), 'anthropic');
      return { kind: 'thinking', text: '', signature, redacted: true };
    }
    case 'tool_use':
      return toolCall(block, at);
    default: {
      const part = partOf(block, at);
      return part.kind === 'text' ? part : cannotTranslate(at);
    }
  }
};

const toolCall = (block: unknown, at: string): AssistantPart => {
  const [id, name, input] = [field(block, 'id'), field(block, 'name'), field(block, 'input')];
  if (typeof id !== 'string' || typeof name !== 'string') return refuse(at, 'must have an id and a name.');
  return { kind: 'tool_call', id, name, arguments: JSON.stringify(input ?? {}), ...isCached(block) };
};

/** `eager_input_streaming` changes only how the arguments are cut into pieces. */
const toolFields = ['type', 'name', 'description', 'input_schema', 'strict', 'cache_control', 'eager_input_streaming'];

const toolOf = (tool: unknown, index: number): Tool => {
  const at = `tools.${index}`;
  for (const [name, value] of Object.entries(recordOf(tool))) {
    if (!toolFields.includes(name) && isThere(value)) return cannotTranslate(`${at}.${name}`);
  }
  const [name, description, schema] = [field(tool, 'name'), field(tool, 'description'), field(tool, 'input_schema')];
  if (typeof name !== 'string') return refuse(`${at}.name`, 'must be a string.');
  return {
    kind: 'function',
    name,
    ...(typeof description === 'string' ? { description } : {}),
    ...(isThere(schema) ? { schema: recordOf(schema) } : {}),
    ...(field(tool, 'strict') === true ? { strict: true } : {}),
    ...isCached(tool),
  };
};
