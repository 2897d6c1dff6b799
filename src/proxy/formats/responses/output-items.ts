import type { AssistantPart, ToolCallPart } from '../conversation.ts';
import { encryptedContent } from './reasoning.ts';
import type { CalledAs } from './tools.ts';

/** An item of an answer in the shape of the format. It changes in place while a stream adds to it. */
export type OutputItem = {
  readonly id: string;
  readonly type: string;
  status?: string;
  [name: string]: unknown;
};

export type ContentPart = { readonly type: 'output_text' | 'refusal'; [name: string]: unknown };

/** How the calls of each tool are written, by its flat name. */
export type ToolNames = (name: string) => CalledAs | undefined;

export const messageItem = (base: string, index: number): OutputItem & { readonly content: ContentPart[] } => ({
  ...{ id: `msg_${base}_${index}`, type: 'message', status: 'in_progress', role: 'assistant' },
  content: [],
});

export const contentPart = (kind: 'text' | 'refusal', text: string): ContentPart =>
  kind === 'text' ? { type: 'output_text', text, annotations: [], logprobs: [] } : { type: 'refusal', refusal: text };

export const reasoningItem = (base: string, index: number): OutputItem & { readonly summary: object[] } => ({
  ...{ id: `rs_${base}_${index}`, type: 'reasoning' },
  summary: [],
  encrypted_content: null,
});

export const summaryPart = (text: string) => ({ type: 'summary_text', text });

/** A tool call. A custom tool that is not among those of the request is called as such. */
export const callItem = (
  base: string,
  index: number,
  { id: callId, name, custom }: Pick<ToolCallPart, 'id' | 'name' | 'custom'>,
  names: ToolNames,
): OutputItem => {
  const known: CalledAs = names(name) ?? { type: custom === true ? 'custom_tool_call' : 'function_call', name };
  const { type, namespace } = known;
  const called = { call_id: callId, name: known.name, ...(namespace === undefined ? {} : { namespace }) };
  const status = 'in_progress';
  switch (type) {
    case 'function_call':
      return { id: `fc_${base}_${index}`, type, status, ...called, arguments: '' };
    case 'custom_tool_call':
      return { id: `ctc_${base}_${index}`, type, status, ...called, input: '' };
    case 'tool_search_call':
      return { id: `tsc_${base}_${index}`, type, status, call_id: callId, execution: 'client', arguments: {} };
  }
};

/** Adds text to a call. The arguments of a search are an object, which is complete only at the end. */
export const withArguments = (item: OutputItem, text: string): void => {
  if (item.type === 'function_call') item['arguments'] = String(item['arguments']) + text;
  else if (item.type === 'custom_tool_call') item['input'] = String(item['input']) + text;
  else item['arguments'] = objectIn(text);
};

const objectIn = (json: string): object => {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
};

/** The parts of a whole answer as items: texts and refusals that follow each other are one message. */
export const outputItems = (parts: readonly AssistantPart[], base: string, names: ToolNames): readonly OutputItem[] => {
  const items: OutputItem[] = [];
  let message: ReturnType<typeof messageItem> | undefined;
  for (const part of parts) {
    const index = items.length;
    if (part.kind === 'text' || part.kind === 'refusal') {
      if (!message) items.push((message = { ...messageItem(base, index), status: 'completed' }));
      message.content.push(contentPart(part.kind, part.text));
      continue;
    }
    message = undefined;
    if (part.kind === 'thinking') {
      const item = reasoningItem(base, index);
      if (part.text !== '') item.summary.push(summaryPart(part.text));
      if (part.signature) item['encrypted_content'] = encryptedContent(part.signature, part.redacted);
      items.push(item);
    } else {
      const item: OutputItem = { ...callItem(base, index, part, names), status: 'completed' };
      withArguments(item, part.arguments);
      items.push(item);
    }
  }
  return items;
};
