import type {
  AssistantPart,
  Conversation,
  ImagePart,
  Message,
  TextPart,
  ToolCallPart,
  ToolResult,
} from '../../formats/conversation.ts';
import { refuse } from '../../formats/translating.ts';
import { parseExactObject } from '../../json/exact-json.ts';
import { shown } from '../../json/untyped-json.ts';
import { wrapped } from '../custom-tools.ts';
import type { Family } from './families.ts';
import { pictureOf } from './write-picture.ts';

type Content = { readonly role: 'user' | 'model'; readonly parts: readonly object[] };

/**
 * Accepted in place of a signature, for a call that another model made:
 * https://ai.google.dev/gemini-api/docs/thought-signatures#faqs. Without one, newer models refuse the request.
 */
const NO_SIGNATURE = 'skip_thought_signature_validator';

/** The `systemInstruction` and the `contents`. */
export const contentsOf = ({ messages }: Conversation, family: Family, format: string): object => {
  const system = messages.filter(isSystem).flatMap(({ parts }) => parts.map(({ text }) => ({ text })));
  const turnStart = messages.findLastIndex(beginsTurn);
  const contents: Content[] = [];
  for (const [index, message] of messages.entries()) {
    if (isSystem(message)) continue;
    const before = messages[index - 1];
    const content = contentOf(message, index, messages, {
      family,
      signs: index > turnStart,
      at: placeOf(format, index),
    });
    // The results of all calls of one step are one content.
    const last = contents.at(-1);
    if (message.role === 'tool' && before?.role === 'tool' && last) {
      contents[contents.length - 1] = { role: 'user', parts: [...last.parts, ...content.parts] };
    } else if (content.parts.length > 0) contents.push(content);
  }
  // A request must have contents.
  if (contents.length === 0) return { contents: [{ role: 'user', parts: system }] };
  return { ...(system.length > 0 ? { systemInstruction: { parts: system } } : {}), contents };
};

/** For Google, a turn begins with a text of the user. */
const beginsTurn = ({ role, parts }: Message): boolean => role === 'user' && parts.some(({ kind }) => kind === 'text');

type SystemMessage = Extract<Message, { readonly role: 'system' | 'developer' }>;

const isSystem = (message: Message): message is SystemMessage =>
  message.role === 'system' || message.role === 'developer';

/** The path of a message, for errors. Only in a chat, a message has the same index here and in the request. */
const placeOf = (format: string, index: number): string =>
  format === 'chat' ? `messages.${index}` : format === 'responses' ? 'input' : 'messages';

type Writing = {
  readonly family: Family;
  /** Whether calls without a signature need the placeholder: only those of the current turn are checked. */
  readonly signs: boolean;
  readonly at: string;
};

const contentOf = (
  message: Exclude<Message, SystemMessage>,
  index: number,
  messages: readonly Message[],
  { family, signs, at }: Writing,
): Content => {
  switch (message.role) {
    case 'user':
      return { role: 'user', parts: message.parts.map((part) => textOrPicture(part, at)) };
    case 'assistant':
      return { role: 'model', parts: modelParts(message.parts, at, signs) };
    case 'tool':
      return { role: 'user', parts: resultParts(message, nameOfCall(messages, index, message.callId, at), family, at) };
  }
};

const textOrPicture = (part: TextPart | ImagePart, at: string): object =>
  part.kind === 'text' ? { text: part.text } : pictureOf(part, at);

/** A signature is about the part that follows it, or about the end of the message. */
const modelParts = (parts: readonly AssistantPart[], at: string, signs: boolean): readonly object[] => {
  const written: object[] = [];
  let signature: string | undefined;
  let needsSignature = signs;
  const write = (part: object): void => {
    written.push(signature === undefined ? part : { ...part, thoughtSignature: signature });
    signature = undefined;
  };
  for (const part of parts) {
    if (part.kind === 'thinking') {
      if (part.signature?.from !== 'gemini') continue;
      if (signature !== undefined) write({ text: '' });
      signature = part.signature.value;
      if (part.text !== '') write({ text: part.text, thought: true });
    } else if (part.kind === 'tool_call') {
      // Only the first of parallel calls is signed.
      if (needsSignature) signature ??= NO_SIGNATURE;
      needsSignature = false;
      write({ functionCall: callOf(part, at) });
    } else if (part.text !== '' || signature !== undefined) write({ text: part.text });
  }
  if (signature !== undefined) write({ text: '' });
  return written;
};

const callOf = ({ id, name, arguments: text, custom }: ToolCallPart, at: string) => {
  const json = custom === true ? wrapped(text) : text;
  const args = json.trim() === '' ? {} : parseExactObject(json);
  return { id, name, args: args ?? refuse(at, 'the arguments of a tool call must be a JSON object with this model.') };
};

/** Google requires the name beside the id. An id may occur more than once, so the nearest call before counts. */
const nameOfCall = (messages: readonly Message[], index: number, id: string, at: string): string => {
  for (const message of messages.slice(0, index).reverse()) {
    if (message.role !== 'assistant') continue;
    const call = message.parts.find((part) => part.kind === 'tool_call' && part.id === id);
    if (call?.kind === 'tool_call') return call.name;
  }
  return refuse(at, `no tool call before it has the id ${shown(id)}.`);
};

const resultParts = (
  { callId: id, parts, isError }: ToolResult,
  name: string,
  { picturesInResults }: Family,
  at: string,
): readonly object[] => {
  const text = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n');
  const pictures = parts.filter((part) => part.kind === 'image').map((part) => pictureOf(part, at));
  const response = { [isError === true ? 'error' : 'output']: text };
  const within = picturesInResults && pictures.length > 0 ? { parts: pictures } : {};
  return [{ functionResponse: { id, name, response, ...within } }, ...(picturesInResults ? [] : pictures)];
};
