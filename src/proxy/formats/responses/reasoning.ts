import { asList, field, strings } from '../../json/untyped-json.ts';
import type { Signature, ThinkingPart } from '../conversation.ts';
import { readSignature, writtenSignature } from '../signatures.ts';

/** Before the signature of another provider's redacted reasoning, which has no text. No signature begins like this. */
const REDACTED = 'redacted.';

/** A signature as `encrypted_content`, which carries reasoning from one request to the next. */
export const encryptedContent = ({ from, value }: Signature, redacted: boolean | undefined): string =>
  writtenSignature({ from, value: redacted === true && from !== 'openai' ? REDACTED + value : value }, 'openai');

/** The reasoning of an item; nothing if it has neither a text nor a signature. */
export const readReasoning = (item: unknown): readonly ThinkingPart[] => {
  const text = [...asList(field(item, 'summary')), ...asList(field(item, 'content'))]
    .flatMap((part) => strings(field(part, 'text')))
    .join('\n\n');
  const encrypted = field(item, 'encrypted_content');
  if (typeof encrypted !== 'string' || encrypted === '') return text === '' ? [] : [{ kind: 'thinking', text }];
  const { from, value } = readSignature(encrypted, 'openai');
  const isMarked = value.startsWith(REDACTED);
  const isRedacted = from === 'openai' ? text === '' : isMarked;
  const signature = { from, value: isMarked ? value.slice(REDACTED.length) : value };
  return [{ kind: 'thinking', text, signature, ...(isRedacted ? { redacted: true } : {}) }];
};

/** Whether OpenAI can read a reasoning item without having stored it. */
export const isReadableByOpenAi = (item: unknown): boolean => {
  const encrypted = field(item, 'encrypted_content');
  return typeof encrypted === 'string' && readSignature(encrypted, 'openai').from === 'openai';
};
