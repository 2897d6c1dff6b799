import type { Consumer } from '../follow.ts';

/** A version of the Terms of Service, and when it came into force. */
export type PublishedTerms = { readonly version: string; readonly sha256: string; readonly since: Date };

export type TermsList = Consumer & {
  /** Oldest first; the last is in force. */
  all(): readonly PublishedTerms[];
};

/** The versions of the terms, in memory, from the log. */
export const createTermsList = (): TermsList => {
  let published: readonly PublishedTerms[] = [];
  let position = 0;
  return {
    name: 'terms_list',
    types: new Set(['TermsPublished']),
    position: () => position,
    apply: (batch, upTo) => {
      for (const { event, position: at, time } of batch) {
        if (at <= position || event.type !== 'TermsPublished') continue;
        published = [...published, { version: event.version, sha256: event.sha256, since: time }];
      }
      position = Math.max(position, upTo);
      return position;
    },
    all: () => published,
  };
};
