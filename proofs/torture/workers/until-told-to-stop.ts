/** Aborted when the standard input ends: this process was asked to stop, or its parent is gone. */
export const untilToldToStop = (): AbortSignal => {
  const stop = new AbortController();
  process.stdin.on('close', () => stop.abort()).resume();
  return stop.signal;
};
