/** A published version of the Terms of Service and the time since which it is in force. */
export type PublishedTerms = { readonly version: string; readonly sha256: string; readonly since: Date };

/** Oldest first; the last is in force. */
export type ListTerms = () => readonly PublishedTerms[];
