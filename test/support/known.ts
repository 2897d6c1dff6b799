import { expect, vi } from 'vitest';
import { SOON } from './soon.ts';

/** Until each gateway knows a new key: those that did not make it hear of it by following the log. */
export const untilKnown = async (apiKey: string, gateways: Iterable<{ readonly url: string }>): Promise<void> => {
  for (const { url } of gateways) {
    await vi.waitFor(async () => {
      const headers = { authorization: `Bearer ${apiKey}` };
      expect((await fetch(`${url}/v1/models`, { headers })).status).toBe(200);
    }, SOON);
  }
};
