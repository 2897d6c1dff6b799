import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { TermsDocument } from '../domain/terms/events.ts';
import { isTermsVersion } from '../domain/terms/names.ts';

export type TermsFile = {
  /** For example `legal/terms-2026-11-24.md`. */
  readonly file: string;
  readonly document: TermsDocument;
  readonly version: string;
  readonly text: Buffer;
  readonly sha256: string;
};

const DOCUMENTS: Readonly<Record<string, TermsDocument>> = {
  terms: 'terms',
  'acceptable-use': 'acceptable_use',
  privacy: 'privacy',
};

const NAME = /^([a-z-]+)-(\d{4}-[\d.-]+)\.md$/;

/** The starter texts of this software, those of a document oldest first. */
export const readTermsFiles = async (
  folder = new URL('../../legal/', import.meta.url),
): Promise<readonly TermsFile[]> => {
  const found = (await readdir(folder)).flatMap((name) => {
    const [, named = '', version = ''] = NAME.exec(name) ?? [];
    const document = DOCUMENTS[named];
    return document === undefined || !isTermsVersion(version) ? [] : [{ name, document, version }];
  });
  const read = async ({ name, ...one }: (typeof found)[number]): Promise<TermsFile> => {
    const text = await readFile(new URL(name, folder));
    return { file: `legal/${name}`, ...one, text, sha256: hash('sha256', text, 'hex') };
  };
  return (await Promise.all(found.map(read))).toSorted((a, b) => (a.version < b.version ? -1 : 1));
};
