import { signatureFormats } from '../../../formats/chat/write-message.ts';
import type { AssistantPart, Signature, ToolCallPart } from '../../../formats/conversation.ts';
import { asList, field } from '../../../json/untyped-json.ts';
import type { Piece } from '../../answer.ts';
import { unwrapped } from '../../custom-tools.ts';

/** Reasoning, text and refusals: what a message or a delta has beside tool calls. */
type Prose = Exclude<Piece, { readonly kind: 'tool_call' }>;

/** The parts of a whole message. `custom` are the names of tools that were written as functions with one string. */
export const partsOfMessage = (
  message: unknown,
  custom: ReadonlySet<string>,
  answerId: string,
): readonly AssistantPart[] => [
  ...proseOf(message),
  ...callsOf(message).flatMap((call, index): AssistantPart[] => {
    const { id = madeId(answerId, index), name = '', text, isCustom } = readCall(call);
    const part: ToolCallPart = { kind: 'tool_call', id, name, arguments: text };
    if (isCustom) return [...signatureBefore(call), { ...part, custom: true }];
    const isWrapped = custom.has(name);
    return [...signatureBefore(call), isWrapped ? { ...part, arguments: unwrapped(text), custom: true } : part];
  }),
];

/** Reasoning, text and refusals of a message or a delta, in this order. */
export const proseOf = (message: unknown): readonly Prose[] => {
  const [content, refusal] = [field(message, 'content'), field(message, 'refusal')];
  return [
    ...thinkingOf(message),
    ...(typeof content === 'string' ? pieceOf('text', content) : asList(content).flatMap(contentPart)),
    ...(typeof refusal === 'string' ? pieceOf('refusal', refusal) : []),
  ];
};

const pieceOf = (kind: 'text' | 'refusal' | 'thinking', text: string): readonly Prose[] =>
  text === '' ? [] : [{ kind, text }];

/** Mistral sends reasoning within the content, in parts of its own. */
const contentPart = (part: unknown): readonly Prose[] => {
  const [text, refusal, thinking] = [field(part, 'text'), field(part, 'refusal'), field(part, 'thinking')];
  if (typeof text === 'string') return pieceOf('text', text);
  if (typeof refusal === 'string') return pieceOf('refusal', refusal);
  const thoughts = typeof thinking === 'string' ? thinking : asList(thinking).map(textIn).join('');
  return pieceOf('thinking', thoughts);
};

const textIn = (part: unknown): string => {
  const text = field(part, 'text');
  return typeof text === 'string' ? text : '';
};

/** Parts have the signatures. Their text is often repeated in one piece beside them. */
const thinkingOf = (message: unknown): readonly Prose[] => {
  const details = asList(field(message, 'reasoning_details')).flatMap(detailOf);
  const [reasoning, content] = [field(message, 'reasoning'), field(message, 'reasoning_content')];
  const text = [reasoning, content].find((one) => typeof one === 'string' && one !== '');
  const hasText = details.some((detail) => detail.text !== '');
  return [...(typeof text === 'string' && !hasText ? pieceOf('thinking', text) : []), ...details];
};

const detailOf = (detail: unknown): readonly Prose[] => {
  const format = field(detail, 'format');
  const from = (Object.keys(signatureFormats) as Signature['from'][]).find((one) => signatureFormats[one] === format);
  const [data, value] = [field(detail, 'data'), field(detail, 'signature')];
  const text = textIn(detail) || String(field(detail, 'summary') ?? '');
  const sealed = [data, value].find((one) => typeof one === 'string' && one !== '');
  if (from && typeof sealed === 'string') {
    const redacted = field(detail, 'redacted') === true ? { redacted: true } : {};
    return [{ kind: 'thinking', text, signature: { from, value: sealed }, ...redacted }];
  }
  return pieceOf('thinking', text);
};

/** Google's signature of a call, as the reasoning before the call. */
export const signatureBefore = (call: unknown): readonly Prose[] => {
  const value = field(field(field(call, 'extra_content'), 'google'), 'thought_signature');
  return typeof value === 'string' ? [{ kind: 'thinking', text: '', signature: { from: 'gemini', value } }] : [];
};

/** The tool calls of a message or a delta, including the one of the format before them. */
export const callsOf = (message: unknown): readonly unknown[] => {
  const called = field(message, 'function_call');
  const older = typeof called === 'object' && called !== null ? [{ function: called }] : [];
  return [...asList(field(message, 'tool_calls')), ...older];
};

export type ReadCall = {
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly text: string;
  /** A call of a custom tool, as OpenAI writes it. */
  readonly isCustom: boolean;
};

/** A tool call, or a piece of one. Some servers send the arguments as an object. */
export const readCall = (call: unknown): ReadCall => {
  const custom = field(call, 'custom');
  const called = custom ?? field(call, 'function');
  const [index, id, name] = [field(call, 'index'), field(call, 'id'), field(called, 'name')];
  const text = field(called, custom === undefined ? 'arguments' : 'input');
  return {
    index: typeof index === 'number' ? index : undefined,
    id: typeof id === 'string' && id !== '' ? id : undefined,
    name: typeof name === 'string' && name !== '' ? name : undefined,
    text: typeof text === 'string' ? text : text === undefined || text === null ? '' : JSON.stringify(text),
    isCustom: custom !== undefined,
  };
};

/** The id of a call that the server sent without one. */
export const madeId = (answerId: string, index: number): string =>
  `call_${answerId.replaceAll(/[^\w-]/g, '').slice(0, 40)}_${index}`;
