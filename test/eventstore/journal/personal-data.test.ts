import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DestroyedKey, type DataKeys } from '../../../src/eventstore/secrets/data-keys.ts';
import { asPlain, BrokenSeal, createVault } from '../../../src/eventstore/journal/personal-data.ts';
import { openBytes, sealBytes, secretKey } from '../../../src/eventstore/secrets/sealed-bytes.ts';
import { createMemoryDataKeys } from '../../support/postgres/data-keys.ts';

const ada = { name: 'Ada Lovelace', email: 'ada@example.com' };

describe('a vault', () => {
  it('opens what it sealed, whatever is in it', () =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), async (name, email) => {
        const vault = createVault(createMemoryDataKeys());
        expect(await vault.open('acc_1', await vault.seal('acc_1', { name, email }))).toEqual({ name, email });
      }),
    ));

  it('shows nothing of it, and never seals to the same text', async () => {
    const vault = createVault(createMemoryDataKeys());
    const sealed = [await vault.seal('acc_1', ada), await vault.seal('acc_1', ada)];
    expect(new Set(sealed).size).toBe(2);
    for (const text of sealed) {
      expect(text).toMatch(/^v1\.[\w-]+$/);
      expect(Buffer.from(text.slice(3), 'base64url').toString('latin1')).not.toMatch(/Ada|example|name/);
    }
  });

  it('opens what was never sealed, with or without a key', async () => {
    expect(await createVault(createMemoryDataKeys()).open('acc_1', asPlain(ada))).toEqual(ada);
  });

  it('opens nothing once the key is destroyed, and seals nothing either', async () => {
    const keys = createMemoryDataKeys();
    const vault = createVault(keys);
    const sealed = await vault.seal('acc_1', ada);
    const other = await vault.seal('acc_2', ada);
    keys.destroy('acc_1');
    expect(await vault.open('acc_1', sealed)).toBeUndefined();
    await expect(vault.seal('acc_1', ada)).rejects.toThrow(DestroyedKey);
    expect(await vault.open('acc_2', other)).toEqual(ada);
  });

  it('refuses what was sealed for another account, even by the same key', async () => {
    const key = secretKey(randomBytes(32));
    const one: DataKeys = { obtain: () => Promise.resolve(key), find: () => Promise.resolve(key) };
    const vault = createVault(one);
    const sealed = await vault.seal('acc_1', ada);
    expect(await vault.open('acc_1', sealed)).toEqual(ada);
    await expect(vault.open('acc_2', sealed)).rejects.toThrow(BrokenSeal);
  });

  it('refuses what was sealed by another key', async () => {
    const sealed = await createVault(createMemoryDataKeys()).seal('acc_1', ada);
    const other = createVault(createMemoryDataKeys());
    await other.seal('acc_1', ada);
    await expect(other.open('acc_1', sealed)).rejects.toThrow(BrokenSeal);
  });

  it('refuses every other text, were it one character away', async () => {
    const vault = createVault(createMemoryDataKeys());
    const sealed = await vault.seal('acc_1', ada);
    const others = Array.from(sealed, (character, n) => {
      const other = character === 'A' ? 'B' : 'A';
      return sealed.slice(0, n) + other + sealed.slice(n + 1);
    });
    const cut = [sealed.slice(0, -1), `${sealed}=`, `${sealed}A`, `${sealed}.`, sealed.slice(3), 'v1.', '', 'plain:{}'];
    for (const text of [...others, ...cut]) await expect(vault.open('acc_1', text)).rejects.toThrow(BrokenSeal);
  });

  it('says of what it cannot open whose it is, and nothing of what is in it', async () => {
    const vault = createVault(createMemoryDataKeys());
    const said = await vault.open('acc_1', 'plain:{"name":"Ada"').catch(String);
    expect(said).toContain('acc_1');
    expect(said).not.toContain('Ada');
  });
});

describe('sealed bytes', () => {
  const key = secretKey(randomBytes(32));

  it('are nonce, ciphertext and tag, and open in their context alone', () => {
    const sealed = sealBytes(key, Buffer.from('abc'), 'here');
    expect(sealed).toHaveLength(12 + 3 + 16);
    expect(openBytes(key, sealed, 'here')?.toString()).toBe('abc');
    expect(openBytes(key, sealed, 'there')).toBeUndefined();
    expect(openBytes(secretKey(randomBytes(32)), sealed, 'here')).toBeUndefined();
    expect(openBytes(key, sealed.subarray(0, 27), 'here')).toBeUndefined();
  });

  it('may be none', () => expect(openBytes(key, sealBytes(key, Buffer.alloc(0), ''), '')).toHaveLength(0));
});
