import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { describe, expect, it } from 'vitest';
import { pages as notYetPlain } from '../eslint/not-yet-plain.ts';
import { oddWordsOfPage } from '../eslint/plain-words.ts';

/** The pages of the repository. The Terms of Service are published by their hash, so they stay as they are. */
const pages = globSync('**/*.md', { exclude: (path) => /^(?:node_modules|legal|\.kissapi.*)$/.test(path) });
const read = (page: string): string => readFileSync(page, 'utf8');

/** The anchor that GitHub gives to a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const withoutCode = (page: string): string => page.replace(/^( *)```[^]*?^\1```/gm, '').replace(/`[^`\n]*`/g, '``');
const anchorsOf = (page: string): readonly string[] =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

const brokenLinks = (page: string): readonly string[] =>
  [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
    });

describe('every page', () => {
  it.each(pages)('%s links only to files and headings that exist', (page) => expect(brokenLinks(page)).toEqual([]));

  it.each(pages.filter((page) => !notYetPlain.includes(page)))('%s is in plain words', (page) =>
    expect(oddWordsOfPage(read(page)).map(({ line, phrase }) => `${page}:${line + 1}: ${phrase}`)).toEqual([]),
  );
});

it('docs/settings.md lists every setting', () => {
  const settings = [...read('src/config/config.ts').matchAll(/^ {4}([A-Z][A-Z_]+):/gm)].map(([, name = '']) => name);
  expect(settings.length).toBeGreaterThan(25);
  const page = read('docs/settings.md');
  expect(settings.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

it('docs/commands.md lists every command', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
  const page = read('docs/commands.md');
  const contributing = read('CONTRIBUTING.md');
  const listed = (name: string): boolean =>
    [page, contributing].some((text) => new RegExp(`npm (run )?${name}(?![\\w:])`).test(text));
  expect(Object.keys(scripts).filter((name) => !listed(name))).toEqual([]);
});
