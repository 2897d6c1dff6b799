/**
 * The shortest time before a change of prices or documents takes effect, in ms. A node whose copy of the log is older than
 * 30 s accepts no completions, so every node that accepts them has the change before its effect. The other 30 s allow for
 * clocks that differ.
 */
export const MIN_AHEAD_MS = 60_000;

/** How long before its effect a change that may be worse for customers is announced (clauses 5 and 11 of the terms), in ms. */
export const NOTICE_MS = 14 * 24 * 60 * 60 * 1000;

export type TooSoon = 'takes_effect_too_soon' | 'notice_too_short';

/** Why a change that needs `aheadMs` cannot take effect at that time; undefined if it can. */
export const tooSoon = (at: Date, effectiveFrom: Date, aheadMs: number): TooSoon | undefined => {
  const ahead = effectiveFrom.getTime() - at.getTime();
  if (ahead < MIN_AHEAD_MS) return 'takes_effect_too_soon';
  return ahead < aheadMs ? 'notice_too_short' : undefined;
};
