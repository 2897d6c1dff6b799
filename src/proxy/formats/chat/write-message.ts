import type { Piece } from '../../providers/answer.ts';
import type { AssistantPart, Signature, ThinkingPart, ToolCallPart } from '../conversation.ts';

/** The names of `reasoning_details[].format`, which OpenRouter introduced. */
export const signatureFormats = {
  anthropic: 'anthropic-claude-v1',
  gemini: 'google-gemini-v1',
  openai: 'openai-responses-v1',
} as const satisfies Record<Signature['from'], string>;

/** A message of the assistant in OpenAI's chat format. */
export const messageOf = (parts: readonly AssistantPart[]) => {
  const { calls, details } = withSignedCalls(parts);
  const texts = textsOf(parts, 'text');
  const refusals = textsOf(parts, 'refusal');
  const thoughts = textsOf(parts, 'thinking').join('');
  return {
    role: 'assistant',
    content: texts.length === 0 ? null : texts.join(''),
    refusal: refusals.length === 0 ? null : refusals.join(''),
    ...(thoughts === '' ? {} : { reasoning: thoughts }),
    ...(details.length === 0 ? {} : { reasoning_details: details.map(detailOf) }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(({ call, signature }) => callOf(call, signature)) }),
  };
};

/** The delta of a choice in OpenAI's chat format; empty at the end of a choice. */
export const deltaOf = (pieces: readonly Piece[]) => {
  const { calls, details } = withSignedCalls(pieces);
  const [texts, refusals, thoughts] = [
    textsOf(pieces, 'text'),
    textsOf(pieces, 'refusal'),
    textsOf(pieces, 'thinking').join(''),
  ];
  return {
    ...(texts.length === 0 ? {} : { content: texts.join('') }),
    ...(refusals.length === 0 ? {} : { refusal: refusals.join('') }),
    ...(thoughts === '' ? {} : { reasoning: thoughts }),
    ...(details.length === 0 ? {} : { reasoning_details: details.map(pieceOf) }),
    ...(calls.length === 0
      ? {}
      : { tool_calls: calls.map(({ call, signature }) => ({ index: call.index, ...callOf(call, signature) })) }),
  };
};

type Thinking = Pick<ThinkingPart, 'text' | 'signature' | 'redacted'>;
type Call = Partial<Pick<ToolCallPart, 'id' | 'name' | 'arguments' | 'custom'>>;

const textsOf = (parts: readonly (AssistantPart | Piece)[], kind: 'text' | 'refusal' | 'thinking'): readonly string[] =>
  parts.flatMap((part) => (part.kind === kind ? [part.text] : []));

/**
 * The tool calls, and the reasoning with its signatures. Google's signature of a call is beside the call, as in Google's
 * own OpenAI-shaped endpoint, because clients return that field with the call.
 */
const withSignedCalls = <Part extends AssistantPart | Piece>(parts: readonly Part[]) => {
  type Of<Kind> = Extract<Part, { readonly kind: Kind }>;
  const calls: { readonly call: Of<'tool_call'>; readonly signature: string | undefined }[] = [];
  const details: Of<'thinking'>[] = [];
  let signature: string | undefined;
  parts.forEach((part, index) => {
    const next = parts[index + 1];
    if (part.kind === 'thinking') {
      const signsNext = part.signature?.from === 'gemini' && part.text === '' && next?.kind === 'tool_call';
      if (signsNext) signature = part.signature.value;
      else details.push(part as Of<'thinking'>);
    } else if (part.kind === 'tool_call') {
      calls.push({ call: part as Of<'tool_call'>, signature });
      signature = undefined;
    }
  });
  return { calls, details };
};

const detailOf = ({ text, signature, redacted }: Thinking, index: number) => {
  const format = signature ? signatureFormats[signature.from] : 'unknown';
  // The signature of a thought of Anthropic comes after its text; clients of OpenRouter add it to the detail before.
  const isEncrypted = text === '' && signature && (signature.from !== 'anthropic' || redacted === true);
  return isEncrypted
    ? { type: 'reasoning.encrypted', data: signature.value, ...(redacted === true ? { redacted } : {}), format, index }
    : { type: 'reasoning.text', text, ...(signature ? { signature: signature.value } : {}), format, index };
};

/** Without a signature, the format is left out: clients of OpenRouter join pieces, and keep the first format. */
const pieceOf = (thinking: Thinking, index: number) => {
  const { format, ...piece } = detailOf(thinking, index);
  return format === 'unknown' ? piece : { ...piece, format };
};

const callOf = ({ id, name, arguments: text = '', custom }: Call, signature: string | undefined) => ({
  ...(id === undefined ? {} : { id, type: custom === true ? 'custom' : 'function' }),
  ...(custom === true
    ? { custom: { ...(name === undefined ? {} : { name }), input: text } }
    : { function: { ...(name === undefined ? {} : { name }), arguments: text } }),
  ...(signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } }),
});
