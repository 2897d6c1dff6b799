import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A position of the log and the hash of the event there. */
type Place = { readonly position: number; readonly hash: string };

const FILE = 'seen-heads.json';

/**
 * Reads the newest position of a log that a process on this machine has seen. After a restart, a gateway uses it to
 * detect that the log went back in time meanwhile.
 */
export const readSeenHead = async (dataDir: string, logId: string): Promise<Place | undefined> => {
  const { [logId]: place } = await readAll(dataDir);
  return place && Number.isSafeInteger(place.position) && /^[0-9a-f]{64}$/.test(place.hash) ? place : undefined;
};

/** An unreadable file counts as absent: it only helps to detect a rewind sooner. */
const readAll = async (dataDir: string): Promise<Partial<Record<string, Place>>> => {
  try {
    return JSON.parse(await readFile(join(dataDir, FILE), 'utf8')) as Record<string, Place>;
  } catch {
    return {};
  }
};

/** Returns a function that writes the position if it has changed. It rejects if the folder cannot be written to. */
export const createSeenHeadWriter = (dataDir: string, logId: string): ((place: Place) => Promise<void>) => {
  let last = '';
  return async ({ position, hash }) => {
    if (hash === last) return;
    await mkdir(dataDir, { recursive: true });
    const all = { ...(await readAll(dataDir)), [logId]: { position, hash } };
    const draft = join(dataDir, `${FILE}.${process.pid}`);
    await writeFile(draft, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
    await rename(draft, join(dataDir, FILE));
    last = hash;
  };
};
