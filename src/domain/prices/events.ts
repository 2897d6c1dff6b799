import type { PriceLine } from './lines.ts';

export type PriceEvent = PriceListed | PriceWithdrawn | ModelDelisted;

/** finance: an entry of the price book. It never changes; a new price of the model is a new version. */
export type PriceListed = {
  readonly type: 'PriceListed';
  readonly version: number;
  /** When the price takes effect; in the future if the change is announced. */
  readonly effectiveFrom: Date;
  readonly entry: PriceEntry;
};

/** finance: nothing. An announced price does not take effect; the price before it stays in force. */
export type PriceWithdrawn = {
  readonly type: 'PriceWithdrawn';
  readonly model: string;
  readonly version: number;
  readonly reason: string;
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
  /** The provider ends the model, so the notice may be shorter than 14 days. */
  readonly endedByProvider: boolean;
};

export type PriceEntry = {
  readonly model: string;
  readonly kind: 'chat' | 'completion' | 'embedding';
  readonly ownedBy: string;
  readonly upstream: string;
  readonly upstreamModel: string;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  /** What the customer pays. Each class of tokens has exactly one line. */
  readonly lines: readonly PriceLine[];
  /** What the provider bills; null if it was not recorded. */
  readonly cost: readonly PriceLine[] | null;
  /** The source of the figures and the day they were read, for finance. */
  readonly source: string;
  readonly asOf: string;
};
