import type { AnnouncedVersion, TermsDocument } from './events.ts';

/** What decides whether a version is in force. */
export type VersionInForce = Pick<AnnouncedVersion, 'document' | 'version' | 'effectiveAt'> & {
  readonly withdrawn: unknown;
};

const stands = (one: VersionInForce, document: TermsDocument): boolean => one.document === document && !one.withdrawn;

const hasEffect = ({ effectiveAt }: VersionInForce, at: Date): boolean => effectiveAt === null || effectiveAt <= at;

/** The version of a document that is in force at a time; undefined before the first. `all` is in the order of the log. */
export const termsInForce = <Version extends VersionInForce>(
  all: readonly Version[],
  document: TermsDocument,
  at: Date,
): Version | undefined => all.findLast((one) => stands(one, document) && hasEffect(one, at));

/**
 * The newest version that customers were notified of and that has taken effect. A later one without a notice, such as a
 * correction, includes its changes.
 */
export const lastSignificant = <Version extends VersionInForce & Pick<AnnouncedVersion, 'significant'>>(
  all: readonly Version[],
  document: TermsDocument,
  at: Date,
): Version | undefined => all.findLast((one) => one.significant && stands(one, document) && hasEffect(one, at));

/** The announced versions that take effect after a time, the next one first. */
export const upcomingTerms = <Version extends VersionInForce>(
  all: readonly Version[],
  document: TermsDocument,
  at: Date,
): readonly Version[] => all.filter((one) => stands(one, document) && !hasEffect(one, at));
