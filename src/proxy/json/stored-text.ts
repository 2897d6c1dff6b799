/**
 * A text of an upstream as it may be stored: no longer than so many characters, and without what PostgreSQL takes for no
 * text (NUL, halves of surrogate pairs) or a terminal for a command.
 */
export const storable = (text: string, maxChars: number): string =>
  text
    .slice(0, maxChars)
    .toWellFormed()
    // eslint-disable-next-line no-control-regex -- control characters are what must go
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
