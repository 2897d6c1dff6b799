import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exposedSecrets, localSecret, LocalSecretFault, readLocalSecret } from '../../src/config/local-secrets.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'kissapi-secrets-'))));
afterEach(() => rm(folder, { recursive: true }));

describe('a local secret', () => {
  it('is made up once, and for its owner alone', async () => {
    const dataDir = join(folder, 'new');
    const first = await localSecret(dataDir, 'data-key');
    expect(first.created).toBe(true);
    expect(await localSecret(dataDir, 'data-key')).toEqual({ secret: first.secret, created: false });
    expect(await readLocalSecret(dataDir, 'data-key')).toBe(first.secret);
    expect((await stat(join(dataDir, 'data-key'))).mode & 0o777).toBe(0o600);
    expect(await readdir(dataDir)).toEqual(['data-key']);
  });

  it('is the same for all who ask at once, as processes that start together do', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => localSecret(folder, 'data-key')));
    expect(new Set(all.map(({ secret }) => secret)).size).toBe(1);
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['data-key']);
  });

  it('that a crash left empty is made up anew', async () => {
    await writeFile(join(folder, 'data-key'), '');
    expect(await localSecret(folder, 'data-key')).toMatchObject({ created: true });
  });

  it('in a folder that cannot be used names the file and KISSAPI_DATA', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    for (const dataDir of [file, join(file, 'below'), `${folder}/\0`]) {
      const failed = localSecret(dataDir, 'data-key');
      await expect(failed).rejects.toBeInstanceOf(LocalSecretFault);
      await expect(failed).rejects.toThrow(/data-key cannot be read or written: .*KISSAPI_DATA/);
    }
  });

  it('that other users can read is named', async () => {
    await localSecret(folder, 'data-key');
    await localSecret(folder, 'key-pepper');
    const names = ['data-key', 'key-pepper', 'admin-token'];
    expect(await exposedSecrets(folder, names)).toEqual([]);
    await chmod(join(folder, 'key-pepper'), 0o640);
    expect(await exposedSecrets(folder, names)).toEqual([join(folder, 'key-pepper')]);
  });
});
