import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

export type TermsFile = {
  /** As an operator names it: `legal/terms-2026-11-24.md`. */
  readonly file: string;
  readonly version: string;
  readonly text: Buffer;
  readonly sha256: string;
};

/** A version is a date, with a number if there are several of one day: versions sort as text. */
const NAME = /^terms-(\d{4}-\d\d-\d\d(?:\.\d+)?)\.md$/;

/** The Terms of Service that this software comes with, oldest first. */
export const readTermsFiles = async (
  folder = new URL('../../legal/', import.meta.url),
): Promise<readonly TermsFile[]> => {
  const found = (await readdir(folder)).flatMap((name) => {
    const version = NAME.exec(name)?.[1];
    return version === undefined ? [] : [{ name, version }];
  });
  const read = async ({ name, version }: (typeof found)[number]): Promise<TermsFile> => {
    const text = await readFile(new URL(name, folder));
    return { file: `legal/${name}`, version, text, sha256: hash('sha256', text, 'hex') };
  };
  return (await Promise.all(found.map(read))).toSorted((a, b) => (a.version < b.version ? -1 : 1));
};
