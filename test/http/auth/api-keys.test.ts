import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeyring, type Keyring } from '../../../src/http/auth/api-keys.ts';

const keyring = createKeyring({ mode: 'test', peppers: [{ id: '7', secret: 'pepper' }] });
const hashIn = (ring: Keyring, secret: string): string | undefined => ring.hashes(secret)[0]?.hash;
const ALPHABET = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];

describe('a key', () => {
  it('tells where it is from, and is made up anew each time', () => {
    const { secret, hash, pepperId, hint } = keyring.create();
    expect(secret).toMatch(/^kiss_test_[0-9A-Za-z]{38}$/);
    expect(createKeyring({ mode: 'live', peppers: [{ id: '7', secret: 'pepper' }] }).create().secret).toMatch(
      /^kiss_live_/,
    );
    expect(hint).toBe(secret.slice(-4));
    expect(pepperId).toBe('7');
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    const many = Array.from({ length: 1000 }, () => keyring.create().secret);
    expect(new Set(many).size).toBe(1000);
  });

  it('is known again by its hash, which says nothing without the pepper', () => {
    const { secret, hash } = keyring.create();
    expect(hashIn(keyring, secret)).toBe(hash);
    expect(hashIn(createKeyring({ mode: 'live', peppers: [{ id: '1', secret: 'pepper' }] }), secret)).toBe(hash);
    expect(hashIn(createKeyring({ mode: 'test', peppers: [{ id: '7', secret: 'another' }] }), secret)).not.toBe(hash);
    expect(hash).not.toContain(secret.slice(10, 20));
  });

  it('is none as soon as one character is another', () =>
    fc.assert(
      fc.property(
        fc.nat(),
        fc.oneof(fc.constantFrom(...ALPHABET), fc.string({ minLength: 1, maxLength: 1 })),
        (n, other) => {
          const { secret } = keyring.create();
          const at = n % secret.length;
          const mistyped = secret.slice(0, at) + other + secret.slice(at + 1);
          fc.pre(mistyped !== secret);
          // From test to live is another key, not a typo; every letter of that counts as well.
          expect(keyring.hashes(mistyped)).toEqual([]);
        },
      ),
      { numRuns: 2000 },
    ));

  it('is none when two neighbours are swapped, one is missing, or one too many', () =>
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...ALPHABET), (n, extra) => {
        const { secret } = keyring.create();
        const at = 10 + (n % (secret.length - 11));
        const [a = '', b = ''] = [secret[at], secret[at + 1]];
        if (a !== b) expect(keyring.hashes(secret.slice(0, at) + b + a + secret.slice(at + 2))).toEqual([]);
        expect(keyring.hashes(secret.slice(0, at) + secret.slice(at + 1))).toEqual([]);
        expect(keyring.hashes(secret.slice(0, at) + extra + secret.slice(at))).toEqual([]);
      }),
    ));

  it.each([
    '',
    'kiss_test_',
    'sk-proj-abc',
    'kiss_prod_00000000000000000000000000000000000000',
    `${keyring.create().secret}\n`,
  ])('%j is none', (secret) => expect(keyring.hashes(secret)).toEqual([]));
});

describe('a keyring of several peppers', () => {
  const old = { id: '1', secret: 'old' };
  const next = { id: '2', secret: 'next' };

  it('hashes a key under each of them, the newest first', () => {
    const { secret, hash } = createKeyring({ mode: 'test', peppers: [old] }).create();
    const hashes = createKeyring({ mode: 'test', peppers: [next, old] }).hashes(secret);
    expect(hashes.map(({ pepperId }) => pepperId)).toEqual(['2', '1']);
    expect(hashes[1]).toEqual({ hash, pepperId: '1' });
    expect(hashes[0]?.hash).not.toBe(hash);
  });

  it('issues keys under the one that is in use, which may change', () => {
    let inUse = '1';
    const keyring = createKeyring({ mode: 'test', peppers: [next, old], issueWith: () => inUse });
    expect(keyring.create().pepperId).toBe('1');
    inUse = '2';
    const { secret, hash, pepperId } = keyring.create();
    expect(pepperId).toBe('2');
    expect(createKeyring({ mode: 'test', peppers: [next] }).hashes(secret)).toEqual([{ hash, pepperId }]);
  });
});
