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

/** The origin of a base URL that ends in `/v1`. */
export const withoutPath = (base: string): string => base.replace(/\/v1\/?$/, '');

export const ask = (target: Target, { apiKey }: Customer, wish: Wish = {}): Sent => {
  // If there is only one node, it gets all requests.
  const base = target.nodes[wish.node ?? 0] ?? target.nodes[0] ?? '';
  const key = wish.idempotencyKey;
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  return send({ url: withoutPath(base) }, apiKey, '/chat/completions', bodyOf(target, wish), headers);
};

export const statusOf = async (sent: Sent): Promise<number | undefined> => (await sent.answer).status;

/** Refused for lack of credit or because of a limit: nothing may be charged. */
export const isShort = ({ status }: Answer): boolean => status === 402 || status === 403 || status === 429;

/**
 * Waits until nothing is held, then checks that the customer has exactly the expected balance on every node, and that the
 * history adds up to it.
 */
export const expectSettled = async (target: Target, customer: Customer, expected: Nano): Promise<void> => {
  expect(await settled(target, customer)).toBe(expected);
};

/** The same without an expected balance; returns the balance. */
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

/** The balance is never negative, never less than what is held, each hold ends once, and the sum is the balance. */
const expectHistory = async (customer: Customer, balance: Nano): Promise<void> => {
  const history = await customer.history?.();
  if (!history) return;
  let owned = 0n;
  const open = new Map<string, Nano>();
  const charged = new Set<string>();
  for (const { kind, amount, generationId = '' } of history) {
    expect(amount).toBeGreaterThanOrEqual(0n);
    if (kind === 'credited') owned += amount;
    if (kind === 'taken_back') owned -= amount;
    if (kind === 'held') open.set(generationId, (open.get(generationId) ?? 0n) + amount);
    if (kind === 'charged') {
      expect(charged, 'charged once').not.toContain(generationId);
      charged.add(generationId);
      owned -= amount;
      open.delete(generationId);
    }
    if (kind === 'given_back') expect(open.delete(generationId), 'released once').toBe(true);
    expect(owned, 'the balance covers the holds').toBeGreaterThanOrEqual(sum(open.values()));
  }
  expect(open.size).toBe(0);
  expect(owned).toBe(balance);
};

/** The cost of `act`: the difference of the balance. Nothing else may be under way for the customer. */
export const costing = async (target: Target, customer: Customer, act: () => Promise<unknown>): Promise<Nano> => {
  const before = await settled(target, customer);
  await act();
  return before - (await settled(target, customer));
};
