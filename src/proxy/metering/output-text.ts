/** A piece of the output text of one choice, as it arrived. */
export type OutputText = { readonly choice: number; readonly text: string };

/** A position in the output text of a stream. */
export type StreamOffset = {
  /** Of the text in UTF-8. No token has less than one byte, so bytes bound the tokens. */
  readonly bytes: number;
  /** The number of pieces in which the text arrived. */
  readonly pieces: number;
};

/** The text of each choice, in the order of choices. A token never spans two choices, which take turns in a stream. */
export const textsOf = (output: readonly OutputText[]): readonly string[] => {
  const texts = new Map<number, string>();
  for (const { choice, text } of output) texts.set(choice, (texts.get(choice) ?? '') + text);
  return [...texts].sort(([a], [b]) => a - b).map(([, text]) => text);
};

export const bytesOf = (texts: readonly string[]): number =>
  texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0);
