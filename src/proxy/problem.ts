import type { AccountRefusal } from '../domain/account/decide.ts';
import type { Duplicate } from './idempotency.ts';
import { isAboutUs, readError, unsaid, type UpstreamError } from './upstream-error.ts';

/** Why a completion was not had. What it means in HTTP is for the door to say. */
export type CompletionProblem =
  | {
      readonly kind: 'bad_request';
      readonly code: 'invalid_json' | 'invalid_request' | 'unsupported_parameter' | 'context_length_exceeded';
      readonly message: string;
      readonly param: string | null;
    }
  | { readonly kind: 'model_not_found'; readonly model: string }
  | { readonly kind: 'refused'; readonly refusal: AccountRefusal; readonly affordableTokens?: number }
  /** It was asked before, under the same Idempotency-Key, and that was not in vain. */
  | { readonly kind: 'duplicate'; readonly duplicate: Duplicate }
  /** The upstream did not like the request: its own words, for the customer alone. The hold was released. */
  | { readonly kind: 'upstream_refused'; readonly status: number; readonly error: UpstreamError }
  /** The upstream failed, and the hold was released, so that asking again is safe. */
  | {
      readonly kind: 'upstream_failed';
      readonly code: 'upstream_error' | 'upstream_timeout' | 'server_is_overloaded' | 'no_provider';
      readonly retryAfterMs?: number;
    }
  /** Nobody is there to read it. */
  | { readonly kind: 'client_gone' }
  | { readonly kind: 'draining' }
  /** The log went back in time, and nobody has acknowledged yet what is gone. */
  | { readonly kind: 'paused' };

/**
 * What an upstream's error status means to a customer. Its 401, 403 and 402 are about our account there, and its 429
 * about all our customers together, so those are not passed on as theirs; nor are the same things said under another
 * status.
 */
export const upstreamProblem = (status: number, body: string, retryAfterMs: number | undefined): CompletionProblem => {
  const later = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 401 || status === 402 || status === 403) {
    return { kind: 'upstream_failed', code: 'no_provider' };
  }
  if (status === 429 || status === 503 || status === 529) {
    return { kind: 'upstream_failed', code: 'server_is_overloaded', ...later };
  }
  if (status === 408 || status === 504) return { kind: 'upstream_failed', code: 'upstream_timeout' };
  if (status < 400 || status >= 500) return { kind: 'upstream_failed', code: 'upstream_error', ...later };
  const error = readError(body);
  if (!isAboutUs(error)) return { kind: 'upstream_refused', status, error };
  // A request that is too large stays so, however often it is sent; only by what limit of ours is nobody's business.
  if (status === 413) return { kind: 'upstream_refused', status, error: unsaid };
  return { kind: 'upstream_failed', code: 'no_provider' };
};
