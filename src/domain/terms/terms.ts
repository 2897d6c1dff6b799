import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import type { AnnouncedVersion, TermsDocument, TermsEvent } from './events.ts';
import { MIN_AHEAD_MS, NOTICE_MS, tooSoon } from '../notice.ts';

export type PublishTerms = AnnouncedVersion & {
  readonly type: 'PublishTerms';
  /** The time of the decision. */
  readonly at: Date;
};
export type WithdrawTerms = {
  readonly type: 'WithdrawTerms';
  readonly document: TermsDocument;
  readonly version: string;
  readonly reason: string;
  readonly at: Date;
};
export type TermsCommand = PublishTerms | WithdrawTerms;

export type TermsRefusal = {
  readonly code:
    | 'terms_version_changed'
    | 'terms_version_not_newer'
    | 'notice_too_short'
    | 'takes_effect_too_soon'
    | 'takes_effect_before_another_version'
    | 'terms_version_in_force'
    | 'terms_version_not_found';
};

export type KnownVersion = AnnouncedVersion & { readonly withdrawn: boolean };

/** Every version of every document, in the order of the log, which is the order of the versions of a document. */
export type Terms = readonly KnownVersion[];

export const TERMS_STREAM = 'terms';

export const findVersion = <Version extends Pick<AnnouncedVersion, 'document' | 'version'>>(
  all: readonly Version[],
  document: TermsDocument,
  version: string,
): Version | undefined => all.find((one) => one.document === document && one.version === version);

const evolve = (terms: Terms, event: TermsEvent): Terms => {
  switch (event.type) {
    case 'TermsPublished': {
      const { type: _, ...announced } = event;
      return [...terms, { ...announced, withdrawn: false }];
    }
    case 'TermsWithdrawn': {
      const { document, version } = event;
      return terms.map((one) =>
        one.document === document && one.version === version ? { ...one, withdrawn: true } : one,
      );
    }
  }
};

const sameTime = (a: Date | null, b: Date | null): boolean => a?.getTime() === b?.getTime();

/** Customers rely on what was announced, so nothing of it ever changes under its version. */
const isSame = (a: AnnouncedVersion, b: AnnouncedVersion): boolean =>
  a.sha256 === b.sha256 &&
  a.summary === b.summary &&
  a.significant === b.significant &&
  sameTime(a.effectiveAt, b.effectiveAt);

const publish = ({ type: _, at, ...announced }: PublishTerms, terms: Terms): Decision<TermsEvent, TermsRefusal> => {
  const { document, version, significant, effectiveAt } = announced;
  const known = findVersion(terms, document, version);
  // A withdrawn version stays withdrawn: its text needs a newer one.
  if (known?.withdrawn) return refuse({ code: 'terms_version_not_newer' });
  if (known) return isSame(known, announced) ? accept() : refuse({ code: 'terms_version_changed' });
  const others = terms.filter((one) => one.document === document);
  // A document without a version binds no customer, so its first one needs no notice.
  if (others.length === 0) return accept({ type: 'TermsPublished', ...announced, effectiveAt: null });
  if (others.some((one) => one.version >= version)) return refuse({ code: 'terms_version_not_newer' });
  if (effectiveAt === null) return refuse({ code: 'takes_effect_too_soon' });
  const code = tooSoon(at, effectiveAt, significant ? NOTICE_MS : MIN_AHEAD_MS);
  if (code) return refuse({ code });
  const isBefore = (one: KnownVersion): boolean => one.effectiveAt !== null && effectiveAt < one.effectiveAt;
  if (others.some((one) => !one.withdrawn && isBefore(one))) {
    return refuse({ code: 'takes_effect_before_another_version' });
  }
  return accept({ type: 'TermsPublished', ...announced });
};

/** Allowed until a minute before its effect: after that, some nodes would not have the withdrawal in time. */
const withdraw = (
  { document, version, reason, at }: WithdrawTerms,
  terms: Terms,
): Decision<TermsEvent, TermsRefusal> => {
  const known = findVersion(terms, document, version);
  if (!known) return refuse({ code: 'terms_version_not_found' });
  if (known.withdrawn) return accept();
  const aheadMs = known.effectiveAt === null ? 0 : known.effectiveAt.getTime() - at.getTime();
  if (aheadMs < MIN_AHEAD_MS) return refuse({ code: 'terms_version_in_force' });
  return accept({ type: 'TermsWithdrawn', document, version, reason });
};

export const termsDecider: Decider<Terms, TermsCommand, TermsEvent, TermsRefusal> = {
  initial: () => [],
  evolve,
  decide: (command, terms) => {
    switch (command.type) {
      case 'PublishTerms':
        return publish(command, terms);
      case 'WithdrawTerms':
        return withdraw(command, terms);
    }
  },
};

/** Notice and time for the announcement to be sent. */
const AHEAD_BY_DEFAULT_MS = { significant: NOTICE_MS + 5 * 60_000, other: 2 * MIN_AHEAD_MS } as const;

/**
 * When a version takes effect if no time is asked for. A version that was announced before keeps its time, so that a
 * repeated command changes nothing.
 */
export const effectByDefault = (
  terms: Terms,
  { document, version, significant, at }: Pick<PublishTerms, 'document' | 'version' | 'significant' | 'at'>,
): Date | null => {
  const known = findVersion(terms, document, version);
  if (known) return known.effectiveAt;
  const others = terms.filter((one) => one.document === document);
  if (others.length === 0) return null;
  const soonest = at.getTime() + AHEAD_BY_DEFAULT_MS[significant ? 'significant' : 'other'];
  const announced = others.flatMap(({ effectiveAt, withdrawn }) =>
    withdrawn || effectiveAt === null ? [] : [effectiveAt.getTime()],
  );
  return new Date(Math.max(soonest, ...announced));
};
