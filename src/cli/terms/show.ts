import { createTwoFilesPatch } from 'diff';
import type { TermsDocument } from '../../domain/terms/events.ts';
import { CliFault } from '../terminal/fault.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { print, type ExitCode } from '../terminal/run.ts';
import { printable, readText, readVersions, versionOf } from './documents.ts';

type Wanted = { readonly document: TermsDocument; readonly version: string | undefined };

/** Prints the text of a version; by default of the version in force. */
export const showTerms = async (database: OpenDatabase, { document, version }: Wanted): Promise<ExitCode> => {
  const text = await readText(database, versionOf(await readVersions(database, document), version));
  await printLines(text);
  return 0;
};

/** Prints the differences between a version and the one before, or another one, as a unified diff. */
export const diffTerms = async (
  database: OpenDatabase,
  { document, version, from }: Wanted & { readonly from: string | undefined },
): Promise<ExitCode> => {
  const versions = await readVersions(database, document);
  const standing = versions.filter(({ withdrawn }) => !withdrawn);
  const after = version === undefined ? standing.at(-1) : versionOf(versions, version);
  if (!after) throw new CliFault('The log has no version of this document.');
  const before =
    from === undefined ? standing.findLast((one) => one.version < after.version) : versionOf(versions, from);
  if (!before)
    throw new CliFault(`Version ${after.version} is the first one: there is no version before it to compare with.`);
  const [old, current] = [await readText(database, before), await readText(database, after)];
  await printLines(createTwoFilesPatch(before.version, after.version, old, current).replace(/^=+\n/, ''));
  return 0;
};

const printLines = async (text: string): Promise<void> => {
  for (const line of text.replace(/\n$/, '').split(/\r?\n/)) await print(printable(line));
};
