import { accept, refuse, type Decider, type Decision } from '../decider.ts';

/** finance: nothing. A version of the Terms of Service came into force; the hash identifies its text. */
export type TermsEvent = { readonly type: 'TermsPublished'; readonly version: string; readonly sha256: string };

export type PublishTerms = { readonly type: 'PublishTerms'; readonly version: string; readonly sha256: string };
export type TermsRefusal = { readonly code: 'terms_version_changed' };

/** The versions published so far, oldest first; the last is in force. */
export type Terms = readonly { readonly version: string; readonly sha256: string }[];

export const evolveTerms = (terms: Terms, { version, sha256 }: TermsEvent): Terms => [...terms, { version, sha256 }];

export const decideTerms = ({ version, sha256 }: PublishTerms, terms: Terms): Decision<TermsEvent, TermsRefusal> => {
  const known = terms.find((one) => one.version === version);
  // Customers accepted the published text, so another text must be another version.
  if (known) return known.sha256 === sha256 ? accept() : refuse({ code: 'terms_version_changed' });
  const inForce = terms.at(-1);
  // Versions are dates, which sort as text. A node with older files must not put older terms into force again.
  if (inForce && version < inForce.version) return accept();
  return accept({ type: 'TermsPublished', version, sha256 });
};

export const TERMS_STREAM = 'terms';

export const termsDecider: Decider<Terms, PublishTerms, TermsEvent, TermsRefusal> = {
  initial: () => [],
  evolve: evolveTerms,
  decide: decideTerms,
};
