import { asList, field, strings } from '../json/untyped-json.ts';

/**
 * What a choice says: in the legacy format as a text, else in a message or a delta. Together has the text beside a delta as
 * well, and empty where that calls a tool; where they are not the same, what is more was said.
 */
export const saidIn = (choice: unknown, message: 'delta' | 'message'): string => {
  const [text, words] = [field(choice, 'text'), wordsOf(field(choice, message))];
  return typeof text === 'string' && text.length > words.length ? text : words;
};

/** What stands in a message beside what is said: whose it is, to whom, of what kind, and seals that its maker alone reads. */
const unsaid =
  /^(?:role|name|channel|recipient|phase|status|type|id)$|(?:_id|signature|_opaque)$|^(?:encrypted|audio)_/i;

/** Every string that a message or a delta says: the content, a refusal, reasoning, the arguments of tools. */
export const wordsOf = (said: unknown): string => {
  if (typeof said !== 'object' || said === null) return '';
  let words = '';
  for (const [name, value] of Object.entries(said)) {
    if (isToldTwice(said, name, value)) continue;
    if (typeof value === 'string') words += unsaid.test(name) ? '' : value;
    else if (name === 'content') words += wordsOfParts(value);
    else if (name === 'tool_calls' && Array.isArray(value)) for (const call of value) words += callOf(call);
    else if (name === 'function_call') words += callOf({ function: value });
    else if (name === 'reasoning_details' && !thinksInWords(said)) words += wordsOfDetails(value);
  }
  return words;
};

/** Some say their thoughts under the newer name and under the older, and MiniMax between tags of its content as well. */
const isToldTwice = (said: object, name: string, value: unknown): boolean => {
  if ((name !== 'reasoning' && name !== 'reasoning_content') || typeof value !== 'string') return false;
  const content = field(said, 'content');
  return (
    (name === 'reasoning' && value === field(said, 'reasoning_content')) ||
    // No further on than a tag goes: to look for a long text all over another may take as long as the two multiplied.
    (typeof content === 'string' && content.slice(0, value.length + TAG_AT_MOST).includes(value))
  );
};

/** With the blank lines around it. */
const TAG_AT_MOST = 32;

/** Thoughts in parts are told beside the same in one text by OpenRouter and MiniMax, and alone by others. */
const thinksInWords = (said: object): boolean =>
  [field(said, 'reasoning'), field(said, 'reasoning_content')].some((text) => typeof text === 'string' && text !== '');

const wordsOfDetails = (details: unknown): string =>
  asList(details)
    .flatMap((part) => [...strings(field(part, 'text')), ...strings(field(part, 'summary'))])
    .join('');

/** Mistral says its thoughts in parts, and these in parts of their own. Not by recursion, for JSON may go deeper than that. */
const wordsOfParts = (parts: unknown): string => {
  let words = '';
  const left = [parts];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === 'string') words += next;
    for (const part of asList(next).toReversed()) {
      const text = field(part, 'text');
      left.push(field(part, 'thinking'), typeof text === 'string' ? text : undefined);
    }
  }
  return words;
};

const callOf = (call: unknown): string => {
  const called = (call as { function?: { name?: unknown; arguments?: unknown } } | null)?.function;
  const parts = [called?.name, called?.arguments];
  return parts.filter((part) => typeof part === 'string').join('');
};
