/** The stream whose first event identifies the server. */
export const BEGINNING = 'log-begins';
/** The stream to which a start appends, to see whether it can. */
export const STARTS = 'starts';
/** Streams that are not copied. Their names begin like those of the log. */
export const BESIDE_LOG: ReadonlySet<string> = new Set([BEGINNING, STARTS]);
