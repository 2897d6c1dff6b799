/** Words of one choice, as they came. */
export type Spoken = { readonly choice: number; readonly words: string };

/** The text of each choice, in the order of choices. Those of several come in turns, and no token is of two. */
export const textsOf = (spoken: readonly Spoken[]): readonly string[] => {
  const texts = new Map<number, string>();
  for (const { choice, words } of spoken) texts.set(choice, (texts.get(choice) ?? '') + words);
  return [...texts].sort(([a], [b]) => a - b).map(([, text]) => text);
};
