import type { Rates } from '../money.ts';

/** finance: an entry of the price book. It is never changed; a new price of the model is a new version. */
export type PriceEvent = {
  readonly type: 'PriceListed';
  readonly version: number;
  /** Customers may use it from here on; in the future where notice of a change is given. */
  readonly effectiveFrom: Date;
  readonly entry: PriceEntry;
};

export type PriceEntry = {
  readonly model: string;
  readonly kind: 'chat' | 'completion' | 'embedding';
  readonly ownedBy: string;
  readonly upstream: string;
  readonly upstreamModel: string;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly rates: Rates;
  /** Where the figures come from and the day they were read, for finance. */
  readonly source: string;
  readonly asOf: string;
};
