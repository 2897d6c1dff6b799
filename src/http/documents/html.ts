import { readFileSync } from 'node:fs';
import type { RequestHandler, Response } from 'express';
import { documents } from '../../domain/terms/events.ts';
import { documentNames, documentPaths } from '../../domain/terms/names.ts';
import { escapeHtml, pageOf, withPolicy } from '../pages/html.ts';

const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

/** Such as `30 November 2026 at 10:00 UTC`. */
export const dated = (time: Date): string =>
  `<time datetime="${time.toISOString()}">${escapeHtml(DATE.format(time))} UTC</time>`;

export type DocumentPage = {
  /** Plain text. */
  readonly title: string;
  /** From the page to the root of the gateway, such as `../`, because a proxy may serve it under a path. */
  readonly root: string;
  /** HTML. */
  readonly main: string;
};

const documentPage = ({ title, root, main }: DocumentPage): string => {
  const links = documents.map(
    (document) => `<a href="${root}${documentPaths[document].slice(1)}">${escapeHtml(documentNames[document])}</a>`,
  );
  const nav = [`<nav aria-label="Documents">${links.join('\n')}</nav>`];
  return pageOf({ title, style: `${root}documents.css`, nav, main: [main] });
};

export const sendPage = (response: Response, page: DocumentPage): void =>
  void withPolicy(response, { cache: 'no-cache' }).type('html').send(documentPage(page));

export const styleOfDocuments = (): RequestHandler => {
  const style = readFileSync(new URL('documents.css', import.meta.url), 'utf8');
  return (_request, response) => void withPolicy(response, { cache: 'no-cache' }).type('css').send(style);
};
