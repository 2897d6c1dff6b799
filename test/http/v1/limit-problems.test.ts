import { describe, expect, it } from 'vitest';
import type { AccountRefusal } from '../../../src/domain/account/decide.ts';
import { duration } from '../../../src/http/server/rate-limit-headers.ts';
import { completionProblem } from '../../../src/http/v1/completion-problems.ts';

const problemOf = (refusal: AccountRefusal, affordableTokens?: number) =>
  completionProblem(
    { kind: 'refused', refusal, ...(affordableTokens === undefined ? {} : { affordableTokens }) },
    'https://api.example.com/terms',
  );

describe('the problem of a completion over a limit', () => {
  it('429 for concurrent requests', () => {
    const limit = { of: 'concurrency', scope: 'account', limit: 2, open: 2 } as const;
    const problem = problemOf({ code: 'concurrency_limit_exceeded', limit });
    expect(problem).toMatchObject({ status: 429, type: 'rate_limit_error', shouldRetry: true });
    expect(problem.retryAfterMs).toBeLessThan(1000);
    expect(problem.message).toBe(
      'This account may have 2 requests in progress at once, and that limit is reached. Try again when one has ended.',
    );
  });

  it('429 for tokens per minute', () => {
    const limit = { of: 'tokens', scope: 'key', limit: 10_000, used: 9000, needed: 1200, retryAfterMs: 4200 } as const;
    expect(problemOf({ code: 'rate_limit_exceeded', limit })).toEqual({
      ...{ status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded', shouldRetry: true, retryAfterMs: 4200 },
      message:
        'This API key may use 10,000 tokens per minute, and 9,000 count in the last minute. This request may use up to 1,200. ' +
        'Try again in 5 s.',
    });
  });

  it('429 with the singular for one', () => {
    const open = { of: 'concurrency', scope: 'account', limit: 1, open: 1 } as const;
    expect(problemOf({ code: 'concurrency_limit_exceeded', limit: open }).message).toContain(
      'may have 1 request in progress',
    );
    const pace = { of: 'requests', scope: 'key', limit: 1, used: 1, needed: 1, retryAfterMs: 900 } as const;
    expect(problemOf({ code: 'rate_limit_exceeded', limit: pace }).message).toBe(
      'This API key may use 1 request per minute, and 1 counts in the last minute. Try again in 1 s.',
    );
  });

  it('429 without a retry if the request alone exceeds the limit', () => {
    const limit = { of: 'tokens', scope: 'key', limit: 1000, used: 0, needed: 1200, retryAfterMs: null } as const;
    const problem = problemOf({ code: 'rate_limit_exceeded', limit });
    expect(problem).toMatchObject({ status: 429, shouldRetry: false });
    expect(problem).not.toHaveProperty('retryAfterMs');
    expect(problem.message).toContain('can never be accepted: lower max_tokens');
  });

  const spending = {
    ...({ of: 'spending', scope: 'key', window: 'day', limit: 5_000_000_000n, spent: 4_000_000_000n } as const),
    ...{ held: 500_000_000n, needed: 1_000_000_000n, resetsAt: Date.UTC(2026, 1, 1) },
  };
  const funds = { needed: 1_000_000_000n, available: 500_000_000n, held: 500_000_000n, withoutHolds: 1_000_000_000n };

  it('402 for a spending limit, with the time of its reset', () => {
    const problem = problemOf({ code: 'key_limit_exceeded', funds, limit: spending }, 1250);
    expect(problem).toMatchObject({ status: 402, type: 'insufficient_quota', shouldRetry: false });
    expect(problem.message).toBe(
      'This request may cost up to $1.00. This API key may spend $5.00 per day: $4.00 is spent, and $0.50 is held by ' +
        'concurrent requests. It resets at 2026-02-01T00:00:00.000Z. The rest pays for at most 1250 output tokens: ' +
        'lower max_tokens.',
    );
  });

  it('402 with the singular for one token', () => {
    const little = { needed: 2n, available: 1n, held: 0n, withoutHolds: 1n };
    expect(problemOf({ code: 'insufficient_credits', funds: little }, 1).message).toContain(
      'at most 1 output token: lower',
    );
    expect(problemOf({ code: 'insufficient_credits', funds: little }, 1250).message).toContain(
      'at most 1250 output tokens: lower',
    );
    expect(problemOf({ code: 'key_limit_exceeded', funds, limit: spending }, 1).message).toContain(
      '1 output token: lower',
    );
  });

  it('402 with a retry if concurrent requests hold the rest', () => {
    const problem = problemOf({
      code: 'limit_held_by_concurrent_requests',
      funds,
      limit: { ...spending, scope: 'account' },
    });
    expect(problem).toMatchObject({ status: 402, code: 'limit_held_by_concurrent_requests', shouldRetry: true });
    expect(problem.retryAfterMs).toBeGreaterThan(0);
    expect(problem.message).toContain('Try again when they have ended.');
  });

  it('403 for a model that the key may not use, 401 for an expired key', () => {
    expect(problemOf({ code: 'model_not_allowed' })).toMatchObject({
      status: 403,
      type: 'permission_error',
      param: 'model',
    });
    expect(problemOf({ code: 'key_expired' })).toMatchObject({ status: 401, code: 'key_expired', shouldRetry: false });
  });
});

describe('duration', () => {
  it.each([
    [0, '0ms'],
    [12, '12ms'],
    [999, '999ms'],
    [1000, '1s'],
    [1001, '2s'],
    [60_000, '1m0s'],
    [62_500, '1m3s'],
  ])('of %s ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});
