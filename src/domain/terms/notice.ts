/**
 * Everything that is announced takes effect at least this long after it was decided, so that all nodes have it by then: a
 * node whose copy of the log is older than 30 s accepts no completions, and the other 30 s cover clocks that differ.
 */
export const MIN_AHEAD_MS = 60_000;

/** Significant changes of a document, higher prices and ends of sale: customers have this long to react (clauses 5 and 11). */
export const NOTICE_MS = 14 * 24 * 60 * 60_000;
