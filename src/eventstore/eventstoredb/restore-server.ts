import { PAGE } from '../event-store.ts';
import type { ChainedLog } from '../chained-log.ts';
import { openLockSession } from '../postgres/session-locks.ts';
import { appendInOrder } from './append-in-order.ts';
import type { CopyHead, CopyHeads } from './copy/copy-head.ts';
import { readFollowing } from './copy/following-events.ts';
import { has, type Entry } from './gate.ts';

export type RestoreOptions = {
  readonly databaseUrl: string;
  readonly heads: Pick<CopyHeads, 'read' | 'moveTo' | 'pool'>;
  readonly copy: Pick<ChainedLog, 'readAll'>;
  /** Called with the last position that the server still had, and that of the copy. */
  readonly restored: (from: number, to: number) => void;
};

const LOCK = 'restore-event-store';
const TRY_AGAIN_MS = 200;

/**
 * The server went back in time, and lacks events that the copy has. They are appended to it again, with their places in the
 * log, before anything new. One process does it, and the others wait.
 */
export const restoreServer = async (options: RestoreOptions, entry: Entry): Promise<void> => {
  const lock = await openLockSession(options.databaseUrl, { name: 'kissapi-restore' });
  try {
    while (!(await lock.tryLock(LOCK))) await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    const head = await options.heads.read();
    if (!head.event || (await has(entry.server, head.event))) return;
    const common = await commonPosition(options, entry, head);
    const storePosition = await appendAfter(options, entry, common, head);
    await options.heads.moveTo(storePosition, head.position);
    options.restored(common, head.position);
  } finally {
    await lock.close();
  }
};

/** The newest position of the copy whose event the server has. What a server lost is the end of its log. */
const commonPosition = async ({ copy }: RestoreOptions, entry: Entry, head: CopyHead): Promise<number> => {
  let [known, lacking] = [0, head.position];
  while (lacking - known > 1) {
    const middle = Math.floor((known + lacking) / 2);
    const [event] = await copy.readAll(middle - 1, 1);
    if (event && (await has(entry.server, event))) known = middle;
    else lacking = middle;
  }
  return known;
};

const appendAfter = async (
  { heads }: RestoreOptions,
  { session, streams }: Entry,
  common: number,
  head: CopyHead,
): Promise<number> => {
  let storePosition = head.storePosition;
  for (let after = common; after < head.position;) {
    const page = await readFollowing(heads.pool, after, Math.min(PAGE, head.position - after));
    storePosition = await appendInOrder(session, streams, page);
    after = page.at(-1)?.position ?? head.position;
  }
  return storePosition;
};
