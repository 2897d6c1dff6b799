import type { AccountRefusal } from '../../domain/account/decide.ts';
import type { Duplicate } from './idempotency.ts';
import { isAboutUs, readError, statusOfRequestError, unsaid, type UpstreamError } from '../providers/provider-error.ts';

/** Why a completion was not had. What it means in HTTP is for the door to say. */
export type CompletionProblem =
  | {
      readonly kind: 'bad_request';
      readonly code: 'invalid_json' | 'invalid_request' | 'unsupported_parameter' | 'context_length_exceeded';
      readonly message: string;
      readonly param: string | null;
    }
  | { readonly kind: 'model_not_found'; readonly model: string }
  | { readonly kind: 'model_delisted'; readonly model: string; readonly since: Date }
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
  /** A stream that has begun ends here. What it delivered is charged. */
  /** The account was suspended, or the key was revoked or has expired, while the answer was under way. */
  | { readonly kind: 'access_ended'; readonly code: 'account_suspended' | 'key_revoked' | 'key_expired' }
  | { readonly kind: 'stream_broken'; readonly code: 'upstream_error' | 'upstream_timeout' | 'draining' }
  /** Nobody is there to read it. */
  | { readonly kind: 'client_gone' }
  | { readonly kind: 'draining' }
  /** The log went back in time, and what is gone is not acknowledged yet. */
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
  if (status === 408 || status === 504) return { kind: 'upstream_failed', code: 'upstream_timeout', ...later };
  if (status < 400 || status >= 500) return { kind: 'upstream_failed', code: 'upstream_error', ...later };
  const error = readError(body);
  if (!isAboutUs(error)) return { kind: 'upstream_refused', status, error };
  // A request that is too large stays so, however often it is sent; only by what limit of ours is nobody's business.
  if (status === 413) return { kind: 'upstream_refused', status, error: unsaid };
  return { kind: 'upstream_failed', code: 'no_provider' };
};

export type RequestRefused = Extract<CompletionProblem, { readonly kind: 'upstream_refused' }>;

/**
 * An error that a provider sends with status 200, in place of an answer or as an event: as if it had sent the status of a
 * refusal, if the request has caused it. Undefined for every other error.
 */
export const refusedWithin = (body: string): RequestRefused | undefined => {
  const status = statusOfRequestError(body);
  const refused = status === undefined ? undefined : upstreamProblem(status, body, undefined);
  return refused?.kind === 'upstream_refused' ? refused : undefined;
};
