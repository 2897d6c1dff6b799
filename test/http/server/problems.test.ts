import express from 'express';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { refusalCodes } from '../../../src/domain/account/decide.ts';
import { approvalRefusalCodes } from '../../../src/domain/approvals/approvals.ts';
import { paymentRefusalCodes } from '../../../src/domain/payments/commands.ts';
import { completionProblem } from '../../../src/http/v1/completion-problems.ts';
import { anthropicProblem } from '../../../src/http/server/problems/anthropic-problem.ts';
import { problem, problemBody, refusalProblem, sendProblem, type Problem } from '../../../src/http/server/problems.ts';

describe('problem', () => {
  it('gives every refusal of an account, an approval or a payment a status and a message', () => {
    for (const code of [...refusalCodes, ...approvalRefusalCodes, ...paymentRefusalCodes]) {
      const { status, message, type } = problem(code);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(type).toMatch(/^[a-z_]+$/);
      expect(message).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('uses the codes, statuses and types of the API', () => {
    expect(problem('insufficient_credits')).toMatchObject({
      status: 402,
      type: 'insufficient_quota',
      code: 'credit_balance_exhausted',
      shouldRetry: false,
    });
    expect(problem('credits_held_by_concurrent_requests')).toMatchObject({
      status: 402,
      type: 'insufficient_quota',
      code: 'credits_held_by_concurrent_requests',
      shouldRetry: true,
      retryAfterMs: expect.any(Number) as unknown,
    });
    expect(problem('key_revoked')).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect(problem('account_suspended')).toMatchObject({ status: 403, type: 'permission_error' });
    expect(problem('upstream_error')).toMatchObject({ status: 502, shouldRetry: false });
    expect(problem('upstream_error', { shouldRetry: true, code: 'other' })).toMatchObject({
      status: 502,
      shouldRetry: true,
      code: 'other',
    });
  });

  it('adds the needed and the available credits to the message', () => {
    const funds = { needed: 12_000_000n, available: 3_000_000n, held: 9_000_000n, withoutHolds: 12_000_000n };
    const { message } = refusalProblem(
      { code: 'credits_held_by_concurrent_requests', funds },
      'https://api.example.com/terms',
    );
    expect(message).toMatch(/Needed: \$0\.012\. Available: \$0\.003\. Held: \$0\.009\.$/);
  });

  it('names the place of the text if the terms were not accepted', () => {
    const url = 'https://api.example.com/terms';
    const refusal = { code: 'terms_not_accepted' } as const;
    for (const { message } of [refusalProblem(refusal, url), completionProblem({ kind: 'refused', refusal }, url)]) {
      expect(message).toContain(`Read them at ${url}, accept that version`);
    }
  });

  it('names each cause of a suspension in plain words', () => {
    expect(
      refusalProblem(
        { code: 'account_suspended', causes: ['violation', 'dispute', 'debt'] },
        'https://api.example.com/terms',
      ).message,
    ).toBe(
      'This account is suspended for a violation of the terms, because of a dispute about a payment, and because credits are owed. Contact support.',
    );
    expect(
      refusalProblem({ code: 'account_suspended', causes: ['staff'] }, 'https://api.example.com/terms').message,
    ).toBe('This account is suspended by a decision of the operator. Contact support.');
  });
});

describe('sendProblem', () => {
  const sent = async (what: Problem) => {
    const app = express();
    app.get('/', (_request, response) => sendProblem(response, what, 'req_1'));
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const { error } = (await response.json()) as { error: Readonly<Record<string, unknown>> };
    await new Promise((resolve) => server.close(resolve));
    return { status: response.status, headers: Object.fromEntries(response.headers), error };
  };

  it.each([
    ['idempotency_in_progress', 'true'],
    ['idempotency_key_used', 'false'],
    ['idempotency_key_reused', 'false'],
  ] as const)('409 %s has the generation of the key', async (code, retry) => {
    const { status, headers, error } = await sent(problem(code, { generation: { id: 'gen-1', costUsd: '0.01' } }));
    expect(status).toBe(409);
    expect(headers).toMatchObject({
      'x-should-retry': retry,
      'x-kissapi-generation-id': 'gen-1',
      'x-generation-id': 'gen-1',
      'x-kissapi-cost-usd': '0.01',
    });
    expect(headers['retry-after']).toBe(retry === 'true' ? '1' : undefined);
    expect(error).toMatchObject({ code, generation_id: 'gen-1', cost_usd: '0.01' });
  });

  it('omits a cost that is not known yet', async () => {
    const { headers, error } = await sent(problem('idempotency_in_progress', { generation: { id: 'gen-1' } }));
    expect(headers['x-kissapi-cost-usd']).toBeUndefined();
    expect(error).not.toHaveProperty('cost_usd');
  });

  it('writes the body and every header that a client goes by', async () => {
    const what = problem('server_is_overloaded', { retryAfterMs: 1500, param: 'model' });
    const { status, headers, error } = await sent(what);
    expect(status).toBe(503);
    expect(headers).toMatchObject({
      'x-request-id': 'req_1',
      'x-should-retry': 'true',
      'retry-after-ms': '1500',
      'retry-after': '2',
    });
    expect(error).toEqual({
      message: expect.any(String) as unknown,
      type: 'service_unavailable_error',
      param: 'model',
      code: 'server_is_overloaded',
      request_id: 'req_1',
    });
  });
});

describe('a problem in the shape of Anthropic', () => {
  it.each([
    [400, 'invalid_request_error'],
    [402, 'billing_error'],
    [404, 'not_found_error'],
    [422, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [502, 'api_error'],
    [503, 'overloaded_error'],
  ])('with the status %i is a %s, with our code and the generation beside it', (status, type) => {
    const body = problemBody({ ...problem('insufficient_credits'), generation: { id: 'gen-1' } }, 'req_1');
    const { code, message } = problem('insufficient_credits');
    expect(JSON.parse(anthropicProblem(status, body))).toEqual({
      type: 'error',
      error: { type, message, param: null, code, generation_id: 'gen-1' },
      request_id: 'req_1',
    });
  });
});
