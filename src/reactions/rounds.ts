/** Interruptible pauses for a loop. */
export type Rest = {
  /** Resolves after so long, or when the loop is closed. */
  pause(ms: number): Promise<void>;
  readonly ended: boolean;
};

/** Runs a loop that pauses between its rounds. `close` ends the pauses, and resolves when the round under way has finished. */
export const inRounds = (loop: (rest: Rest) => Promise<void>): { close(): Promise<void> } => {
  const ending = new AbortController();
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (ending.signal.aborted) return resolve();
      const awake = (): void => {
        clearTimeout(timer);
        ending.signal.removeEventListener('abort', awake);
        resolve();
      };
      const timer = setTimeout(awake, ms);
      ending.signal.addEventListener('abort', awake);
    });
  const running = loop({
    pause,
    get ended() {
      return ending.signal.aborted;
    },
  });
  return {
    close: async () => {
      ending.abort();
      await running;
    },
  };
};
