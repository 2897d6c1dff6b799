import { field } from '../../json/untyped-json.ts';
import { choicesOf, type Chunk } from './chunk.ts';

/**
 * The text of a chunk around its one piece of output. Most chunks of a stream differ only in that piece, and comparing
 * them with the template takes a fraction of the time of parsing them.
 */
export type ChunkTemplate = {
  readonly choice: number;
  readonly before: string;
  readonly after: string;
  /** What surrounds the piece in the event as it is passed on. */
  readonly wireBefore: string;
  readonly wireAfter: string;
  /** Whether the event is passed on unchanged. */
  readonly passes: boolean;
};

/** Stands for the piece while a template is learnt. Its length is that of a long piece. */
const PIECE = '<a piece of output that is in no template>';

/** A chunk as the reader reads it. */
export type ReadChunk = {
  readonly parts: readonly { readonly choice: number; readonly text: string; readonly finishReason: string | null }[];
  /** The event for clients. */
  readonly wire: string;
  readonly passes: boolean;
};

/**
 * The template of a chunk. Undefined unless the chunk has one choice whose delta is nothing but one piece of output, and
 * the reader reads any other piece in its place: `read` returns undefined for a chunk that is more than a delta.
 */
export const learnTemplate = (
  data: string,
  chunk: Chunk,
  read: (data: string) => ReadChunk | undefined,
): ChunkTemplate | undefined => {
  const [choice, another] = choicesOf(chunk);
  const delta = field(choice, 'delta');
  if (another || typeof delta !== 'object' || delta === null || field(choice, 'text') !== undefined) return undefined;
  const [piece, ...rest] = Object.values(delta) as unknown[];
  if (typeof piece !== 'string' || rest.length > 0 || !isPlain(piece)) return undefined;
  const start = data.indexOf(`"${piece}"`) + 1;
  if (start === 0) return undefined;
  const trial = data.slice(0, start) + PIECE + data.slice(start + piece.length);
  const same = read(trial);
  const [part] = same?.parts ?? [];
  if (!same || same.parts.length !== 1 || part?.text !== PIECE || part.finishReason !== null) return undefined;
  // Parts of `trial`, because parts of `data` would keep all in memory that arrived with it.
  const [before = '', after = '', ...others] = trial.split(PIECE);
  const [wireBefore = '', wireAfter = '', ...more] = same.wire.split(PIECE);
  if (others.length > 0 || more.length > 0) return undefined;
  return { choice: part.choice, before, after, wireBefore, wireAfter, passes: same.passes };
};

/** The piece of output of a chunk, as it is written there; undefined if the chunk is not of the template. */
export const pieceOf = ({ before, after }: ChunkTemplate, data: string): string | undefined => {
  const end = data.length - after.length;
  // Comparing slices takes half the time of `startsWith`.
  if (end < before.length || data.slice(end) !== after || data.slice(0, before.length) !== before) return undefined;
  return data.slice(before.length, end);
};

/** V8 keeps the whole text in memory for a slice of at least this length. A parsed string is a copy. */
const LEAST_SHARED = 13;

/** The text of a piece; undefined if a JSON string with these characters would not end after them. */
export const textOfPiece = (piece: string): string | undefined => {
  if (piece.length < LEAST_SHARED && isPlain(piece)) return piece;
  try {
    return JSON.parse(`"${piece}"`) as string;
  } catch {
    return undefined;
  }
};

const [QUOTE, BACKSLASH, SPACE] = [0x22, 0x5c, 0x20];

/** Whether a JSON string of this text has exactly these characters: no quotes, escapes or control characters. */
const isPlain = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE || code === BACKSLASH || code < SPACE) return false;
  }
  return true;
};
