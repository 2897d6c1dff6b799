import { messageOf } from '../../../formats/chat/write-message.ts';
import type {
  AssistantPart,
  ImagePart,
  Message,
  TextPart,
  ThinkingPart,
  ToolCallPart,
  ToolResult,
} from '../../../formats/conversation.ts';
import { urlOf } from '../../../formats/translating.ts';
import { wrapped } from '../../custom-tools.ts';
import type { Reads } from '../dialects.ts';

/** The messages of a conversation as those of a chat, for a server that reads this. */
export const chatMessages = (messages: readonly Message[], reads: Reads): readonly object[] => {
  const written: object[] = [];
  let pictures: object[] = [];
  const flush = (): void => {
    if (pictures.length > 0) written.push({ role: 'user', content: pictures });
    pictures = [];
  };
  for (const message of messages) {
    // All results of a turn must follow its calls directly.
    if (message.role !== 'tool') flush();
    if (message.role === 'tool') pictures.push(...picturesOf(message, reads));
    written.push(chatMessage(message, reads));
  }
  flush();
  return written;
};

const chatMessage = (message: Message, reads: Reads): object => {
  switch (message.role) {
    case 'system':
    case 'developer':
      return {
        role: reads.newerOpenAi === true ? message.role : 'system',
        content: contentOf(message.parts, reads),
      };
    case 'user':
      return { role: 'user', content: contentOf(message.parts, reads) };
    case 'assistant':
      return assistantMessage(message.parts, reads);
    case 'tool':
      return { role: 'tool', tool_call_id: message.callId, content: resultOf(message) };
  }
};

/** One text as a string, which every server reads; other content as parts. */
const contentOf = (parts: readonly (TextPart | ImagePart)[], reads: Reads): string | readonly object[] => {
  const [first, second] = parts;
  if (!first) return '';
  const isPlain = first.kind === 'text' && !second && !(first.cached === true && reads.cacheControl === true);
  return isPlain ? first.text : parts.map((part) => partOf(part, reads));
};

const partOf = (part: TextPart | ImagePart, reads: Reads): object =>
  part.kind === 'text'
    ? { type: 'text', text: part.text, ...cacheOf(part, reads) }
    : {
        type: 'image_url',
        image_url: { url: urlOf(part.source), ...(part.detail === undefined ? {} : { detail: part.detail }) },
        ...cacheOf(part, reads),
      };

export const cacheOf = ({ cached }: { readonly cached?: boolean | undefined }, { cacheControl }: Reads): object =>
  cached === true && cacheControl === true ? { cache_control: { type: 'ephemeral' } } : {};

/** The message of a tool may have text only. Its pictures follow in a message of the user. */
const resultOf = ({ parts, isError }: ToolResult): string => {
  const text = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n');
  const whole = text === '' && parts.length > 0 ? 'The pictures of this result are in the next message.' : text;
  // A chat has no mark for a failure.
  return isError === true ? `Error: ${whole}` : whole;
};

const picturesOf = ({ callId, parts }: ToolResult, reads: Reads): readonly object[] => {
  const pictures = parts.filter((part) => part.kind === 'image').map((part) => partOf(part, reads));
  return pictures.length === 0 ? [] : [{ type: 'text', text: `Pictures of the result of ${callId}:` }, ...pictures];
};

const assistantMessage = (parts: readonly AssistantPart[], reads: Reads): object => {
  const kept = parts.flatMap((part) => readable(part, reads));
  const { reasoning, reasoning_details: details, refusal, content, ...message } = messageOf(kept);
  const isEmpty = content === null && refusal === null && !('tool_calls' in message);
  return {
    ...message,
    content: isEmpty ? '' : content,
    ...(refusal === null ? {} : { refusal }),
    ...(reads.reasoning === 'reasoning_details' ? { reasoning, reasoning_details: details } : {}),
    ...(reads.reasoning === 'reasoning_content' && reasoning !== undefined ? { reasoning_content: reasoning } : {}),
  };
};

/** A part of an earlier answer as the server reads it; nothing if it cannot read it. */
const readable = (part: AssistantPart, reads: Reads): readonly AssistantPart[] => {
  switch (part.kind) {
    case 'text':
      return [part];
    case 'refusal':
      return [reads.newerOpenAi === true ? part : { kind: 'text', text: part.text }];
    case 'thinking':
      return readsThinking(part, reads) ? [part] : [];
    case 'tool_call':
      return [reads.newerOpenAi === true ? part : asFunctionCall(part)];
  }
};

const readsThinking = ({ text, signature }: ThinkingPart, { reasoning }: Reads): boolean => {
  if (reasoning === 'reasoning_content') return text !== '';
  // Google reads only the signature of a call, which is beside the call.
  if (reasoning === 'extra_content') return signature?.from === 'gemini' && text === '';
  return reasoning === 'reasoning_details';
};

const asFunctionCall = ({ custom, ...call }: ToolCallPart): ToolCallPart =>
  custom === true ? { ...call, arguments: wrapped(call.arguments) } : call;
