/** Aborted when the standard input ends: because this process is told to stop, or because its parent is gone. */
export const untilToldToStop = (): AbortSignal => {
  const stop = new AbortController();
  process.stdin.on('close', () => stop.abort()).resume();
  return stop.signal;
};
