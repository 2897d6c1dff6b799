import { asList, field, strings } from '../../json/untyped-json.ts';

/**
 * The output text of a choice: `text` in the legacy format, else that of its message or delta. Together sends `text`
 * beside a delta as well, empty for tool calls; if the two differ, the longer one counts.
 */
export const textOf = (choice: unknown, message: 'delta' | 'message'): string => {
  const [text, output] = [field(choice, 'text'), textOfMessage(field(choice, message))];
  return typeof text === 'string' && text.length > output.length ? text : output;
};

/** Fields of a message that are not output: ids, names, kinds, and signatures that only the provider reads. */
const isNoOutput =
  /^(?:role|name|channel|recipient|phase|status|type|id)$|(?:_id|signature|_opaque)$|^(?:encrypted|audio)_/i;

/** All output text of a message or a delta: content, refusal, reasoning, tool arguments. */
export const textOfMessage = (message: unknown): string => {
  if (typeof message !== 'object' || message === null) return '';
  const members = message as Readonly<Record<string, unknown>>;
  let output = '';
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (isRepeated(message, name, value)) continue;
    if (typeof value === 'string') output += isNoOutput.test(name) ? '' : value;
    else if (name === 'content') output += textOfParts(value);
    else if (name === 'tool_calls' && Array.isArray(value)) for (const call of value) output += textOfCall(call);
    else if (name === 'function_call') output += textOfCall({ function: value });
    else if (name === 'reasoning_details' && !hasReasoningText(message)) output += textOfDetails(value);
  }
  return output;
};

/** Some providers send reasoning under the newer and the older name, and MiniMax also between tags of its content. */
const isRepeated = (message: object, name: string, value: unknown): boolean => {
  if ((name !== 'reasoning' && name !== 'reasoning_content') || typeof value !== 'string') return false;
  const content = field(message, 'content');
  return (
    (name === 'reasoning' && value === field(message, 'reasoning_content')) ||
    // Only up to the end of a tag, because searching one long text in another may take quadratic time.
    (typeof content === 'string' && content.slice(0, value.length + MAX_TAG_CHARS).includes(value))
  );
};

/** Includes the blank lines around a tag. */
const MAX_TAG_CHARS = 32;

/** OpenRouter and MiniMax send reasoning in parts beside the same text in one piece; other providers in parts alone. */
const hasReasoningText = (message: object): boolean =>
  [field(message, 'reasoning'), field(message, 'reasoning_content')].some(
    (text) => typeof text === 'string' && text !== '',
  );

const textOfDetails = (details: unknown): string =>
  asList(details)
    .flatMap((part) => [...strings(field(part, 'text')), ...strings(field(part, 'summary'))])
    .join('');

/** Mistral sends reasoning in parts, which have parts of their own. Not recursive, because JSON may nest too deeply. */
const textOfParts = (parts: unknown): string => {
  let output = '';
  const left = [parts];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === 'string') output += next;
    for (const part of asList(next).toReversed()) {
      const text = field(part, 'text');
      left.push(field(part, 'thinking'), typeof text === 'string' ? text : undefined);
    }
  }
  return output;
};

type Called = { readonly name?: unknown; readonly arguments?: unknown; readonly input?: unknown };

/** A custom tool has an input of text instead of arguments. */
const textOfCall = (call: unknown): string => {
  const { function: called, custom } = (call ?? {}) as { readonly function?: Called; readonly custom?: Called };
  return [called?.name, called?.arguments, custom?.name, custom?.input]
    .filter((part) => typeof part === 'string')
    .join('');
};
