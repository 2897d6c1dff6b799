import type { Request } from 'express';
import { describe, expect, it } from 'vitest';
import { createAuthenticate, type FindKeyOwner } from '../../../src/http/auth/authenticate.ts';

type KeyOwner = NonNullable<ReturnType<FindKeyOwner>>;
let now = 999;
const owners = new Map<string, KeyOwner>([
  ['hash of good', { accountId: 'acc_1', keyId: 'key_1', revoked: false, expiresAtMs: null, pepperIds: ['1'] }],
  ['hash of old', { accountId: 'acc_1', keyId: 'key_2', revoked: true, expiresAtMs: null, pepperIds: ['1'] }],
  ['hash of brief', { accountId: 'acc_1', keyId: 'key_3', revoked: false, expiresAtMs: 1000, pepperIds: ['1'] }],
]);
const hashKey = (secret: string) =>
  secret === 'malformed'
    ? []
    : [
        { hash: `${secret} under 2`, pepperId: '2' },
        { hash: `hash of ${secret}`, pepperId: '1' },
      ];
const authenticate = createAuthenticate(
  hashKey,
  (hash) => owners.get(hash),
  () => new Date(now),
);
const askOn = (socket: object, authorization?: string) =>
  authenticate({ headers: { authorization }, socket } as unknown as Request);
const ask = (authorization?: string) => askOn({}, authorization);

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

  it.each<readonly [object, object]>([
    [{ 'x-api-key': 'good' }, { keyId: 'key_1' }],
    [{ 'api-key': 'good' }, { keyId: 'key_1' }],
    [{ authorization: 'Bearer good', 'x-api-key': 'of another service' }, { keyId: 'key_1' }],
    [{ authorization: 'Basic x', 'x-api-key': 'good' }, { keyId: 'key_1' }],
    [{ 'x-api-key': 'good', 'api-key': 'unknown' }, { keyId: 'key_1' }],
    [{ 'x-api-key': 'unknown' }, { status: 401 }],
  ])('reads the key from the headers %j', (headers, expected) =>
    expect(authenticate({ headers, socket: {} } as unknown as Request)).toMatchObject(expected),
  );

  it('is who sends this request, whoever sent the one before on the same connection', () => {
    const connection = {};
    for (const [header, expected] of [
      ['Bearer good', { keyId: 'key_1' }],
      ['Bearer good', { keyId: 'key_1' }],
      ['Bearer unknown', { status: 401 }],
      ['Bearer unknown', { status: 401 }],
      ['Bearer good', { keyId: 'key_1' }],
    ] as const) {
      expect(askOn(connection, header)).toMatchObject(expected);
    }
  });

  it('hears on an open connection that a key was revoked', () => {
    const connection = {};
    const revoked = { accountId: 'acc_1', keyId: 'key_1', revoked: true, expiresAtMs: null, pepperIds: ['1'] };
    expect(askOn(connection, 'Bearer good')).toMatchObject({ keyId: 'key_1' });
    const before = owners.get('hash of good');
    owners.set('hash of good', revoked);
    expect(askOn(connection, 'Bearer good')).toMatchObject({ status: 401 });
    if (before) owners.set('hash of good', before);
  });

  it('is nobody from the moment at which the key expires', () => {
    const connection = {};
    now = 999;
    expect(askOn(connection, 'Bearer brief')).toMatchObject({ keyId: 'key_3' });
    now = 1000;
    expect(askOn(connection, 'Bearer brief')).toMatchObject({ status: 401, code: 'key_expired' });
  });

  it('finds a key by its hash under any pepper, and reports each key in use with all of its hashes', () => {
    const used: unknown[] = [];
    const rehashed = { accountId: 'acc_1', keyId: 'key_4', revoked: false, expiresAtMs: null, pepperIds: ['1', '2'] };
    const both = createAuthenticate(
      hashKey,
      (hash) => (hash === 'new under 2' ? rehashed : owners.get(hash)),
      () => new Date(0),
      (owner, hashes) => used.push([owner.keyId, hashes.map(({ pepperId }) => pepperId)]),
    );
    const on = (key: string) => both({ headers: { authorization: `Bearer ${key}` }, socket: {} } as unknown as Request);
    expect(on('new')).toMatchObject({ keyId: 'key_4' });
    expect(on('good')).toMatchObject({ keyId: 'key_1' });
    for (const key of ['old', 'unknown', 'malformed']) expect(on(key)).toMatchObject({ status: 401 });
    expect(used).toEqual([
      ['key_4', ['2', '1']],
      ['key_1', ['2', '1']],
    ]);
  });
});
