import { finishReasonOf } from '../../formats/messages/stop-reasons.ts';
import type { AssistantPart } from '../../formats/conversation.ts';
import { parseExact } from '../../json/exact-json.ts';
import { asList, field, isThere } from '../../json/untyped-json.ts';
import type { Metered, NeutralAnswer } from '../provider.ts';
import { unwrapped } from '../custom-tools.ts';
import { isOtherTier } from '../service-tier.ts';
import { textOfBlock } from './output-text.ts';
import { usageAfter, withIterations } from './usage.ts';

/** How an answer is read. */
export type Reading = {
  /** The customer's format is that of the provider. */
  readonly isNative: boolean;
  readonly customTools: ReadonlySet<string>;
};

/** Whether the JSON of an event, or of an answer, is an error. */
export const isFailure = (json: string): boolean => {
  const value = parse(json);
  return field(value, 'type') === 'error' || isThere(field(value, 'error'));
};

/** Undefined if the text is not valid JSON. */
export const parse = (json: string, read: (json: string) => unknown = JSON.parse): unknown => {
  try {
    return read(json);
  } catch {
    return undefined;
  }
};

/** Reads a whole message; undefined if it is not one. */
export const readMessage = (
  json: string,
  { isNative, customTools }: Reading,
): { readonly metered: Metered; readonly content: string | NeutralAnswer } | undefined => {
  const message = isNative ? parse(json) : parse(json, parseExact);
  const content = field(message, 'content');
  if (!Array.isArray(content) || field(message, 'type') === 'error') return undefined;
  const [id, reason, usage] = [field(message, 'id'), field(message, 'stop_reason'), field(message, 'usage')];
  const finishReason = typeof reason === 'string' ? finishReasonOf(reason) : null;
  const metered: Metered = {
    upstreamId: typeof id === 'string' ? id : null,
    finishReason,
    usage: isThere(usage) ? withIterations(usageAfter({}, usage)) : undefined,
    texts: [content.map(textOfBlock).join('')],
    ...(isOtherTier({ usage }) ? { otherTier: true } : {}),
  };
  if (isNative) return { metered, content: json };
  const parts = [...asList(content).flatMap((block) => partOf(block, customTools)), ...refusalIn(message)];
  const native = typeof reason === 'string' ? { nativeFinishReason: reason } : {};
  return { metered, content: { choices: [{ parts, finishReason, ...native }] } };
};

/** Anthropic's explanation of a refusal, beside the stop reason. The model did not generate it. */
export const refusalIn = (stopped: unknown): readonly { readonly kind: 'refusal'; readonly text: string }[] => {
  const text = field(field(stopped, 'stop_details'), 'explanation');
  return typeof text === 'string' && text !== '' ? [{ kind: 'refusal', text }] : [];
};

/** A content block as a part of a message. Blocks of tools that Anthropic runs cannot be asked for. */
const partOf = (block: unknown, customTools: ReadonlySet<string>): readonly AssistantPart[] => {
  const text = (name: string): string => {
    const value = field(block, name);
    return typeof value === 'string' ? value : '';
  };
  switch (field(block, 'type')) {
    case 'text':
      return [{ kind: 'text', text: text('text') }];
    case 'thinking': {
      const signature = { signature: { from: 'anthropic' as const, value: text('signature') } };
      return [{ kind: 'thinking', text: text('thinking'), ...(text('signature') === '' ? {} : signature) }];
    }
    case 'redacted_thinking':
      return [{ kind: 'thinking', text: '', signature: { from: 'anthropic', value: text('data') }, redacted: true }];
    case 'tool_use': {
      const json = JSON.stringify(field(block, 'input') ?? {});
      const called = { kind: 'tool_call' as const, id: text('id'), name: text('name') };
      const isCustom = customTools.has(called.name);
      return [isCustom ? { ...called, arguments: unwrapped(json), custom: true } : { ...called, arguments: json }];
    }
    default:
      return [];
  }
};
