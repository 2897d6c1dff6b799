import { expect, vi } from 'vitest';
import { SOON } from '../soon.ts';

/** A gateway that is paused or stopping does not answer, and cannot be waited for. */
const ANSWERS_WITHIN_MS = 5000;

/**
 * Waits until each gateway accepts a new key. The gateway that issued it knows it at once; the others read it from the log
 * a little later. A gateway that does not answer is left out.
 */
export const untilKnown = async (apiKey: string, gateways: Iterable<{ readonly url: string }>): Promise<void> => {
  const headers = { authorization: `Bearer ${apiKey}` };
  const status = ({ url }: { readonly url: string }): Promise<number | undefined> =>
    fetch(`${url}/v1/models`, { headers, signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) }).then(
      (response) => response.arrayBuffer().then(() => response.status),
      () => undefined,
    );
  await Promise.all(
    Array.from(gateways, (gateway) => vi.waitFor(async () => expect(await status(gateway)).not.toBe(401), SOON)),
  );
};
