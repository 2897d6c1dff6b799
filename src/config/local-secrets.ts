import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Fault: a file of the data folder cannot be read or written; the message says what the operator can do. */
export class LocalSecretFault extends Error {
  override readonly name = 'LocalSecretFault';
  readonly code = 'local_secret';
}

const fault =
  (file: string) =>
  (cause: NodeJS.ErrnoException): never => {
    if (cause instanceof LocalSecretFault) throw cause;
    const message = `${file} cannot be read or written: ${cause.message}. Let the user of this process own the folder, or set KISSAPI_DATA to another.`;
    throw new LocalSecretFault(message, { cause });
  };

/**
 * Secrets of a development machine, each in a file that only its owner can read. In production they come from the
 * environment instead.
 */
export const readLocalSecret = async (dataDir: string, name: string): Promise<string | undefined> => {
  try {
    return (await readFile(join(dataDir, name), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return fault(join(dataDir, name))(error as NodeJS.ErrnoException);
  }
};

/** The secrets of a folder that other users of the machine can read. */
export const exposedSecrets = async (dataDir: string, names: readonly string[]): Promise<readonly string[]> => {
  const files = names.map((name) => join(dataDir, name));
  const modes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mode }) => mode,
        () => 0,
      ),
    ),
  );
  return files.filter((_, n) => ((modes[n] ?? 0) & 0o077) !== 0);
};

export const writeLocalSecret = async (dataDir: string, name: string, secret: string): Promise<void> => {
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, name), `${secret}\n`, { mode: 0o600 });
};

/** The secret of that name, made up at the first call. `created` tells whether this was it. */
export const localSecret = async (
  dataDir: string,
  name: string,
  make = (): string => randomBytes(32).toString('base64url'),
): Promise<{ secret: string; created: boolean }> => {
  const known = await readLocalSecret(dataDir, name);
  if (known !== undefined && known !== '') return { secret: known, created: false };
  const secret = make();
  const failed = fault(join(dataDir, name));
  if (known === '') await rm(join(dataDir, name), { force: true }).catch(failed); // Cut short by a crash.
  if (await createLocalSecret(dataDir, name, secret).catch(failed)) return { secret, created: true };
  return localSecret(dataDir, name, make);
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
    await rm(draft, { force: true }).catch(() => undefined);
  }
};
