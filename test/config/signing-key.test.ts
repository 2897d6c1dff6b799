import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { localSigningKey, readLocalSigningKey } from '../../src/config/signing-key.ts';

let dataDir: string;
beforeAll(async () => (dataDir = await mkdtemp(join(tmpdir(), 'kissapi-key-'))));
afterAll(() => rm(dataDir, { recursive: true }));

it('a development machine makes a signing key up once, and keeps it for its owner alone', async () => {
  expect(await readLocalSigningKey(dataDir)).toBeUndefined();
  const key = await localSigningKey(dataDir);
  expect(key.asymmetricKeyType).toBe('ed25519');
  expect((await localSigningKey(dataDir)).equals(key)).toBe(true);
  expect((await readLocalSigningKey(dataDir))?.equals(key)).toBe(true);
  expect((await stat(join(dataDir, 'signing-key'))).mode & 0o777).toBe(0o600);
});
