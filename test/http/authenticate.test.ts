import type { Request } from 'express';
import { describe, expect, it } from 'vitest';
import { createAuthenticate } from '../../src/http/authenticate.ts';

const owners = new Map([
  ['hash of good', { accountId: 'acc_1', keyId: 'key_1', revoked: false }],
  ['hash of old', { accountId: 'acc_1', keyId: 'key_2', revoked: true }],
]);
const hashKey = (secret: string) => (secret === 'malformed' ? undefined : `hash of ${secret}`);
const authenticate = createAuthenticate(hashKey, (hash) => owners.get(hash));
const ask = (authorization?: string) => authenticate({ headers: { authorization } } as unknown as Request);

describe('authenticate', () => {
  it.each(['Bearer good', 'bearer good', 'BEARER   good', 'Bearer good '])('%j is the customer', (header) =>
    expect(ask(header)).toMatchObject({ accountId: 'acc_1', keyId: 'key_1' }),
  );

  it.each([
    [undefined, /didn't provide/],
    ['Bearer unknown', /not valid/],
    ['Bearer malformed', /not valid/],
    ['Bearer old', /revoked/],
    ['Bearer', /not valid/],
    ['Bearer ', /not valid/],
    ['Bearer good good', /not valid/],
    ['Basic good', /not valid/],
    ['good', /not valid/],
    ['Bearergood', /not valid/],
  ])('%j is nobody: 401', (header, message) =>
    expect(ask(header)).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
      type: 'invalid_request_error',
      shouldRetry: false,
      message: expect.stringMatching(message) as string,
    }),
  );
});
