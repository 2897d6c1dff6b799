/**
 * The shortest time before a change of prices or documents takes effect, in ms. A node whose copy of the log is older than
 * 30 s accepts no completions, so all nodes that do have the change before its effect, whatever their clocks differ by.
 */
export const MIN_AHEAD_MS = 60_000;

/** The notice of what may be worse for customers (clauses 1 and 5 of the terms), in ms. */
export const NOTICE_MS = 14 * 24 * 60 * 60 * 1000;

export type TooSoon = 'takes_effect_too_soon' | 'notice_too_short';

/** Why a change that needs `aheadMs` cannot take effect at that time; undefined if it can. */
export const tooSoon = (at: Date, effectiveFrom: Date, aheadMs: number): TooSoon | undefined => {
  const ahead = effectiveFrom.getTime() - at.getTime();
  if (ahead < MIN_AHEAD_MS) return 'takes_effect_too_soon';
  return ahead < aheadMs ? 'notice_too_short' : undefined;
};
