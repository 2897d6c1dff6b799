import { inRounds } from '../reactions/rounds.ts';

/** Does work again and again, with a pause before each time. Must be closed. */
export const repeat = (everyMs: number, work: () => Promise<unknown>, failed: (error: unknown) => void) =>
  inRounds(async (rest) => {
    while (!rest.ended) {
      await rest.pause(everyMs);
      if (!rest.ended) await work().catch(failed);
    }
  });
