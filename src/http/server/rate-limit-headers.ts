import type { ServerResponse } from 'node:http';
import type { PacesNow } from '../../domain/account/limits/within-limits.ts';

/** The state of the per-minute limits of an account and a key, as last known to this process. */
export type RateLimits = (accountId: string, keyId: string) => PacesNow;

/** Sets OpenAI's rate limit headers; none if there is no limit. */
export const tellRateLimits = (response: ServerResponse, limits: PacesNow): void => {
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
