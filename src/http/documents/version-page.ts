import type { TermsDocument } from '../../domain/terms/events.ts';
import { documentNames, documentPaths } from '../../domain/terms/names.ts';
import type { WithStanding } from '../../domain/terms/standing.ts';
import type { DocumentVersion } from '../../projections/views/terms-list.ts';
import { escapeHtml } from '../pages/html.ts';
import { dated, type DocumentPage } from './html.ts';
import { markdownAsHtml } from './markdown.ts';

export type Version = WithStanding<DocumentVersion>;

type Shown = {
  readonly document: TermsDocument;
  /** Oldest first. */
  readonly versions: readonly Version[];
  readonly shown: Version;
  readonly text: string;
  readonly root: string;
};

/** The version to compare with: the newest older one that was not withdrawn. */
export const versionBefore = (versions: readonly Version[], one: Version): Version | undefined =>
  versions.slice(0, versions.indexOf(one)).findLast(({ withdrawn }) => !withdrawn);

/** A version as a page: notices, the text, and the list of all versions. */
export const versionPage = ({ document, versions, shown, text, root }: Shown): DocumentPage => {
  const name = documentNames[document];
  const path = (rest: string): string => `${root}${documentPaths[document].slice(1)}${rest}`;
  const changesLink = (one: Version): string =>
    versionBefore(versions, one) ? ` <a href="${path(`/${one.version}/changes`)}">What changes, word by word</a>` : '';
  return {
    title: shown.standing === 'in_force' ? name : `${name}, version ${shown.version}`,
    root,
    main: [
      ...(shown.standing === 'in_force' ? [] : [notice(shown, path(''), changesLink(shown))]),
      ...versions
        .filter((one) => one.standing === 'upcoming' && one !== shown)
        .map((one) => coming(one, path, changesLink(one))),
      `<article>\n${markdownAsHtml(text)}</article>`,
      listOf(versions, shown, path),
    ].join('\n'),
  };
};

/** A remark above a version that is not in force. */
const notice = ({ standing, since, until, summary, withdrawn }: Version, inForce: string, changes: string): string => {
  const link = `<a href="${inForce}">Read the version in force.</a>`;
  const what = summary === '' ? '' : `<p>${escapeHtml(summary)}</p>`;
  if (standing === 'upcoming' && since) {
    return `<aside class="coming"><p><strong>This version takes effect on ${dated(since)}.</strong> ${link}${changes}</p>${what}</aside>`;
  }
  if (withdrawn) {
    return `<aside><p><strong>This version was withdrawn and never took effect.</strong> ${link}</p></aside>`;
  }
  const end = until ? ` until ${dated(until)}` : '';
  return `<aside><p><strong>This version was in force${end}.</strong> ${link}</p></aside>`;
};

const coming = ({ version, since, summary }: Version, path: (rest: string) => string, changes: string): string =>
  `<aside class="coming"><p><strong>Version ${escapeHtml(version)} takes effect${since ? ` on ${dated(since)}` : ''}.</strong> ` +
  `<a href="${path(`/${version}`)}">Read it.</a>${changes}</p><p>${escapeHtml(summary)}</p></aside>`;

const statusOf = ({ standing, since, until }: Version): string => {
  switch (standing) {
    case 'in_force':
      return `in force since ${since ? dated(since) : ''}`;
    case 'upcoming':
      return `takes effect on ${since ? dated(since) : ''}`;
    case 'past':
      return `in force from ${since ? dated(since) : ''}${until ? ` to ${dated(until)}` : ''}`;
    case 'withdrawn':
      return 'withdrawn';
  }
};

const listOf = (versions: readonly Version[], shown: Version, path: (rest: string) => string): string => {
  const rows = versions.toReversed().map((one) => {
    const here = one === shown ? ' aria-current="page"' : '';
    const changes = versionBefore(versions, one)
      ? `<a href="${path(`/${one.version}/changes`)}">differences</a>`
      : 'first version';
    return (
      `<tr><td><a href="${path(`/${one.version}`)}"${here}>${escapeHtml(one.version)}</a></td>` +
      `<td>${statusOf(one)}</td><td>${escapeHtml(one.summary)}</td><td>${changes}</td></tr>`
    );
  });
  return [
    '<section class="versions">',
    '<h2 id="versions">Versions</h2>',
    '<table>',
    '<thead><tr><th scope="col">Version</th><th scope="col">Status</th><th scope="col">What changed</th><th scope="col">To the version before</th></tr></thead>',
    `<tbody>\n${rows.join('\n')}\n</tbody>`,
    '</table>',
    '</section>',
  ].join('\n');
};
