/** Letters that Unicode does not decompose, as they are written without a keyboard that has them. */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ...([
    ['ø', 'o'],
    ['ł', 'l'],
    ['đ', 'd'],
    ['æ', 'ae'],
    ['œ', 'oe'],
    ['þ', 'th'],
    ['ð', 'd'],
  ] as const),
]);

const MIN_CHARACTERS = 2;
/** A name has at most 200 characters. */
const MAX_WORDS = 50;

/** Upper case first, because some letters, such as ß, have no other common form. */
const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[øłđæœþð]/g, (letter) => PLAIN.get(letter) ?? letter);

/** The words that a name is found by: without case, diacritics and punctuation, each once, at least two characters long. */
export const searchWords = (name: string): readonly string[] =>
  [...new Set(fold(name).match(/[\p{L}\p{N}]+/gu))]
    .filter((word) => [...word].length >= MIN_CHARACTERS)
    .slice(0, MAX_WORDS);
