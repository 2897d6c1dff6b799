import type { AssistantPart } from '../../formats/conversation.ts';
import { asList, field, isThere } from '../../json/untyped-json.ts';
import type { Piece } from '../provider.ts';
import { unwrapped } from '../custom-tools.ts';
import { candidateOf, idOf, type Chunk } from './chunk.ts';

/** What one answer has sent so far. It changes in place. */
export type Reading = {
  responseId: string | undefined;
  calls: number;
  /** The names of tools whose input is text. */
  readonly custom: ReadonlySet<string>;
};

export const createReading = (custom: ReadonlySet<string>): Reading => ({ responseId: undefined, calls: 0, custom });

/** A function call arrives whole, so both pieces and parts can be made of it. */
type Read =
  | { readonly kind: 'text'; readonly text: string }
  | Extract<Piece, { readonly kind: 'thinking' }>
  | {
      readonly kind: 'tool_call';
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly arguments: string;
      readonly custom?: true;
    };

export type ReadParts = { readonly pieces: readonly Read[]; readonly text: string };

/** The pieces of a chunk, and all of its text that is billed as output. */
export const readParts = (reading: Reading, chunk: Chunk): ReadParts => {
  reading.responseId ??= idOf(chunk);
  const parts = asList(field(field(candidateOf(chunk), 'content'), 'parts'));
  const pieces = parts.flatMap((part) => piecesOf(reading, part));
  return { pieces, text: pieces.map(textOf).join('') };
};

const textOf = (piece: Read): string => (piece.kind === 'tool_call' ? `${piece.name}${piece.arguments}` : piece.text);

const piecesOf = (reading: Reading, part: unknown): readonly Read[] => {
  const [text, value, call] = [field(part, 'text'), field(part, 'thoughtSignature'), field(part, 'functionCall')];
  const isSigned = typeof value === 'string' && value !== '';
  const signature = { signature: { from: 'gemini' as const, value: String(value) } };
  if (field(part, 'thought') === true) {
    if (typeof text !== 'string') return [];
    return [{ kind: 'thinking', text, ...(isSigned ? signature : {}) }];
  }
  const about: readonly Read[] = isSigned ? [{ kind: 'thinking', text: '', ...signature }] : [];
  if (isThere(call)) return [...about, callOf(reading, call)];
  return typeof text === 'string' && text !== '' ? [...about, { kind: 'text', text }] : about;
};

const callOf = (reading: Reading, call: unknown): Read => {
  const [id, given, args] = [field(call, 'id'), field(call, 'name'), field(call, 'args')];
  const name = typeof given === 'string' ? given : '';
  const json = JSON.stringify(isThere(args) ? args : {});
  const index = reading.calls++;
  return {
    ...{ kind: 'tool_call', index, name },
    id: typeof id === 'string' && id !== '' ? id : derivedId(reading, index),
    ...(reading.custom.has(name) ? { arguments: unwrapped(json), custom: true } : { arguments: json }),
  };
};

const MAX_ID_CHARS = 40;

/** The same for the same answer. Anthropic's clients allow letters, digits, `_` and `-`. */
const derivedId = ({ responseId = '' }: Reading, index: number): string => {
  const origin = responseId.replace(/[^\w-]/g, '').slice(0, MAX_ID_CHARS);
  return `call_${index}${origin === '' ? '' : `_${origin}`}`;
};

/** The pieces of a whole answer as parts: texts that follow each other are one. */
export const partsOf = (pieces: readonly Read[]): readonly AssistantPart[] => {
  const parts: AssistantPart[] = [];
  for (const piece of pieces) {
    const last = parts.at(-1);
    if (piece.kind === 'tool_call') {
      const { index: _, ...call } = piece;
      parts.push(call);
    } else if (piece.kind === 'text' && last?.kind === 'text') parts[parts.length - 1] = joined(last, piece.text);
    else if (piece.kind === 'thinking' && !piece.signature && last?.kind === 'thinking' && !last.signature) {
      parts[parts.length - 1] = joined(last, piece.text);
    } else parts.push(piece);
  }
  return parts;
};

const joined = <Part extends { readonly text: string }>(part: Part, text: string): Part => ({
  ...part,
  text: part.text + text,
});
