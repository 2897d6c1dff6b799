/** Offsets of a value in a text. `end` is exclusive. */
export type Span = { readonly start: number; readonly end: number };

/** Offsets of a member's value, and of its name with the quotes. */
export type Member = Span & { readonly name: Span };

/**
 * Finds the top-level members of that name in the text of a JSON object, so that one can be replaced and every other
 * byte is kept. There is more than one only if the text repeats the name. The text must be valid JSON. It may be UTF-8
 * decoded as latin1, so that offsets are byte offsets.
 */
export const membersOf = (json: string, name: string): readonly Member[] => {
  const members: Member[] = [];
  let at = skipSpace(json, json.indexOf('{') + 1);
  while (json[at] === '"') {
    const nameEnd = endOfString(json, at);
    const start = skipSpace(json, skipSpace(json, nameEnd) + 1);
    const end = endOfValue(json, start);
    if (isName(json.slice(at, nameEnd), name)) members.push({ start, end, name: { start: at, end: nameEnd } });
    at = skipSpace(json, skipSpace(json, end) + 1);
  }
  return members;
};

/** Removes the members of that name. Every other byte is kept. */
export const withoutMember = (json: string, name: string): string =>
  membersOf(json, name).reduceRight((text, member) => {
    const end = skipSpace(text, member.end);
    if (text[end] === ',') return text.slice(0, member.name.start) + text.slice(skipSpace(text, end + 1));
    const before = text.slice(0, member.name.start).trimEnd();
    return (before.endsWith(',') ? before.slice(0, -1) : before) + text.slice(member.end);
  }, json);

/** Replaces the member of that name, or appends it. Every other byte is kept. */
export const withMember = (json: string, name: string, value: string): string => {
  const span = membersOf(json, name).at(-1);
  if (span) return json.slice(0, span.start) + value + json.slice(span.end);
  const end = json.lastIndexOf('}');
  return `${json.slice(0, end)},"${name}":${value}${json.slice(end)}`;
};

/** Structural characters, and the beginnings of strings. */
const structure = /["{}[\]]/g;

/** A name that occurs twice in one object, with or without escapes. The text must be valid JSON. */
export const repeatedName = (json: string): string | undefined => {
  const open: Set<string>[] = [];
  structure.lastIndex = 0;
  for (let found = structure.exec(json); found; found = structure.exec(json)) {
    const [character] = found;
    if (character === '{' || character === '[') open.push(new Set());
    else if (character !== '"') open.pop();
    else {
      const end = endOfString(json, found.index);
      structure.lastIndex = end;
      if (json[skipSpace(json, end)] !== ':') continue;
      const name = JSON.parse(json.slice(found.index, end)) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return undefined;
};

const isName = (written: string, name: string): boolean =>
  written === `"${name}"` || (written.includes('\\') && JSON.parse(written) === name);

const endOfValue = (json: string, start: number): number => {
  const first = json[start];
  if (first === '"') return endOfString(json, start);
  return first === '{' || first === '[' ? endOfNested(json, start) : endOfScalar(json, start);
};

const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/** The offset after the closing quote of the string that begins at `open`. */
const endOfString = (json: string, open: number): number => {
  const quote = json.indexOf('"', open + 1);
  if (quote < 0) return json.length;
  if (json.charCodeAt(quote - 1) !== BACKSLASH) return quote + 1;
  // A text may have millions of escaped quotes. A loop passes them faster than repeated `indexOf`.
  for (let at = open + 1; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return json.length;
};

const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
/** After so many characters, a pattern finds the next structural one faster: there may be a million numbers before it. */
const LONG_RUN = 64;

const endOfNested = (json: string, open: number): number => {
  let depth = 0;
  let run = 0;
  for (let at = open; at < json.length; at++, run++) {
    if (run > LONG_RUN) at = nextStructural(json, at);
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at) - 1;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) depth++;
    else if (code !== CLOSE_LIST && code !== CLOSE_OBJECT) continue;
    else if (--depth === 0) return at + 1;
    run = 0;
  }
  return json.length;
};

const nextStructural = (json: string, from: number): number => {
  structure.lastIndex = from;
  return structure.exec(json)?.index ?? json.length;
};

const endOfScalar = (json: string, start: number): number => {
  let at = start;
  while (at < json.length && !',} \t\r\n'.includes(json.charAt(at))) at++;
  return at;
};

const skipSpace = (json: string, from: number): number => {
  let at = from;
  while (at < json.length && ' \t\r\n'.includes(json.charAt(at))) at++;
  return at;
};
