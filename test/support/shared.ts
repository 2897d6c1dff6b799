const started = new Map<string, Promise<unknown>>();

/**
 * What the files of one worker share: the first caller starts it, and it runs until the tests are over. Its processes are
 * killed then (processes.ts). Each test opens accounts of its own on it.
 */
export const shared = <T>(key: string, start: () => Promise<T>): Promise<T> => {
  const running = started.get(key) ?? start();
  started.set(key, running);
  // The next file tries again.
  running.catch(() => started.delete(key));
  return running as Promise<T>;
};
