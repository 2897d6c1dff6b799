import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { secretKey } from '../../src/eventstore/secrets/sealed-bytes.ts';
import { checkedSecrets, createSecretsInUse, type Secrets } from '../../src/gateway/secrets.ts';

const masterKey = (id: string) => ({ id, key: secretKey(randomBytes(32)) });
const secrets: Secrets = {
  peppers: [
    { id: '2', secret: 'new' },
    { id: '1', secret: 'old' },
  ],
  masterKeys: [masterKey('b'), masterKey('a')],
};

describe('the secrets in use', () => {
  it('are the newest ones that every running gateway accepts, and the oldest ones while that is unknown', () => {
    const changes: unknown[] = [];
    const inUse = createSecretsInUse(secrets, (now) => changes.push(now));
    const ids = () => [inUse.pepperId, inUse.masterKeyId];
    expect(inUse.accepts).toEqual({ peppers: ['2', '1'], masterKeys: ['b', 'a'] });
    expect(ids()).toEqual(['1', 'a']);
    inUse.update({ peppers: ['1'], masterKeys: ['a'] });
    expect(changes).toEqual([]);
    inUse.update({ peppers: ['2', '1'], masterKeys: ['a'] });
    expect(ids()).toEqual(['2', 'a']);
    inUse.update({ peppers: ['2', '1'], masterKeys: ['b', 'a'] });
    expect(ids()).toEqual(['2', 'b']);
    // A gateway that lacks the new ones has started.
    inUse.update({ peppers: [], masterKeys: [] });
    expect(ids()).toEqual(['1', 'a']);
    expect(changes).toHaveLength(3);
  });
});

describe('the secrets that are compared with those of other gateways', () => {
  it('are every pepper and every master key, each with the setting that contains it', () => {
    expect(checkedSecrets(secrets).map(({ kind, id, variable }) => [kind, id, variable])).toEqual([
      ['key_pepper', '2', 'KISSAPI_KEY_PEPPER'],
      ['key_pepper', '1', 'KISSAPI_KEY_PEPPERS_OLD (1)'],
      ['data_key', 'b', 'KISSAPI_DATA_KEY'],
      ['data_key', 'a', 'KISSAPI_DATA_KEYS_OLD (a)'],
    ]);
  });
});
