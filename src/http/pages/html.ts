import type { Response } from 'express';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (mark) => ESCAPES[mark] ?? mark);

type PagePolicy = {
  /** Where the forms of the page may be sent. */
  readonly forms?: "'none'" | "'self'";
  readonly cache?: 'no-store' | 'no-cache';
};

/** Allows styles of this origin, and no script. The empty icon is a data URL. */
const contentSecurityPolicy = (forms: string): string =>
  [
    "default-src 'none'",
    "style-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    `form-action ${forms}`,
    "frame-ancestors 'none'",
  ].join('; ');

export const withPolicy = (response: Response, { forms = "'none'", cache = 'no-store' }: PagePolicy = {}): Response =>
  response.set({
    'content-security-policy': contentSecurityPolicy(forms),
    'cache-control': cache,
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  });

type Page = {
  /** Plain text. */
  readonly title: string;
  /** URL of the style sheet. */
  readonly style: string;
  /** Lines of HTML, escaped by the caller. */
  readonly main: readonly string[];
  readonly head?: readonly string[];
  /** HTML between the start of the body and `main`. */
  readonly nav?: readonly string[];
};

export const pageOf = ({ title, style, main, head = [], nav = [] }: Page): string =>
  `${[
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8" />',
    '<meta name="viewport" content="width=device-width" />',
    ...head,
    `<title>${escapeHtml(title)} · KissAPI</title>`,
    '<link rel="icon" href="data:," />',
    `<link rel="stylesheet" href="${escapeHtml(style)}" />`,
    '</head>',
    '<body>',
    ...nav,
    '<main>',
    ...main,
    '</main>',
    '</body>',
    '</html>',
  ].join('\n')}\n`;
