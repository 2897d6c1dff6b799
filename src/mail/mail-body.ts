/** A part of a mail. One source for plain text and HTML. */
export type MailBlock =
  | { readonly kind: 'paragraph'; readonly text: string }
  /** A one-time code, on a line of its own. */
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'link'; readonly label: string; readonly url: string }
  | { readonly kind: 'facts'; readonly facts: readonly (readonly [name: string, value: string])[] };

export type MailBody = { readonly subject: string; readonly blocks: readonly MailBlock[] };

export const paragraph = (text: string): MailBlock => ({ kind: 'paragraph', text });
export const code = (text: string): MailBlock => ({ kind: 'code', code: text });
export const link = (label: string, url: string): MailBlock => ({ kind: 'link', label, url });
export const facts = (...all: readonly (readonly [string, string])[]): MailBlock => ({ kind: 'facts', facts: all });

/** RFC 5322 recommends 78 characters and allows 998. */
const LINE = 76;
const MAX_NAME = 80;

/**
 * A name that a customer chose, as one line of limited length. A mail client must not make a link of it, or a mail from us
 * could carry links of a stranger.
 */
export const nameInMail = (name: string): string =>
  Array.from(name.replace(/[\p{C}\p{Z}]+/gu, ' ').trim())
    .slice(0, MAX_NAME)
    .join('')
    .replace(/[./:@\\]/g, '$&\u2060');

const MAX_TEXT = 2000;
/** The longest word that is not broken: a line has at most 998 characters (RFC 5322), also after escaping. */
const LONG_WORD = /\S{180}(?=\S)/gu;

/** A text of the operator or of staff, as one line of limited length. */
export const textInMail = (text: string, most = MAX_TEXT): string =>
  Array.from(text.replace(/[\p{C}\p{Z}]+/gu, ' ').trim())
    .slice(0, most)
    .join('')
    .replace(LONG_WORD, '$& ');

/** Breaks lines at blanks. A word that is longer than a line stays whole, because it may be a link. */
const wrap = (text: string): string => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length >= LINE) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join('\n');
};

const textOf = (block: MailBlock): string => {
  switch (block.kind) {
    case 'paragraph':
      return wrap(block.text);
    case 'code':
      return `    ${block.code}`;
    case 'link':
      return `${wrap(`${block.label}:`)}\n${block.url}`;
    case 'facts':
      return block.facts.map(([name, value]) => wrap(`${name}: ${value}`)).join('\n');
  }
};

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (mark) => ESCAPES[mark] ?? mark);

const htmlOf = (block: MailBlock): string => {
  switch (block.kind) {
    case 'paragraph':
      return `<p>${wrap(escapeHtml(block.text))}</p>`;
    case 'code':
      return `<p style="font-family: monospace; font-size: 1.5em">${escapeHtml(block.code)}</p>`;
    case 'link':
      return `<p><a\nhref="${escapeHtml(block.url)}"\n>${wrap(escapeHtml(block.label))}</a></p>`;
    case 'facts':
      return [
        '<table>',
        ...block.facts.map(([name, value]) =>
          wrap(`<tr><th align="left">${escapeHtml(name)}</th> <td>${escapeHtml(value)}</td></tr>`),
        ),
        '</table>',
      ].join('\n');
  }
};

export const renderText = ({ blocks }: MailBody): string => `${blocks.map(textOf).join('\n\n')}\n`;

/** No picture, script or style sheet: a mail loads nothing. */
export const renderHtml = ({ subject, blocks }: MailBody): string =>
  [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>`,
    '<body>',
    ...blocks.map(htmlOf),
    '</body>',
    '</html>',
    '',
  ].join('\n');
