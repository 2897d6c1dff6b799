/** On disk: names of documents are never changed. */
export const documents = ['terms', 'acceptable_use', 'privacy'] as const;
export type TermsDocument = (typeof documents)[number];

/** A version of a document, as it was announced. */
export type AnnouncedVersion = {
  readonly document: TermsDocument;
  /** A date, with a number if a day has several: `2026-12-20`, `2026-12-20.2`. Versions sort as text. */
  readonly version: string;
  /** Of the text. */
  readonly sha256: string;
  /** What changes, in one or two sentences for customers; empty for the first version. */
  readonly summary: string;
  readonly significant: boolean;
  /** Null: in force from its publication, as the first version of a document is. */
  readonly effectiveAt: Date | null;
};

export type TermsEvent =
  /** finance: nothing. A version of a document was announced. */
  | ({ readonly type: 'TermsPublished' } & AnnouncedVersion)
  /** finance: nothing. An announced version will not take effect. */
  | {
      readonly type: 'TermsWithdrawn';
      readonly document: TermsDocument;
      readonly version: string;
      readonly reason: string;
    };
