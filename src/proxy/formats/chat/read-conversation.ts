import { asList, field, isThere } from '../../json/untyped-json.ts';
import type {
  AssistantPart,
  Conversation,
  ImagePart,
  Message,
  Signature,
  TextPart,
  ThinkingPart,
  Tool,
} from '../conversation.ts';
import type { BadRequest, Job } from '../format.ts';
import { cannotTranslate, imageSourceOf, isCached, recordOf, refuse, translating } from '../translating.ts';
import { readSettings } from './read-settings.ts';
import { signatureFormats } from './write-message.ts';

/** Reads a chat as a conversation in no dialect. */
export const readConversation = (fields: Job['fields']): Conversation | BadRequest =>
  translating(() => {
    const messages = asList(fields['messages']).map(messageOf);
    const tools = asList(fields['tools']).map(toolOf);
    const { settings, others } = readSettings(fields);
    return { messages, tools, settings, others };
  });

/** Fields of a message that carry nothing if they are empty; the SDKs return them with an answer. */
const isEmpty = (value: unknown): boolean => !isThere(value) || (Array.isArray(value) && value.length === 0);

/** `extra_content` of a message is a copy of that of its calls: the agents client of OpenAI returns it in both places. */
const knownFields: Readonly<Record<string, readonly string[]>> = {
  system: ['content', 'name'],
  developer: ['content', 'name'],
  user: ['content'],
  assistant: [
    ...['content', 'refusal', 'tool_calls', 'reasoning', 'reasoning_content', 'reasoning_details', 'id'],
    'extra_content',
  ],
  tool: ['content', 'tool_call_id', 'name'],
};

const messageOf = (message: unknown, index: number): Message => {
  const at = `messages.${index}`;
  const role = String(field(message, 'role'));
  const known = knownFields[role];
  if (!known) return refuse(`${at}.role`, `${JSON.stringify(role)} has no counterpart at the provider of this model.`);
  for (const [name, value] of Object.entries(recordOf(message))) {
    if (name !== 'role' && !known.includes(name) && !isEmpty(value)) return cannotTranslate(`${at}.${name}`);
  }
  const content = field(message, 'content');
  switch (role) {
    case 'system':
    case 'developer':
      return { role, parts: partsOf(content, at).map((part) => textOnly(part, at)) };
    case 'assistant':
      return { role, parts: assistantParts(message, at) };
    case 'tool':
      return { role, callId: String(field(message, 'tool_call_id')), parts: partsOf(content, at) };
    default:
      return { role: 'user', parts: partsOf(content, at) };
  }
};

const textOnly = (part: TextPart | ImagePart, at: string): TextPart =>
  part.kind === 'text' ? part : cannotTranslate(`${at}.content`);

const partsOf = (content: unknown, at: string): readonly (TextPart | ImagePart)[] =>
  typeof content === 'string'
    ? [{ kind: 'text', text: content }]
    : asList(content).map((part, index) => partOf(part, `${at}.content.${index}`));

const partOf = (part: unknown, at: string): TextPart | ImagePart => {
  if (typeof part === 'string') return { kind: 'text', text: part };
  const type = field(part, 'type');
  const text = field(part, 'text');
  if (typeof text === 'string' && (type === 'text' || type === undefined)) {
    return { kind: 'text', text, ...isCached(part) };
  }
  if (type !== 'image_url') return cannotTranslate(`${at}.${String(type)}`);
  const picture = field(part, 'image_url');
  const url = field(picture, 'url') ?? picture;
  const detail = field(picture, 'detail');
  if (typeof url !== 'string') return refuse(`${at}.image_url`, 'must have a url.');
  return {
    kind: 'image',
    source: imageSourceOf(url),
    ...(typeof detail === 'string' && detail !== 'auto' ? { detail } : {}),
    ...isCached(part),
  };
};

const assistantParts = (message: unknown, at: string): readonly AssistantPart[] => {
  const content = field(message, 'content');
  const refusal = field(message, 'refusal');
  const texts: readonly AssistantPart[] =
    typeof content === 'string'
      ? content === ''
        ? []
        : [{ kind: 'text', text: content }]
      : asList(content).map((part, index) => assistantPart(part, `${at}.content.${index}`));
  return [
    ...thinkingOf(message),
    ...texts,
    ...(typeof refusal === 'string' ? [{ kind: 'refusal' as const, text: refusal }] : []),
    ...asList(field(message, 'tool_calls')).flatMap((call, index) => callOf(call, `${at}.tool_calls.${index}`)),
  ];
};

