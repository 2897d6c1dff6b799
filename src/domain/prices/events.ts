import type { Rates } from '../money.ts';

export type PriceEvent = PriceListed | ModelDelisted;

/** finance: an entry of the price book. It never changes; a new price of the model is a new version. */
export type PriceListed = {
  readonly type: 'PriceListed';
  readonly version: number;
  /** When the price takes effect; in the future if the change is announced. */
  readonly effectiveFrom: Date;
  readonly entry: PriceEntry;
};

/**
 * finance: nothing. From `effectiveFrom` on the model is not sold at any price listed so far. A price that is listed later,
 * and takes effect at that time or after it, puts the model on sale again.
 */
export type ModelDelisted = {
  readonly type: 'ModelDelisted';
  readonly model: string;
  readonly effectiveFrom: Date;
  readonly reason: string;
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
  /** The source of the figures and the day they were read, for finance. */
  readonly source: string;
  readonly asOf: string;
};
