import type { CompletionRequest } from './request.ts';

/** Words of one choice, as they came. */
export type Spoken = { readonly choice: number; readonly words: string };

/** The text of each choice. Those of several come in turns, and no token is of two. */
export const textsOf = (spoken: readonly Spoken[]): readonly string[] => {
  const texts = new Map<number, string>();
  for (const { choice, words } of spoken) texts.set(choice, (texts.get(choice) ?? '') + words);
  return [...texts.values()];
};

/** What a model said of its own where it was asked to say the prompt first, which providers bill as input alone. */
export const withoutEcho = ({ fields }: CompletionRequest, texts: readonly string[]): readonly string[] => {
  const { echo, prompt } = fields;
  if (echo !== true || typeof prompt !== 'string') return texts;
  return texts.map((text) => (text.startsWith(prompt) || prompt.startsWith(text) ? text.slice(prompt.length) : text));
};
