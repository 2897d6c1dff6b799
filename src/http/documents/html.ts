import { readFileSync } from 'node:fs';
import type { RequestHandler, Response } from 'express';
import { documents } from '../../domain/terms/events.ts';
import { documentNames, documentPaths } from '../../domain/terms/names.ts';

/** The style of this origin, and no script. The empty icon is a data URL. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const escape = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');

const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

/** Such as `30 November 2026 at 10:00 UTC`. */
export const dated = (time: Date): string =>
  `<time datetime="${time.toISOString()}">${escape(DATE.format(time))} UTC</time>`;

export type Page = {
  /** Plain text. */
  readonly title: string;
  /** From the page to the root of the gateway, such as `../`, because a proxy may serve it under a path. */
  readonly root: string;
  /** HTML. */
  readonly main: string;
};

export const pageOf = ({ title, root, main }: Page): string => {
  const links = documents.map(
    (document) => `<a href="${root}${documentPaths[document].slice(1)}">${escape(documentNames[document])}</a>`,
  );
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8" />',
    '<meta name="viewport" content="width=device-width" />',
    `<title>${escape(title)} · KissAPI</title>`,
    '<link rel="icon" href="data:," />',
    `<link rel="stylesheet" href="${root}documents.css" />`,
    '</head>',
    '<body>',
    `<nav aria-label="Documents">${links.join('\n')}</nav>`,
    `<main>\n${main}\n</main>`,
    '</body>',
    '</html>',
  ];
  return `${lines.join('\n')}\n`;
};

const withPolicy = (response: Response): Response =>
  response.set({
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'cache-control': 'no-cache',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  });

export const sendPage = (response: Response, page: Page): void =>
  void withPolicy(response).type('html').send(pageOf(page));

export const styleOfDocuments = (): RequestHandler => {
  const style = readFileSync(new URL('documents.css', import.meta.url), 'utf8');
  return (_request, response) => void withPolicy(response).type('css').send(style);
};
