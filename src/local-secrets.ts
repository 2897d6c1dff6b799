import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Secrets of a development machine, each in a file that only its owner can read. In production they come from the
 * environment instead.
 */
export const readLocalSecret = async (dataDir: string, name: string): Promise<string | undefined> => {
  try {
    return (await readFile(join(dataDir, name), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

export const writeLocalSecret = async (dataDir: string, name: string, secret: string): Promise<void> => {
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, name), `${secret}\n`, { mode: 0o600 });
};

/** The secret of that name, made up at the first call. `created` tells whether this was it. */
export const localSecret = async (dataDir: string, name: string): Promise<{ secret: string; created: boolean }> => {
  const known = await readLocalSecret(dataDir, name);
  if (known !== undefined && known !== '') return { secret: known, created: false };
  const secret = randomBytes(32).toString('base64url');
  if (known === '') await rm(join(dataDir, name), { force: true }); // Cut short by a crash.
  if (await createLocalSecret(dataDir, name, secret)) return { secret, created: true };
  return localSecret(dataDir, name);
};

/** Whole and durable at once, for what it protects may be. False where another process was first. */
const createLocalSecret = async (dataDir: string, name: string, secret: string): Promise<boolean> => {
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, name);
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    await writeFile(draft, `${secret}\n`, { mode: 0o600, flag: 'wx', flush: true });
    await link(draft, file);
    const folder = await open(dataDir);
    await folder.sync().finally(() => folder.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
};
