import { field } from '../../json/untyped-json.ts';

/** Deltas that are not billed as output: signatures, and quotations of the input. */
const unbilledDeltas: readonly unknown[] = ['signature_delta', 'citations_delta'];

/** The text of a delta that is billed as output. Of a delta of an unknown type that is every text. */
export const textOfDelta = (delta: unknown): string =>
  unbilledDeltas.includes(field(delta, 'type')) ? '' : textsOf(delta, ['type']);

/** The text of a content block that is billed as output: text, thinking, the name of a tool and its input. */
export const textOfBlock = (block: unknown): string => {
  const type = field(block, 'type');
  if (type === 'redacted_thinking') return '';
  const input = field(block, 'input');
  const isEmpty = typeof input !== 'object' || input === null || Object.keys(input).length === 0;
  return textsOf(block, ['type', 'id', 'signature', 'tool_use_id', 'data']) + (isEmpty ? '' : JSON.stringify(input));
};

const textsOf = (value: unknown, except: readonly string[]): string => {
  if (typeof value !== 'object' || value === null) return '';
  let text = '';
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'string' && !except.includes(name)) text += member;
  }
  return text;
};
