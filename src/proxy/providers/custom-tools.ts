import type { Tool } from '../formats/conversation.ts';
import { field } from '../json/untyped-json.ts';

/** A tool whose input is text. A provider without such tools gets it as a function with one string. */
export type CustomTool = Extract<Tool, { readonly kind: 'custom' }>;

const schema = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
};

/** The function for a custom tool. A grammar becomes part of the description, because a function has none. */
export const functionOf = ({ name, description, format }: CustomTool) => {
  const grammar = grammarOf(format);
  const rule = grammar && `The input must match this ${grammar.syntax} grammar:\n${grammar.definition}`;
  const text = [description, rule].filter((part) => part !== undefined && part !== '').join('\n\n');
  return { name, ...(text === '' ? {} : { description: text }), schema };
};

/** The grammar of a custom tool, in the shape of OpenAI's chat or of its responses. */
export const grammarOf = (format: unknown): { readonly syntax: string; readonly definition: string } | undefined => {
  const grammar = field(format, 'grammar') ?? format;
  const [syntax, definition] = [field(grammar, 'syntax'), field(grammar, 'definition')];
  return typeof syntax === 'string' && typeof definition === 'string' ? { syntax, definition } : undefined;
};

export const customNames = (tools: readonly Tool[]): ReadonlySet<string> =>
  new Set(tools.flatMap((tool) => (tool.kind === 'custom' ? [tool.name] : [])));

/** The arguments of the function for this input. */
export const wrapped = (input: string): string => JSON.stringify({ input });

/** The reverse of `wrapped`. Arguments of another shape are the input as they are: the model ignored the schema. */
export const unwrapped = (json: string): string => {
  const reader = createInputReader();
  return reader.read(json) + reader.end();
};

/** How the arguments of a function for a custom tool begin. */
const beginning = /^\s*\{\s*"input"\s*:\s*"/;
/** The beginning is shorter, unless the arguments are of another shape. */
const LONGEST_BEGINNING = 64;

export type InputReader = {
  /** The part of the input that this piece of the arguments completes. */
  read(piece: string): string;
  /** What is left at the end of the arguments. */
  end(): string;
};

/**
 * Reads the input of a custom tool from pieces of the arguments of its function, as they arrive. Arguments of another
 * shape are returned as they are.
 */
export const createInputReader = (): InputReader => {
  let waiting = '';
  let state: 'before' | 'within' | 'after' | 'other' = 'before';
  const take = (length: number): string => {
    const taken = waiting.slice(0, length);
    waiting = waiting.slice(length);
    return taken;
  };
  const begin = (isLast: boolean): void => {
    const [begun] = beginning.exec(waiting) ?? [];
    if (begun !== undefined) state = 'within';
    else if (isLast || waiting.length >= LONGEST_BEGINNING) state = 'other';
    take(begun?.length ?? 0);
  };
  const read = (piece: string, isLast: boolean): string => {
    if (state === 'after') return '';
    waiting += piece;
    if (state === 'before') begin(isLast);
    if (state === 'other') return take(waiting.length);
    if (state === 'before') return '';
    const { length, closed } = readString(waiting);
    if (closed) state = 'after';
    return decoded(take(length));
  };
  return { read: (piece) => read(piece, false), end: () => read('', true) };
};

/** How much of the text are complete characters of a JSON string, and whether the string ends there. */
const readString = (text: string): { readonly length: number; readonly closed: boolean } => {
  let at = 0;
  while (at < text.length) {
    if (text[at] === '"') return { length: at, closed: true };
    const size = text[at] !== '\\' ? 1 : text[at + 1] === 'u' ? 6 : 2;
    if (at + size > text.length) break;
    at += size;
  }
  return { length: at, closed: false };
};

/** The text of these characters of a JSON string. Some models write line breaks without an escape. */
const decoded = (characters: string): string => {
  try {
    // eslint-disable-next-line no-control-regex -- JSON allows none of them in a string
    const escaped = characters.replace(/[\u0000-\u001f]/g, (character) => JSON.stringify(character).slice(1, -1));
    return JSON.parse(`"${escaped}"`) as string;
  } catch {
    return characters;
  }
};
