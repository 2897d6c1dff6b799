/**
 * Makes a text of an upstream safe to store: at most so many characters, none of which PostgreSQL rejects (NUL, lone
 * surrogates) or a terminal executes as a command.
 */
export const storable = (text: string, maxChars: number): string =>
  text
    .slice(0, maxChars)
    .toWellFormed()
    // eslint-disable-next-line no-control-regex -- control characters are what must go
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
