import type { RunningGateway } from '../gateway.ts';
import { chat, type Answer } from '../traffic.ts';

export type Customer = { readonly accountId: string; readonly apiKey: string };

/** Runs a task for each item, a few at a time. */
export const inParallel = async <One, Result>(
  many: readonly One[],
  atOnce: number,
  work: (one: One, n: number) => Promise<Result>,
): Promise<readonly Result[]> => {
  const results = new Array<Result>(many.length);
  const waiting = many.entries();
  const worker = async (): Promise<void> => {
    for (const [n, one] of waiting) results[n] = await work(one, n);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
};

const SETUPS_AT_ONCE = 16;

/** Opens accounts with credit and a key. */
export const openMany = (gateway: RunningGateway, count: number): Promise<readonly Customer[]> =>
  inParallel(Array.from({ length: count }), SETUPS_AT_ONCE, () => gateway.openAccount('1.00'));

export type Uses = {
  readonly answers: readonly Answer[];
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
};

/** One short request of each customer, `atOnce` at a time, to the gateways in turn. */
export const useOnce = async (
  gateways: readonly { readonly url: string }[],
  customers: readonly Customer[],
  atOnce: number,
): Promise<Uses> => {
  const latenciesMs: number[] = [];
  const began = performance.now();
  const answers = await inParallel(customers, atOnce, async ({ apiKey }, n) => {
    const gateway = gateways[n % gateways.length];
    if (!gateway) throw new Error('there is no gateway');
    const sentAt = performance.now();
    const answer = await chat(gateway, apiKey, { maxTokens: 10, simulate: { outputTokens: 10 } }).answer;
    latenciesMs.push(performance.now() - sentAt);
    return answer;
  });
  return { answers, seconds: (performance.now() - began) / 1000, latenciesMs };
};
