import { documents, type TermsDocument } from '../../domain/terms/events.ts';
import { documentNames } from '../../domain/terms/names.ts';
import { plain } from '../account-history/plain-text.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { print, type ExitCode } from '../terminal/run.ts';
import { readVersions, type Version } from './documents.ts';

/** Prints every version of the documents, the newest first. */
export const listTerms = async (database: OpenDatabase, only: TermsDocument | undefined): Promise<ExitCode> => {
  for (const document of only ? [only] : documents) {
    await print(`${documentNames[document]} (${document})`);
    const versions = await readVersions(database, document);
    if (versions.length === 0) await print('  no version yet');
    for (const version of versions.toReversed()) await print(`  ${lineOf(version)}`);
  }
  return 0;
};

const lineOf = (version: Version): string => {
  const significant = version.significant ? ', significant' : '';
  const summary = version.summary === '' ? '' : `: ${plain(version.summary)}`;
  return `${version.version.padEnd(12)}  ${standingInWords(version)}${significant}${summary}`;
};

export const standingInWords = ({ standing, since, until, withdrawn }: Version): string => {
  switch (standing) {
    case 'in_force':
      return `in force since ${since?.toISOString()}`;
    case 'upcoming':
      return `takes effect at ${since?.toISOString()}`;
    case 'past':
      return `in force from ${since?.toISOString()} to ${until?.toISOString()}`;
    case 'withdrawn':
      return `withdrawn at ${withdrawn?.at.toISOString()} (${plain(withdrawn?.reason ?? '')})`;
  }
};
