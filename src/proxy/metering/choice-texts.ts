import { strings } from '../json/untyped-json.ts';
import type { CompletionRequest } from '../formats/request.ts';

/** Words of one choice, as they came. */
export type Spoken = { readonly choice: number; readonly words: string };

/** The text of each choice, in the order of choices. Those of several come in turns, and no token is of two. */
export const textsOf = (spoken: readonly Spoken[]): readonly string[] => {
  const texts = new Map<number, string>();
  for (const { choice, words } of spoken) texts.set(choice, (texts.get(choice) ?? '') + words);
  return [...texts].sort(([a], [b]) => a - b).map(([, text]) => text);
};

/** The prompts that a model was asked to say first. Only the legacy format has that: what others call so may be anything. */
const echoed = ({ endpoint, fields: { echo, prompt } }: CompletionRequest): readonly string[] =>
  endpoint === '/completions' && echo === true ? strings(prompt) : [];

export const hasEcho = (request: CompletionRequest): boolean => echoed(request).length > 0;

/**
 * What a model said of its own where it was asked to say the prompt first, which providers bill as input alone. Of several
 * prompts the choices come in the order of those, as many of each.
 */
export const withoutEcho = (request: CompletionRequest, texts: readonly string[]): readonly string[] => {
  const prompts = echoed(request);
  if (prompts.length === 0) return texts;
  const ofEach = Number(request.fields['n'] ?? 1);
  return texts.map((text, n) => {
    const prompt = prompts[Math.floor(n / ofEach)] ?? '';
    return text.startsWith(prompt) || prompt.startsWith(text) ? text.slice(prompt.length) : text;
  });
};
