import type { Response } from 'express';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (mark) => ESCAPES[mark] ?? mark);

/** The style of this origin, and no script. The empty icon is a data URL. `forms`: where the forms of the page may be sent. */
const policyOf = (forms: "'none'" | "'self'"): string =>
  [
    "default-src 'none'",
    "style-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    `form-action ${forms}`,
    "frame-ancestors 'none'",
  ].join('; ');

export const withPolicy = (response: Response, forms: "'none'" | "'self'" = "'none'"): Response =>
  response.set({
    'content-security-policy': policyOf(forms),
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  });

/** A page. `title`, `lang` and the address of the style are ours; the body is escaped by the caller. */
export const pageOf = (title: string, style: string, body: readonly string[], head: readonly string[] = []): string =>
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
    '<main>',
    ...body,
    '</main>',
    '</body>',
    '</html>',
  ].join('\n')}\n`;
