import { createHash } from 'node:crypto';
import type { DiscountCode } from '../shop/amounts.ts';
import type { State, Webhook } from './state.ts';
import type { Mode } from './wire.ts';

type ShopSettings = {
  readonly apiKey: string;
  readonly mode: Mode;
  readonly discounts: readonly DiscountCode[];
  readonly checkoutLifetimeMs: number;
};

/** What the parts of the stand-in share: the state, the clock, and the way to change them. */
export type Shop = {
  readonly settings: ShopSettings;
  readonly state: State;
  now(): number;
  /** The address of the pages, without a slash at the end. */
  publicUrl(): string;
  newId(prefix: string): string;
  /** Runs a change and saves the state before it returns. A change that refuses must do so before it writes. */
  change<T>(work: () => T): T;
};

/** A request that cannot be carried out: of the API, of a page, or of a test. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: 400 | 404;
  constructor(code: string, message: string, status: 400 | 404 = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 22 digits of base 62, as in the ids of Creem. */
const digits = (hash: Buffer): string => [...hash.subarray(0, 22)].map((byte) => DIGITS[byte % 62]).join('');

export const createShop = (options: {
  readonly settings: ShopSettings;
  readonly state: State;
  readonly now: () => number;
  readonly publicUrl: () => string;
  readonly save: ((stateJson: string) => void) | undefined;
}): Shop => {
  const { settings, state, now, publicUrl, save } = options;
  return {
    settings,
    state,
    now,
    publicUrl,
    newId: (prefix) => {
      state.ids += 1;
      return `${prefix}_${digits(createHash('sha256').update(`${state.seed}:${state.ids}`).digest())}`;
    },
    change: (work) => {
      const result = work();
      save?.(JSON.stringify(state));
      return result;
    },
  };
};

export const iso = (at: number): string => new Date(at).toISOString();

/** Undefined if it was deleted by the API since the start. */
export const settingsWebhook = ({ state }: Shop): Webhook | undefined =>
  state.webhooks.find(({ ofSettings }) => ofSettings);

/** The entity with an id. Refuses with 404. */
export const find = <T extends { readonly id: string }>(
  entities: readonly T[],
  id: string | undefined,
  what: string,
): T => {
  const found = entities.find((one) => one.id === id);
  if (!found) throw new Refusal('not_found', `${what} not found`, 404);
  return found;
};
