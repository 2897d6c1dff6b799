import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { EmbeddedPostgresFault, reason } from './fault.ts';
import { isAlive } from './postmaster.ts';
import { run, type Programs } from './programs.ts';
import { underBorrowedName, type ServerUser } from './server-user.ts';

/** The one role of the cluster. */
export const ROLE = 'kissapi';

// Within the data directory, so that one cannot be moved, restored or lost without the other.
const PASSWORD_FILE = 'kissapi-password';
const UNFINISHED = 'postgres.init-';

type ClusterOptions = {
  readonly dataDir: string;
  readonly dataDirectory: string;
  readonly programs: Programs;
  readonly user: ServerUser;
  readonly log: (line: string) => void;
};

const failed = (message: string, cause?: unknown): EmbeddedPostgresFault =>
  new EmbeddedPostgresFault('embedded_postgres_failed', message, { cause });

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Left behind where a gateway was killed during its first start. One that another gateway is still filling is let be. */
const sweepUnfinished = async ({ dataDir, log }: ClusterOptions): Promise<void> => {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const maker = Number.parseInt(name.slice(UNFINISHED.length), 10);
    if (maker !== process.pid && isAlive(maker)) continue;
    log(`Removing ${join(dataDir, name)}, which an interrupted first start left unfinished`);
    // An initdb that outlived its gateway may still be writing here.
    await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 5 });
  }
};

const runInitdb = async ({ programs, user }: ClusterOptions, target: string, passwordFile: string): Promise<void> => {
  const invocation = user.invoke(programs.initdb, [
    ...['-D', target, `--username=${ROLE}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
    // Built into PostgreSQL, so that an upgrade of the system's C library can never reorder an index.
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

/** Made aside and renamed when complete: under its final name a data directory is whole or not there at all. */
const initialize = async (options: ClusterOptions): Promise<void> => {
  const { dataDir, dataDirectory, user, log } = options;
  log(`Creating a PostgreSQL data directory in ${dataDirectory}`);
  const aside = await mkdtemp(join(dataDir, `${UNFINISHED}${process.pid}-`));
  try {
    await user.own(aside);
    const passwordFile = join(aside, PASSWORD_FILE);
    await writeFile(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600, flush: true });
    await user.own(passwordFile);
    const cluster = join(aside, 'cluster');
    await runInitdb(options, cluster, passwordFile);
    await rename(passwordFile, join(cluster, PASSWORD_FILE));
    await chmod(cluster, 0o700);
    await syncDirectory(cluster);
    await rename(cluster, dataDirectory);
    await syncDirectory(dataDir);
  } catch (error) {
    // Another gateway, started in the same moment, may have been first; we then share its fate.
    if (await readIfThere(join(dataDirectory, 'PG_VERSION'))) return;
    throw failed(
      `Could not create a PostgreSQL data directory in ${dataDirectory}:\n${reason(error)}\n` +
        `Nothing was kept, so the next start begins afresh. Or set DATABASE_URL to a PostgreSQL server of your own.`,
      error,
    );
  } finally {
    await rm(aside, { recursive: true, force: true, maxRetries: 5 });
  }
};

/** Of the role of a cluster; undefined where the file is gone. */
export const readPassword = (dataDirectory: string): Promise<string | undefined> =>
  readIfThere(join(dataDirectory, PASSWORD_FILE));

/** Creates the cluster where there is none. Returns the password of its role. */
export const openCluster = async (options: ClusterOptions): Promise<string> => {
  const { dataDirectory } = options;
  await sweepUnfinished(options);
  if ((await readIfThere(join(dataDirectory, 'PG_VERSION'))) === undefined) await initialize(options);
  const password = await readPassword(dataDirectory);
  if (!password) {
    throw failed(
      `${dataDirectory} lacks the file ${PASSWORD_FILE}, without which its database cannot be opened: restore the file, ` +
        `or serve the directory with a PostgreSQL of your own and set DATABASE_URL.`,
    );
  }
  return password;
};
