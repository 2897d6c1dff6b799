import { StoreUnavailable } from '../../event-store.ts';
import type { CopyHeads } from './copy-head.ts';

/** How far the copy is behind what this process appended, and waits for it. */
export type CopyLag = {
  /** Events were acknowledged, the last of them at this place in EventStoreDB. */
  appended(storePosition: number, events: number): void;
  /** Everything up to this place is in the copy. */
  copied(storePosition: number): void;
  /** The age of the oldest acknowledged event of this process that is not in the copy. */
  readonly ms: number;
  /** How many events of this process are not in the copy. */
  readonly events: number;
  /** Resolves once a place is in the copy. Rejects with StoreUnavailable after some seconds. */
  until(storePosition: number): Promise<void>;
  close(): void;
};

type Outstanding = { readonly storePosition: number; readonly events: number; readonly at: number };

const LOOK_EVERY_MS = 25;
const WAIT_MS = 5000;
/** If another process copies, this is how it is noticed without a wait. */
const COMPARE_EVERY_MS = 250;

export const createCopyLag = (
  heads: Pick<CopyHeads, 'isCopied' | 'read'>,
  subscribe: (wake: () => void) => () => void,
): CopyLag => {
  let outstanding: Outstanding[] = [];
  let reached = -1;
  const wakes = new Set<() => void>();

  const copied = (storePosition: number): void => {
    reached = storePosition;
    const first = outstanding.findIndex((one) => one.storePosition > storePosition);
    outstanding = first === -1 ? [] : outstanding.slice(first);
    for (const wake of wakes) wake();
  };
  const compare = (): void => {
    if (outstanding.length === 0) return;
    heads.read().then(
      (head) => copied(head.storePosition),
      () => undefined, // The next comparison may succeed.
    );
  };
  const timer = setInterval(compare, COMPARE_EVERY_MS);
  timer.unref();

  return {
    appended: (storePosition, events) => {
      if (storePosition > reached) outstanding.push({ storePosition, events, at: performance.now() });
    },
    copied,
    get ms() {
      return outstanding[0] ? performance.now() - outstanding[0].at : 0;
    },
    get events() {
      return outstanding.reduce((sum, { events }) => sum + events, 0);
    },
    until: async (storePosition) => {
      const end = performance.now() + WAIT_MS;
      while (!(await heads.isCopied(storePosition))) {
        if (performance.now() > end) throw new StoreUnavailable('the copy of the log in PostgreSQL is behind');
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(look);
            wakes.delete(done);
            unsubscribe();
            resolve();
          };
          const look = setTimeout(done, LOOK_EVERY_MS);
          const unsubscribe = subscribe(done);
          wakes.add(done);
        });
      }
    },
    close: () => clearInterval(timer),
  };
};
