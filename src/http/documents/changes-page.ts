import type { TermsDocument } from '../../domain/terms/events.ts';
import { documentNames, documentPaths } from '../../domain/terms/names.ts';
import type { Change, Part } from './changes.ts';
import { escapeHtml } from '../pages/html.ts';
import { dated, type DocumentPage } from './html.ts';
import type { Version } from './version-page.ts';

type Shown = {
  readonly document: TermsDocument;
  readonly from: Version;
  readonly to: Version;
  readonly changes: readonly Change[];
  readonly root: string;
};

/** The number of unchanged lines shown before and after a difference; the others are folded. */
const CONTEXT_LINES = 3;

/** The differences between two versions. */
export const changesPage = ({ document, from, to, changes, root }: Shown): DocumentPage => {
  const name = documentNames[document];
  const link = ({ version }: Version): string =>
    `<a href="${root}${documentPaths[document].slice(1)}/${version}">${escapeHtml(version)}</a>`;
  const effect = to.standing === 'upcoming' && to.since ? ` It takes effect on ${dated(to.since)}.` : '';
  const differs = changes.some(({ kind }) => kind === 'changed');
  return {
    title: `${name}: what changes with version ${to.version}`,
    root,
    main: [
      `<h1>${escapeHtml(name)}: what changes</h1>`,
      `<p>From version ${link(from)} to version ${link(to)}.${effect}</p>`,
      ...(to.summary === '' ? [] : [`<p>${escapeHtml(to.summary)}</p>`]),
      differs
        ? '<p><ins>Added text</ins> and <del>removed text</del> are marked.</p>'
        : '<p>The two texts are the same.</p>',
      `<div class="changes">${changes.map(shownChange).join('')}</div>`,
    ].join('\n'),
  };
};

const ELEMENTS = { same: 'span', added: 'ins', removed: 'del' } as const;

const shownPart = ({ kind, text }: Part): string => {
  const element = ELEMENTS[kind];
  return `<${element}>${escapeHtml(text)}</${element}>`;
};

const shownChange = (change: Change): string => {
  if (change.kind === 'changed') return change.parts.map(shownPart).join('');
  const lines = change.text.split(/(?<=\n)/);
  const folded = lines.slice(CONTEXT_LINES, -CONTEXT_LINES);
  if (folded.length <= 1) return `<span>${escapeHtml(change.text)}</span>`;
  const shown = (some: readonly string[]): string => `<span>${escapeHtml(some.join(''))}</span>`;
  return (
    shown(lines.slice(0, CONTEXT_LINES)) +
    `<details><summary>${folded.length} lines that stay the same</summary>${shown(folded)}</details>` +
    shown(lines.slice(-CONTEXT_LINES))
  );
};
