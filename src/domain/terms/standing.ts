import type { TermsDocument } from './events.ts';
import { termsInForce, type VersionInForce } from './in-force.ts';

/** `past`: another version has replaced it. */
export type Standing = 'in_force' | 'upcoming' | 'past' | 'withdrawn';

export type WithStanding<Version> = Version & {
  readonly standing: Standing;
  /** When it came or comes into force; null if it was withdrawn. */
  readonly since: Date | null;
  /** When the next version replaces this one. Null without a next version. */
  readonly until: Date | null;
};

type Published = VersionInForce & { readonly publishedAt: Date };

/** The versions of a document with their standing at a time, oldest first. `all` is in the order of the log. */
export const versionsAt = <Version extends Published>(
  all: readonly Version[],
  document: TermsDocument,
  at: Date,
): readonly WithStanding<Version>[] => {
  const inForce = termsInForce(all, document, at);
  const versions = all.filter((one) => one.document === document);
  return versions.map((one, n) => {
    if (one.withdrawn) return { ...one, standing: 'withdrawn', since: null, until: null };
    const next = versions.slice(n + 1).find(({ withdrawn }) => !withdrawn);
    const since = sinceOf(one);
    const standing = one === inForce ? 'in_force' : since > at ? 'upcoming' : 'past';
    return { ...one, standing, since, until: next ? sinceOf(next) : null };
  });
};

const sinceOf = ({ effectiveAt, publishedAt }: Published): Date => effectiveAt ?? publishedAt;
