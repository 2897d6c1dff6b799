import { createTwoFilesPatch, diffLines, diffWordsWithSpace, type ChangeObject } from 'diff';

export type Part = { readonly kind: 'same' | 'added' | 'removed'; readonly text: string };
/** Lines that both texts have, or lines that differ. */
export type Change =
  { readonly kind: 'same'; readonly text: string } | { readonly kind: 'changed'; readonly parts: readonly Part[] };

/** The time of a comparison grows with the square of the differences, so it is bounded. */
const MOST_LINES = 1000;
const MOST_WORDS = 400;
/** Paragraphs with a smaller equal part are shown one after the other. */
const LEAST_ALIKE = 0.3;

const partOf = ({ value, added, removed }: ChangeObject<string>): Part => ({
  kind: added ? 'added' : removed ? 'removed' : 'same',
  text: value,
});

/** The differences between two texts: by lines, and by words within a line. */
export const changesBetween = (before: string, after: string): readonly Change[] => {
  const lines = diffLines(before, after, { maxEditLength: MOST_LINES })?.map(partOf);
  if (!lines) return [{ kind: 'changed', parts: replaced(before, after) }];
  const changes: Change[] = [];
  for (let n = 0; n < lines.length; n++) {
    const [line, next] = [lines[n], lines[n + 1]];
    if (!line) continue;
    if (line.kind === 'same') changes.push({ kind: 'same', text: line.text });
    else if (line.kind === 'removed' && next?.kind === 'added') {
      changes.push({ kind: 'changed', parts: wordsBetween(line.text, next.text) });
      n++;
    } else changes.push({ kind: 'changed', parts: [line] });
  }
  return changes;
};

const replaced = (before: string, after: string): readonly Part[] => [
  { kind: 'removed', text: before },
  { kind: 'added', text: after },
];

const wordsBetween = (before: string, after: string): readonly Part[] => {
  const words = diffWordsWithSpace(before, after, { maxEditLength: MOST_WORDS })?.map(partOf);
  const alike = words?.reduce((sum, { kind, text }) => sum + (kind === 'same' ? text.length : 0), 0) ?? 0;
  return words && alike >= LEAST_ALIKE * Math.min(before.length, after.length) ? words : replaced(before, after);
};

export type NamedText = { readonly name: string; readonly text: string };

const HEADER = /^=+\n/;

/** The differences as a unified diff, for programs. */
export const patchBetween = (before: NamedText, after: NamedText): string =>
  createTwoFilesPatch(before.name, after.name, before.text, after.text, undefined, undefined, {
    maxEditLength: MOST_LINES,
  })?.replace(HEADER, '') ??
  `The texts of ${before.name} and ${after.name} have too little in common to be compared.\n`;
