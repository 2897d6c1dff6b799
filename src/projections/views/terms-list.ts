import type { AnnouncedVersion } from '../../domain/terms/events.ts';
import type { Consumer } from '../follow.ts';

/** A version of a document, as the log has it. */
export type DocumentVersion = AnnouncedVersion & {
  readonly publishedAt: Date;
  readonly withdrawn: { readonly at: Date; readonly reason: string } | undefined;
};

export type TermsList = Consumer & {
  /** Every version of every document, withdrawn ones included, in the order of the log. */
  all(): readonly DocumentVersion[];
};

/** The versions of the documents, in memory, from the log. */
export const createTermsList = (): TermsList => {
  let published: readonly DocumentVersion[] = [];
  let position = 0;
  return {
    name: 'terms_list',
    types: new Set(['TermsPublished', 'TermsWithdrawn']),
    position: () => position,
    apply: (batch, upTo) => {
      for (const { event, position: at, time } of batch) {
        if (at <= position) continue;
        if (event.type === 'TermsPublished') {
          const { type: _, ...announced } = event;
          published = [...published, { ...announced, publishedAt: time, withdrawn: undefined }];
        } else if (event.type === 'TermsWithdrawn') {
          const { document, version, reason } = event;
          published = published.map((one) =>
            one.document === document && one.version === version ? { ...one, withdrawn: { at: time, reason } } : one,
          );
        }
      }
      position = Math.max(position, upTo);
      return position;
    },
    all: () => published,
  };
};
