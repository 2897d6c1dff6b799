import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemTable, type ProblemCode } from '../../../src/http/server/problems/problem-table.ts';
import { problem, sendProblem, type Problem } from '../../../src/http/server/problems.ts';
import { arrive } from '../../../src/http/server/request-id.ts';
import { withSupport } from '../../../src/http/server/support.ts';
import { completionProblem } from '../../../src/http/v1/completion-problems.ts';

const EMAIL = 'support@example.com';
const URL_OF_PAGE = 'https://api.example.com/contact';
const SUPPORT = { email: EMAIL, url: URL_OF_PAGE };

let answer: Problem;
const server = createServer((_request, response) => {
  arrive(response, '1', () => SUPPORT);
  sendProblem(response, answer, 'req_1');
});
beforeAll(async () => void (await once(server.listen(0, '127.0.0.1'), 'listening')));
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** The message as a client receives it. */
const sent = async (one: Problem): Promise<string> => {
  answer = one;
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return ((await response.json()) as { readonly error: { readonly message: string } }).error.message;
};

/** The verb is not the noun. */
const mentionsSupport = (code: string): boolean => {
  const { meaning, action } = problemTable[code as ProblemCode];
  return /\bsupport\b/i.test(`${meaning} ${action}`.replace('does not support', ''));
};
const [asking, others] = [true, false].map((asks) =>
  (Object.keys(problemTable) as ProblemCode[]).filter((code) => mentionsSupport(code) === asks),
) as [ProblemCode[], ProblemCode[]];

const TERMS = 'https://kissapi.example/terms';

describe('an error that asks its reader to contact support', () => {
  it.each(asking)('%s names the address and the page', async (code) => {
    const message = await sent(problem(code));
    expect(message).toMatch(/\.$/);
    expect(message).toContain(`: ${EMAIL} or ${URL_OF_PAGE}.`);
  });

  it.each(['account_closed', 'account_suspended'] as const)('%s at the end of a stream does so, too', async (code) => {
    expect(await sent(completionProblem({ kind: 'access_ended', code }, TERMS))).toMatch(
      `so the answer ends here. Contact support: ${EMAIL} or ${URL_OF_PAGE}.`,
    );
  });

  it('is among them', () => expect(asking).toEqual(expect.arrayContaining(['account_closed', 'server_error'])));
});

describe('another error', () => {
  it.each(others)('%s is sent as it is', async (code) => expect(await sent(problem(code))).toBe(problem(code).message));

  it('of a provider keeps its text, which may name the support of the provider', async () => {
    const error = { message: 'Contact support.', type: 'x', param: null, code: 'account_closed' };
    expect(await sent(completionProblem({ kind: 'upstream_refused', status: 403, error }, TERMS))).toBe(
      'Contact support.',
    );
  });
});

describe('a text that names support', () => {
  it('has the page alone if there is no address', () =>
    expect(withSupport('Closed. Contact support.', { email: undefined, url: URL_OF_PAGE })).toBe(
      `Closed. Contact support: ${URL_OF_PAGE}.`,
    ));
  it('has a sentence of its own if support is not at its end', () =>
    expect(withSupport('Contact support with the request id.', SUPPORT)).toBe(
      `Contact support with the request id. Support: ${EMAIL} or ${URL_OF_PAGE}.`,
    ));
});
