import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { EmbeddedPostgresFault, reason } from './fault.ts';
import { isAlive } from './postmaster.ts';
import { run, type Programs } from './programs.ts';
import { underBorrowedName, type ServerUser } from './server-user.ts';

const UNFINISHED = 'postgres.init-';

type ClusterOptions = {
  readonly dataDir: string;
  readonly dataDirectory: string;
  /** The only role of the cluster, and the prefix of its password file. */
  readonly name: string;
  readonly programs: Programs;
  readonly user: ServerUser;
  readonly log: (line: string) => void;
};

/** In the data directory, so that the password and the data are moved, restored or lost together. */
const passwordFileOf = (name: string): string => `${name}-password`;

const failed = (message: string, cause?: unknown): EmbeddedPostgresFault =>
  new EmbeddedPostgresFault('embedded_postgres_failed', message, { cause });

const readIfExists = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Removes what a process killed during its first start left behind. Directories of live processes are kept. */
const removeUnfinished = async ({ dataDir, log }: ClusterOptions): Promise<void> => {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const creator = Number.parseInt(name.slice(UNFINISHED.length), 10);
    if (creator !== process.pid && isAlive(creator)) continue;
    log(`Removing ${join(dataDir, name)}, left by an interrupted first start`);
    // An initdb that outlived its parent may still be writing here.
    await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 5 });
  }
};

const runInitdb = async (options: ClusterOptions, target: string, passwordFile: string): Promise<void> => {
  const { programs, user, name } = options;
  const invocation = user.invoke(programs.initdb, [
    ...['-D', target, `--username=${name}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
    // Built into PostgreSQL, so that an upgrade of the system's C library cannot change the order of an index.
    ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...['--data-checksums', '--no-instructions'],
  ]);
  try {
    await run(invocation);
  } catch (error) {
    const borrowed = reason(error).includes('could not look up effective user ID')
      ? await underBorrowedName(invocation)
      : undefined;
    if (!borrowed) throw error;
    await run(borrowed).catch((cause: unknown) => {
      throw new Error(`${reason(error)}\n${reason(cause)}\nGive this user an entry in /etc/passwd.`, { cause });
    });
  }
};

const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path);
  await directory.sync().finally(() => directory.close());
};

/** Creates the cluster in a temporary directory and renames it, so that a data directory is complete or absent. */
const initialize = async (options: ClusterOptions): Promise<void> => {
  const { dataDir, dataDirectory, name, user, log } = options;
  log(`Creating a PostgreSQL data directory in ${dataDirectory}`);
  const temporary = await mkdtemp(join(dataDir, `${UNFINISHED}${process.pid}-`));
  try {
    await user.own(temporary);
    const passwordFile = join(temporary, passwordFileOf(name));
    await writeFile(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600, flush: true });
    await user.own(passwordFile);
    const cluster = join(temporary, 'cluster');
    await runInitdb(options, cluster, passwordFile);
    await rename(passwordFile, join(cluster, passwordFileOf(name)));
    await chmod(cluster, 0o700);
    await syncDirectory(cluster);
    await rename(cluster, dataDirectory);
    await syncDirectory(dataDir);
  } catch (error) {
    // A process that started at the same time may have created it first; then we use that one.
    if (await readIfExists(join(dataDirectory, 'PG_VERSION'))) return;
    throw failed(
      `Could not create a PostgreSQL data directory in ${dataDirectory}:\n${reason(error)}\n` +
        'Nothing was kept, so the next start tries again.',
      error,
    );
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
};

/** The password of the cluster's role; undefined if its file does not exist. */
export const readPassword = (dataDirectory: string, name: string): Promise<string | undefined> =>
  readIfExists(join(dataDirectory, passwordFileOf(name)));

/** Creates the cluster if it does not exist. Returns the password of its role. */
export const openCluster = async (options: ClusterOptions): Promise<string> => {
  const { dataDirectory, name } = options;
  await removeUnfinished(options);
  if ((await readIfExists(join(dataDirectory, 'PG_VERSION'))) === undefined) await initialize(options);
  const password = await readPassword(dataDirectory, name);
  if (!password) {
    throw failed(
      `${dataDirectory} lacks the file ${passwordFileOf(name)}, which holds the password of its database: restore the file.`,
    );
  }
  return password;
};
