import { expect } from 'vitest';
import { send, type Answer, type Sent } from '../../support/requests.ts';
import { SOON } from '../../support/soon.ts';
import { sum, type Nano } from '../../support/money.ts';
import type { Customer, Target } from './target.ts';

type Wish = {
  readonly node?: number;
  readonly model?: string;
  readonly content?: string;
  readonly maxTokens?: number;
  readonly stream?: boolean;
  readonly idempotencyKey?: string;
};

const bodyOf = ({ model }: Target, wish: Wish): string =>
  JSON.stringify({
    model: wish.model ?? model,
    messages: [{ role: 'user', content: wish.content ?? 'How are you?' }],
    ...(wish.maxTokens === undefined ? {} : { max_tokens: wish.maxTokens }),
    ...(wish.stream === true ? { stream: true, stream_options: { include_usage: true } } : {}),
  });

/** Of a base URL. */
export const withoutPath = (base: string): string => base.replace(/\/v1\/?$/, '');

export const ask = (target: Target, { apiKey }: Customer, wish: Wish = {}): Sent => {
  // Where there is one node only, it is asked whatever another would have been asked.
  const base = target.nodes[wish.node ?? 0] ?? target.nodes[0] ?? '';
  const key = wish.idempotencyKey;
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  return send({ url: withoutPath(base) }, apiKey, '/chat/completions', bodyOf(target, wish), headers);
};

export const statusOf = async (sent: Sent): Promise<number | undefined> => (await sent.answer).status;

/** For want of credit: nobody was served, and nothing may be charged. */
export const isShort = ({ status }: Answer): boolean => status === 402 || status === 403 || status === 429;

/**
 * Waits until nothing is held any more, and then shows that the customer has exactly so much, whoever is asked, and that
 * the history adds up to it.
 */
export const expectSettled = async (target: Target, customer: Customer, expected: Nano): Promise<void> => {
  expect(await settled(target, customer)).toBe(expected);
};

/** The same, where the sum is for the caller to judge. */
export const settled = async (target: Target, customer: Customer): Promise<Nano> => {
  for (const node of target.nodes.keys()) {
    await expect.poll(async () => (await customer.balance(node)).held, SOON).toBe(0n);
  }
  const { balance } = await customer.balance();
  expect(balance).toBeGreaterThanOrEqual(0n);
  for (const node of target.nodes.keys()) expect(await customer.balance(node)).toEqual({ balance, held: 0n });
  await expectHistory(customer, balance);
  return balance;
};

/** At no moment of it does the customer owe, or is more held than there is; each hold ends once; and it sums up. */
const expectHistory = async (customer: Customer, balance: Nano): Promise<void> => {
  const history = await customer.history?.();
  if (!history) return;
  let owned = 0n;
  const open = new Map<string, Nano>();
  const charged = new Set<string>();
  for (const { kind, amount, generationId = '' } of history) {
    expect(amount).toBeGreaterThanOrEqual(0n);
    if (kind === 'credited') owned += amount;
    if (kind === 'held') open.set(generationId, (open.get(generationId) ?? 0n) + amount);
    if (kind === 'charged') {
      expect(charged, 'charged once').not.toContain(generationId);
      charged.add(generationId);
      owned -= amount;
      open.delete(generationId);
    }
    if (kind === 'given_back') expect(open.delete(generationId), 'given back once').toBe(true);
    expect(owned, 'what is held is there').toBeGreaterThanOrEqual(sum(open.values()));
  }
  expect(open.size).toBe(0);
  expect(owned).toBe(balance);
};

/** Nothing else is under way for the customer: what a request cost is what the balance lost. */
export const costing = async (target: Target, customer: Customer, act: () => Promise<unknown>): Promise<Nano> => {
  const before = await settled(target, customer);
  await act();
  return before - (await settled(target, customer));
};
