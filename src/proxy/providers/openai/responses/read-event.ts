import { asList, field, isThere, strings } from '../../../json/untyped-json.ts';
import type { DeltaPart, Piece } from '../../answer.ts';

export type ResponseEvent = Readonly<Record<string, unknown>>;

/** The pieces of an answer that an event has. Most events only begin or end what the others contain. */
export const piecesIn = (event: ResponseEvent): readonly Piece[] => {
  const { type, delta, output_index: at, item } = event;
  const index = typeof at === 'number' ? at : 0;
  const text = typeof delta === 'string' ? delta : '';
  switch (type) {
    case 'response.output_text.delta':
      return [{ kind: 'text', text }];
    case 'response.refusal.delta':
      return [{ kind: 'refusal', text }];
    case 'response.reasoning_text.delta':
    case 'response.reasoning_summary_text.delta':
      return [{ kind: 'thinking', text }];
    case 'response.function_call_arguments.delta':
      return [{ kind: 'tool_call', index, arguments: text }];
    case 'response.custom_tool_call_input.delta':
      return [{ kind: 'tool_call', index, arguments: text, custom: true }];
    case 'response.output_item.added':
      return beginningOf(item, index);
    case 'response.output_item.done':
      return signatureOf(item);
    default:
      return [];
  }
};

const beginningOf = (item: unknown, index: number): readonly Piece[] => {
  const [type, id, name] = [field(item, 'type'), field(item, 'call_id'), field(item, 'name')];
  if (typeof id !== 'string' || typeof name !== 'string') return [];
  return [{ kind: 'tool_call', index, id, name, ...(type === 'custom_tool_call' ? { custom: true } : {}) }];
};

const signatureOf = (item: unknown): readonly Piece[] => {
  const value = field(item, 'encrypted_content');
  if (field(item, 'type') !== 'reasoning' || typeof value !== 'string') return [];
  return [{ kind: 'thinking', text: '', signature: { from: 'openai', value } }];
};

/** The text of an event that is billed as output. */
const billedText = (pieces: readonly Piece[], { delta }: ResponseEvent): string => {
  const text = pieces
    .map((piece) => (piece.kind === 'tool_call' ? (piece.name ?? '') + (piece.arguments ?? '') : piece.text))
    .join('');
  return text === '' && typeof delta === 'string' ? delta : text;
};

/** An event as it is metered; nothing if it has no output. */
export const partsIn = (event: ResponseEvent): readonly DeltaPart[] => {
  const pieces = piecesIn(event);
  const text = billedText(pieces, event);
  return pieces.length === 0 && text === '' ? [] : [{ choice: 0, text, finishReason: null, pieces }];
};

/** Why a response ended, in the words of OpenAI's chat. */
export const finishReasonOf = (response: unknown): string => {
  const reason = field(field(response, 'incomplete_details'), 'reason');
  if (reason === 'content_filter') return 'content_filter';
  if (isThere(reason) || field(response, 'status') === 'incomplete') return 'length';
  const calls = asList(field(response, 'output')).some((item) => String(field(item, 'type')).endsWith('_call'));
  return calls ? 'tool_calls' : 'stop';
};

/** All output text of an item of a whole response. */
export const textOfItem = (item: unknown): string =>
  [
    ...strings(field(item, 'name')),
    ...strings(field(item, 'arguments')),
    ...strings(field(item, 'input')),
    ...[...asList(field(item, 'summary')), ...asList(field(item, 'content'))].flatMap((part) => [
      ...strings(field(part, 'text')),
      ...strings(field(part, 'refusal')),
    ]),
  ].join('');
