import { InvalidArgumentError } from 'commander';
import { documents, type TermsDocument } from '../../domain/terms/events.ts';
import { isTermsVersion } from '../../domain/terms/names.ts';
import { versionsAt, type WithStanding } from '../../domain/terms/standing.ts';
import { TERMS_STREAM } from '../../domain/terms/terms.ts';
import { streamPages } from '../../eventstore/event-store.ts';
import { decodeFact } from '../../eventstore/journal/codec.ts';
import { createTermsTexts } from '../../eventstore/journal/terms-texts.ts';
import { createTermsList, type DocumentVersion } from '../../projections/views/terms-list.ts';
import { plain } from '../account-history/plain-text.ts';
import { CliFault } from '../terminal/fault.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { readLogClock } from '../../eventstore/postgres/log-clock.ts';

export type Version = WithStanding<DocumentVersion>;

/** Parses the name of a document, with a hyphen or an underscore. */
export const documentNamed = (text: string): TermsDocument => {
  const document = documents.find((one) => one === text.replaceAll('-', '_'));
  if (!document) throw new InvalidArgumentError('It must be terms, acceptable-use or privacy.');
  return document;
};

export const versionNamed = (text: string): string => {
  if (isTermsVersion(text)) return text;
  throw new InvalidArgumentError(
    'It must be a date, such as 2026-12-20, or 2026-12-20.2 for a second one of that day.',
  );
};

/** The versions of a document by the clock of the log, oldest first. */
export const readVersions = async (
  { store, url }: OpenDatabase,
  document: TermsDocument,
): Promise<readonly Version[]> => {
  const list = createTermsList();
  for await (const page of streamPages(store, TERMS_STREAM)) {
    const facts = page.map(decodeFact);
    await list.apply(facts, facts.at(-1)?.position ?? 0, 0);
  }
  const { now } = await readLogClock(url);
  return versionsAt(list.all(), document, now);
};

/** A version by its name; without one, the version in force. */
export const versionOf = (versions: readonly Version[], wanted: string | undefined): Version => {
  const found = versions.find((one) => (wanted === undefined ? one.standing === 'in_force' : one.version === wanted));
  if (found) return found;
  throw new CliFault(
    wanted === undefined
      ? 'The log has no version of this document.'
      : `There is no version ${wanted}. npm run terms -- list shows all versions.`,
  );
};

export const readText = async ({ url }: OpenDatabase, { version, sha256 }: Version): Promise<string> => {
  const texts = createTermsTexts(url);
  try {
    const text = await texts.find(sha256);
    if (text) return text.toString();
    throw new CliFault(`The database does not have the text of version ${version}.`);
  } finally {
    await texts.close();
  }
};

/** Removes control characters that could rewrite the lines of a terminal; tabs stay. */
export const printable = (line: string): string => line.split('\t').map(plain).join('\t');
