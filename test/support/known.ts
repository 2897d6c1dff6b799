import { expect } from 'vitest';
import { SOON } from './soon.ts';

/** Until each gateway knows a new key: those that did not make it hear of it by following the log. */
export const untilKnown = async (apiKey: string, gateways: Iterable<{ readonly url: string }>): Promise<void> => {
  for (const { url } of gateways) {
    const ask = () => fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${apiKey}` } });
    await expect.poll(ask, SOON).toMatchObject({ status: 200 });
  }
};
