import type { AccountRefusal } from '../../domain/account/decide.ts';
import type { Duplicate } from './idempotency.ts';
import type { ProviderError, Refusal } from '../providers/provider.ts';

/** Why there is no completion. `http/` maps it to a status. */
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
  /** An earlier request under the same Idempotency-Key was executed, or is still running. */
  | { readonly kind: 'duplicate'; readonly duplicate: Duplicate }
  /** The provider refused the request. Its own error is for the customer only. The hold was released. */
  | { readonly kind: 'upstream_refused'; readonly status: number; readonly error: ProviderError }
  /** The provider failed and the hold was released, so a retry is safe. */
  | {
      readonly kind: 'upstream_failed';
      readonly code: 'upstream_error' | 'upstream_timeout' | 'server_is_overloaded' | 'no_provider';
      readonly retryAfterMs?: number;
    }
  /** The account was suspended or closed, or the key was revoked or expired, during the answer. What was delivered is charged. */
  | {
      readonly kind: 'access_ended';
      readonly code: 'account_closed' | 'account_suspended' | 'key_revoked' | 'key_expired';
    }
  /** The stream broke off after it began. What was delivered is charged. */
  | { readonly kind: 'stream_broken'; readonly code: 'upstream_error' | 'upstream_timeout' | 'draining' }
  /** The customer has closed the connection. */
  | { readonly kind: 'client_gone' }
  | { readonly kind: 'draining' }
  /** The log was rewound, and no operator has acknowledged the loss yet. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'log_copy_too_old' };

/** Maps a provider's refusal to the problem that the customer receives. An error about our account is not passed on. */
export const problemOf = ({ status, cause, error, retryAfterMs }: Refusal): CompletionProblem => {
  const later = retryAfterMs === undefined ? {} : { retryAfterMs };
  switch (cause) {
    case 'request':
      return { kind: 'upstream_refused', status, error };
    case 'account':
      return { kind: 'upstream_failed', code: 'no_provider' };
    case 'overload':
      return { kind: 'upstream_failed', code: 'server_is_overloaded', ...later };
    case 'timeout':
      return { kind: 'upstream_failed', code: 'upstream_timeout', ...later };
    case 'failure':
      return { kind: 'upstream_failed', code: 'upstream_error', ...later };
  }
};
