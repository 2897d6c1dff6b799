import { PAGE, type EventStore, type StoredEvent } from './event-store.ts';

/** Calls `wake` whenever events may have been appended, until the function that it returned is called. */
type Subscribe = (wake: () => void) => () => void;

/**
 * Reads page after page and sleeps when there is no more, until woken. A wake that comes while a page is being read is
 * remembered, so none is lost; positions are dense and visible in order, so no event can be passed over.
 */
export async function* followPages(
  readAll: EventStore['readAll'],
  afterPosition: number,
  signal: AbortSignal,
  subscribe: Subscribe,
): AsyncGenerator<readonly StoredEvent[]> {
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
        const page = await readAll(position, PAGE);
        const last = page.at(-1);
        if (!last) break;
        position = last.position;
        yield page;
        if (page.length < PAGE) break;
      }
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', wake);
  }
}
