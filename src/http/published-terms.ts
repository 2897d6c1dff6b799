/** A version of the Terms of Service that was published, and when it came into force. */
export type PublishedTerms = { readonly version: string; readonly sha256: string; readonly since: Date };

/** Oldest first; the last is in force. */
export type ListTerms = () => readonly PublishedTerms[];
