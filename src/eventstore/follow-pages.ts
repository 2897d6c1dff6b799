import { PAGE, type EventStore, type FactPage } from './event-store.ts';

/** Calls `wake` whenever events may have been appended, until the function that it returned is called. */
type Subscribe = (wake: () => void) => () => void;

/**
 * Reads page after page and sleeps when there is no more, until woken. A wake that comes while a page is being read is
 * remembered, so none is lost; positions are dense and visible in order, so no event can be passed over.
 */
export async function* followPages(
  store: Pick<EventStore, 'readAll' | 'readFacts' | 'head'>,
  subscribe: Subscribe,
  ...[afterPosition, signal, types]: Parameters<EventStore['follow']>
): AsyncGenerator<FactPage> {
  const read = types ? (after: number) => readTypes(store, after, types) : (after: number) => readPage(store, after);
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

const readPage = async (store: Pick<EventStore, 'readFacts'>, after: number): Promise<Read> => {
  const events = await store.readFacts(after, PAGE);
  return { events, upTo: events.at(-1)?.position ?? after, mayBeMore: events.length === PAGE };
};

const readTypes = async (
  store: Pick<EventStore, 'readAll' | 'head'>,
  after: number,
  types: readonly string[],
): Promise<Read> => {
  // Asked before, so that what is found after it is not taken for all there is up to there.
  const head = await store.head();
  const events = head > after ? await store.readAll(after, PAGE, types) : [];
  const last = events.at(-1)?.position ?? after;
  const mayBeMore = events.length === PAGE;
  return { events, upTo: mayBeMore ? last : Math.max(head, last), mayBeMore };
};
