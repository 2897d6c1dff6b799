import { parseExact } from '../../json/exact-json.ts';
import type { NeutralAnswer } from '../../providers/answer.ts';
import type { AssistantPart, ThinkingPart } from '../conversation.ts';
import type { Frame } from '../format.ts';
import { writtenSignature } from '../signatures.ts';
import { stopReasonOf } from './stop-reasons.ts';

/** A message without its content, as the SDKs declare it. */
export const messageFrame = ({ id, model }: Frame) => ({
  ...{ id, type: 'message', role: 'assistant', model },
  ...{
    stop_reason: null as string | null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
  },
});

/** A whole answer in Anthropic's shape, without the usage. */
export const answerOf = (frame: Frame, { choices: [choice] }: NeutralAnswer): string => {
  const { parts = [], finishReason = null } = choice ?? {};
  const hasToolCalls = parts.some(({ kind }) => kind === 'tool_call');
  return JSON.stringify({
    ...messageFrame(frame),
    stop_reason: stopReasonOf(finishReason, hasToolCalls),
    content: parts.map(blockOf),
  });
};

const blockOf = (part: AssistantPart): object => {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return textBlock(part.text);
    case 'thinking':
      return thinkingBlock(part);
    case 'tool_call':
      return { ...toolBlock(part.id, part.name), input: inputOf(part.arguments) };
  }
};

/** An empty list, which every client reads: the type of Anthropic's client needs the field, and `@ai-sdk/anthropic` refuses null. */
export const textBlock = (text: string) => ({ type: 'text', text, citations: [] });

export const toolBlock = (id: string, name: string) => ({
  type: 'tool_use',
  id,
  name,
  input: {},
  caller: { type: 'direct' },
});

/** Reasoning that was not signed, or whose signature comes later, has an empty signature. */
export const thinkingBlock = ({ text, signature, redacted }: Pick<ThinkingPart, 'text' | 'signature' | 'redacted'>) => {
  const written = signature ? writtenSignature(signature, 'anthropic') : '';
  return redacted === true
    ? { type: 'redacted_thinking', data: written }
    : { type: 'thinking', thinking: text, signature: written };
};

/** The input of a tool. A model may write one that is not valid JSON. It was paid for, so it is passed on as text. */
export const inputOf = (json: string): unknown => {
  if (json === '') return {};
  try {
    return parseExact(json);
  } catch {
    return json;
  }
};
