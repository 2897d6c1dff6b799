import type { DocumentVersion } from '../projections/views/terms-list.ts';

/** Every version of every document, in the order of the log. */
export type ListTerms = () => readonly DocumentVersion[];

/** The text of a version by its SHA-256; undefined if no node has stored it yet. */
export type FindTermsText = (sha256: string) => Promise<Buffer | undefined>;