const assistantPart = (part: unknown, at: string): AssistantPart => {
  const refusal = field(part, 'refusal');
  if (field(part, 'type') === 'refusal' && typeof refusal === 'string') return { kind: 'refusal', text: refusal };
  const read = partOf(part, at);
  return read.kind === 'text' ? read : cannotTranslate(at);
};

/** Reasoning in parts has the signatures; its text alone is the same without them. */
const thinkingOf = (message: unknown): readonly ThinkingPart[] => {
  const details = asList(field(message, 'reasoning_details'));
  if (details.length > 0) return joined(details.flatMap(detailOf));
  const text = field(message, 'reasoning') ?? field(message, 'reasoning_content');
  return typeof text === 'string' && text !== '' ? [{ kind: 'thinking', text }] : [];
};

/** Clients that collect the pieces of a stream return a thought as a list of pieces, the last one with the signature. */
const joined = (parts: readonly ThinkingPart[]): readonly ThinkingPart[] => {
  const all: ThinkingPart[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    const isMore = !part.signature || (part.signature.from === 'anthropic' && part.text === '' && !part.redacted);
    if (last && !last.signature && isMore) all[all.length - 1] = { ...last, ...part, text: last.text + part.text };
    else all.push(part);
  }
  return all;
};

const originOf = (format: unknown): Signature['from'] | undefined =>
  (Object.keys(signatureFormats) as Signature['from'][]).find((from) => signatureFormats[from] === format);

const detailOf = (detail: unknown): readonly ThinkingPart[] => {
  const from = originOf(field(detail, 'format'));
  const [text, data, value] = [field(detail, 'text'), field(detail, 'data'), field(detail, 'signature')];
  if (typeof data === 'string') {
    if (!from) return [];
    const redacted = field(detail, 'redacted') === true ? { redacted: true } : {};
    return [{ kind: 'thinking', text: '', signature: { from, value: data }, ...redacted }];
  }
  const signature = from && typeof value === 'string' ? { signature: { from, value } } : {};
  return [{ kind: 'thinking', text: typeof text === 'string' ? text : '', ...signature }];
};

const callOf = (call: unknown, at: string): readonly AssistantPart[] => {
  const isCustom = field(call, 'type') === 'custom';
  const called = field(call, isCustom ? 'custom' : 'function');
  const [id, name, text] = [field(call, 'id'), field(called, 'name'), field(called, isCustom ? 'input' : 'arguments')];
  if (typeof id !== 'string' || typeof name !== 'string') return refuse(at, 'must have an id and a name.');
  const value = field(field(field(call, 'extra_content'), 'google'), 'thought_signature');
  const signature: readonly AssistantPart[] =
    typeof value === 'string' ? [{ kind: 'thinking', text: '', signature: { from: 'gemini', value } }] : [];
  return [
    ...signature,
    {
      kind: 'tool_call',
      ...{ id, name, arguments: typeof text === 'string' ? text : '' },
      ...(isCustom ? { custom: true } : {}),
    },
  ];
};

const toolOf = (tool: unknown, index: number): Tool => {
  const at = `tools.${index}`;
  const type = field(tool, 'type');
  if (type !== 'function' && type !== 'custom') return cannotTranslate(`${at}.type`);
  const tells = field(tool, type);
  const [name, description, schema] = [field(tells, 'name'), field(tells, 'description'), field(tells, 'parameters')];
  if (typeof name !== 'string') return refuse(`${at}.${type}.name`, 'must be a string.');
  const described = typeof description === 'string' ? { description } : {};
  if (type === 'custom') return { kind: 'custom', name, ...described, format: field(tells, 'format') };
  return {
    ...{ kind: 'function', name, ...described },
    ...(isThere(schema) ? { schema: recordOf(schema) } : {}),
    ...(field(tells, 'strict') === true ? { strict: true } : {}),
    ...isCached(tool),
  };
};
