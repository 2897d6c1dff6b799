import type { ChainedLog } from './chained-log.ts';
import { PAGE, type FactPage } from './event-store.ts';

/** Calls `wake` whenever events may have been appended, until the returned function is called. */
type Subscribe = (wake: () => void) => () => void;

/**
 * `follow` for a chained log: reads page after page, and sleeps when there are no more until it is woken. A wake during a
 * read is remembered. Positions are dense and visible in order, so no event is skipped.
 */
export async function* followPages(
  log: Pick<ChainedLog, 'readAll' | 'readFacts' | 'head'>,
  subscribe: Subscribe,
  ...[afterPosition, signal, types]: Parameters<ChainedLog['follow']>
): AsyncGenerator<FactPage> {
  const read = types ? (after: number) => readTypes(log, after, types) : (after: number) => readPage(log, after);
  let woken = true;
  let wakeSleeper = (): void => undefined;
  const wake = (): void => {
    woken = true;
    wakeSleeper();
  };
  const unsubscribe = subscribe(wake);
  signal.addEventListener('abort', wake);
  try {
    for (let position = afterPosition; !signal.aborted;) {
      if (!woken) await new Promise<void>((resolve) => (wakeSleeper = resolve));
      woken = false;
      for (;;) {
        if (signal.aborted) return;
        const { mayBeMore, ...page } = await read(position);
        if (page.upTo > position) yield page;
        position = page.upTo;
        if (!mayBeMore) break;
      }
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', wake);
  }
}

type Read = FactPage & { readonly mayBeMore: boolean };

const readPage = async (log: Pick<ChainedLog, 'readFacts'>, after: number): Promise<Read> => {
  const events = await log.readFacts(after, PAGE);
  return { events, upTo: events.at(-1)?.position ?? after, mayBeMore: events.length === PAGE };
};

const readTypes = async (
  log: Pick<ChainedLog, 'readAll' | 'head'>,
  after: number,
  types: readonly string[],
): Promise<Read> => {
  // Read before the events: events that are appended in between are beyond it.
  const head = await log.head();
  const events = head > after ? await log.readAll(after, PAGE, types) : [];
  const last = events.at(-1)?.position ?? after;
  const mayBeMore = events.length === PAGE;
  return { events, upTo: mayBeMore ? last : Math.max(head, last), mayBeMore };
};
