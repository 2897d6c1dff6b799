import { formatUsd, type Credits } from '../../domain/money.ts';
import type { AccountRefusal } from '../../domain/account/decide.ts';
import { accountSuspended, modelDelisted, problem, termsNotAccepted, type Problem } from '../server/problems.ts';
import { LONGEST_WAIT_MS, limitProblem, outputTokens } from './limit-problems.ts';

/** Why there is no completion, as the proxy returns it. */
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
  | {
      readonly kind: 'duplicate';
      readonly duplicate: {
        readonly code: 'idempotency_in_progress' | 'idempotency_key_used' | 'idempotency_key_reused';
        readonly generationId: string;
        readonly charged?: Credits;
      };
    }
  | {
      readonly kind: 'upstream_refused';
      readonly status: number;
      readonly error: {
        readonly message: string;
        readonly type: string;
        readonly param: string | null;
        readonly code: string | null;
      };
    }
  | {
      readonly kind: 'upstream_failed';
      readonly code: 'upstream_error' | 'upstream_timeout' | 'server_is_overloaded' | 'no_provider';
      readonly retryAfterMs?: number;
    }
  | {
      readonly kind: 'access_ended';
      readonly code: 'account_closed' | 'account_suspended' | 'key_revoked' | 'key_expired';
    }
  | { readonly kind: 'stream_broken'; readonly code: 'upstream_error' | 'upstream_timeout' | 'draining' }
  | { readonly kind: 'client_gone' }
  | { readonly kind: 'draining' }
  | { readonly kind: 'paused' }
  | { readonly kind: 'log_copy_too_old' };

/** `termsUrl` is where the Terms of Service can be read. */
export const completionProblem = (reason: CompletionProblem, termsUrl: string): Problem => {
  switch (reason.kind) {
    case 'bad_request':
      return problem(reason.code, { message: reason.message, param: reason.param });
    case 'model_not_found':
      return problem('model_not_found', {
        message: `The model \`${reason.model}\` does not exist or is not available at this endpoint. GET /v1/models lists the models on sale.`,
        param: 'model',
      });
    case 'model_delisted':
      return modelDelisted(reason.model, reason.since);
    case 'refused':
      return refused(reason.refusal, reason.affordableTokens, termsUrl);
    case 'duplicate': {
      const { code, generationId, charged } = reason.duplicate;
      const costUsd = charged === undefined ? {} : { costUsd: formatUsd(charged) };
      return problem(code, { generation: { id: generationId, ...costUsd } });
    }
    case 'upstream_refused': {
      const { message, type, param, code } = reason.error;
      return problem('upstream_refused', {
        status: reason.status,
        type,
        message,
        param,
        ...(code !== null && { code }),
      });
    }
    case 'upstream_failed': {
      const retry =
        reason.retryAfterMs === undefined ? {} : { retryAfterMs: Math.min(reason.retryAfterMs, LONGEST_WAIT_MS) };
      return problem(reason.code, { shouldRetry: true, ...retry });
    }
    case 'access_ended':
      return problem(reason.code, { message: accessEnded[reason.code] });
    case 'stream_broken':
      return problem(reason.code, { message: brokenStreams[reason.code] });
    case 'client_gone':
    case 'draining':
      return problem('draining');
    case 'paused':
      return problem('service_paused');
    case 'log_copy_too_old':
      return problem('log_copy_too_old');
  }
};

const brokenStreams = {
  upstream_error: 'The provider broke off the stream.',
  upstream_timeout: 'The provider broke off the stream.',
  draining: 'The gateway is restarting and had to end this stream.',
} as const;

/** A refusal of the domain with what the request would hold and what is available. */
const refused = (
  { code, funds, limit, causes = [] }: AccountRefusal,
  affordableTokens: number | undefined,
  termsUrl: string,
): Problem => {
  if (code === 'key_not_found' || code === 'key_revoked') return problem('invalid_api_key');
  if (code === 'terms_not_accepted') return termsNotAccepted(termsUrl);
  if (code === 'model_not_allowed') return problem(code, { param: 'model' });
  if (causes.length > 0) return accountSuspended(causes);
  if (limit) return limitProblem(code, limit, affordableTokens);
  if (!funds) return problem(code);
  const { needed, available, held } = funds;
  const advice =
    affordableTokens !== undefined && affordableTokens > 0
      ? ` Your credits pay for at most ${outputTokens(affordableTokens)}: lower max_tokens, or top up.`
      : ' Top up, or ask for less.';
  return problem(code, {
    message:
      code === 'insufficient_credits'
        ? `This request may cost up to $${formatUsd(needed)}, and $${formatUsd(available)} is available.${advice}`
        : `This request may cost up to $${formatUsd(needed)}, and $${formatUsd(available)} of your balance is available: ` +
          `$${formatUsd(held)} is held by concurrent requests. Try again when they have ended.`,
  });
};

const accessEnded = {
  account_closed: 'This account was closed, so the answer ends here. Contact support.',
  account_suspended: 'This account was suspended, so the answer ends here. Contact support.',
  key_revoked: 'This API key was revoked, so the answer ends here. Use another key.',
  key_expired: 'This API key has expired, so the answer ends here. Use another key.',
};
