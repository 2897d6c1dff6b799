import type { Response } from 'express';
import type { PacesNow } from '../../domain/account/within-limits.ts';

/** How an account stands to the limits by the minute of itself and of a key, as this process last knew it. */
export type RateLimits = (accountId: string, keyId: string) => PacesNow;

/** The headers that OpenAI's clients know; none where there is no limit. */
export const tellRateLimits = (response: Response, limits: PacesNow): void => {
  for (const pace of ['requests', 'tokens'] as const) {
    const now = limits[pace];
    if (!now) continue;
    response.setHeader(`x-ratelimit-limit-${pace}`, now.limit);
    response.setHeader(`x-ratelimit-remaining-${pace}`, now.remaining);
    response.setHeader(`x-ratelimit-reset-${pace}`, duration(now.resetMs));
  }
};

/** `12ms`, `7s`, `1m3s`. */
export const duration = (ms: number): string => {
  if (ms < 1000) return `${ms}ms`;
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
};
