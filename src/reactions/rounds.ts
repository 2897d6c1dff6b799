/** Rest that can be cut short, for loops that must end when they are told to. */
export type Rest = {
  /** Resolves after so long, or as soon as `ended`. */
  pause(ms: number): Promise<void>;
  readonly ended: boolean;
};

/** Runs a loop that rests between its rounds, until closed: then it rests no more, and what is under way is let finish. */
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
