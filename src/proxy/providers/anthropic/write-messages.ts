import type { AssistantPart, ImagePart, Message, TextPart, ToolCallPart } from '../../formats/conversation.ts';
import { refuse } from '../../formats/translating.ts';
import { parseExact } from '../../json/exact-json.ts';

type Block = Readonly<Record<string, unknown>>;
type Turn = { readonly role: 'user' | 'assistant'; readonly content: Block[] };

export type Written = { readonly system: readonly Block[]; readonly messages: readonly Turn[] };

/**
 * The messages as turns of the user and the assistant. Instructions are collected in `system`, because most models of
 * Anthropic refuse them between turns. Turns of one role that follow each other are one; results of tools are part of the
 * user's turn.
 */
export const writeMessages = (messages: readonly Message[]): Written => {
  const system: Block[] = [];
  const turns: Turn[] = [];
  const add = (role: Turn['role'], content: readonly Block[]): void => {
    const last = turns.at(-1);
    if (content.length === 0) return;
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content: [...content] });
  };
  messages.forEach((message, index) => {
    const at = `messages.${index}`;
    switch (message.role) {
      case 'system':
      case 'developer':
        system.push(...message.parts.flatMap((part) => partOf(part, at)));
        break;
      case 'user':
        add(
          'user',
          message.parts.flatMap((part) => partOf(part, at)),
        );
        break;
      case 'assistant':
        add(
          'assistant',
          message.parts.flatMap((part) => assistantPart(part, at)),
        );
        break;
      case 'tool':
        add('user', [resultOf(message, at)]);
    }
  });
  return { system, messages: turns };
};

/** A breakpoint of the prompt cache, for the ordinary lifetime. */
export const cacheControl = ({ cached }: { readonly cached?: boolean | undefined }): Block =>
  cached === true ? { cache_control: { type: 'ephemeral' } } : {};

/** Anthropic refuses empty texts. */
const partOf = (part: TextPart | ImagePart, at: string): readonly Block[] => {
  if (part.kind === 'text') return part.text === '' ? [] : [{ type: 'text', text: part.text, ...cacheControl(part) }];
  const { source, detail } = part;
  // Anthropic reads pictures in full, as a high detail asks.
  if (detail !== undefined && !['auto', 'high', 'original'].includes(detail)) {
    refuse(`${at}.content.image_url.detail`, 'only auto and high have a counterpart at the provider of this model.');
  }
  const image =
    source.kind === 'url'
      ? { type: 'url', url: source.url }
      : { type: 'base64', media_type: source.mediaType, data: source.data };
  return [{ type: 'image', source: image, ...cacheControl(part) }];
};

const resultOf = (message: Extract<Message, { readonly role: 'tool' }>, at: string): Block => {
  const content = message.parts.flatMap((part) => partOf(part, at));
  return {
    ...{ type: 'tool_result', tool_use_id: message.callId },
    ...(content.length === 0 ? {} : { content }),
    ...(message.isError === true ? { is_error: true } : {}),
    ...cacheControl(message),
  };
};

const assistantPart = (part: AssistantPart, at: string): readonly Block[] => {
  switch (part.kind) {
    case 'text':
      return partOf(part, at);
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'thinking': {
      const { signature, redacted, text } = part;
      if (signature?.from !== 'anthropic') return [];
      return redacted === true
        ? [{ type: 'redacted_thinking', data: signature.value }]
        : [{ type: 'thinking', thinking: text, signature: signature.value }];
    }
    case 'tool_call':
      return [{ type: 'tool_use', id: part.id, name: part.name, input: inputOf(part, at), ...cacheControl(part) }];
  }
};

const inputOf = ({ arguments: json, custom }: ToolCallPart, at: string): unknown => {
  if (custom === true) return { input: json };
  if (json.trim() === '') return {};
  try {
    const input = parseExact(json);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  } catch {
    // It is refused like every other value that is not an object.
  }
  return refuse(`${at}.tool_calls`, 'arguments must be a JSON object for the provider of this model.');
};
