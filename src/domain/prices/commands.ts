import type { TooSoon } from '../notice.ts';
import type { PriceEntry } from './events.ts';
import type { LineFault } from './lines.ts';

/**
 * Lists a price. It does not put a delisted model on sale again: `RelistModel` does. The first price of a model may take
 * effect at any time.
 */
export type ListPrice = {
  readonly type: 'ListPrice';
  readonly entry: PriceEntry;
  readonly effectiveFrom: Date;
  readonly at: Date;
};
/** Withdraws an announced price, until a minute before its effect. */
export type WithdrawPrice = {
  readonly type: 'WithdrawPrice';
  readonly model: string;
  readonly version: number;
  readonly reason: string;
  readonly at: Date;
};
/** Takes a model off sale from a time on: 14 days ahead, or a minute if its provider ends it. */
export type DelistModel = {
  readonly type: 'DelistModel';
  readonly model: string;
  readonly effectiveFrom: Date;
  readonly reason: string;
  readonly endedByProvider: boolean;
  readonly at: Date;
};
/** Puts a model on sale again a minute later, at the prices that were listed last, or cancels an announced delisting. */
export type RelistModel = { readonly type: 'RelistModel'; readonly model: string; readonly at: Date };

export type PriceCommand = ListPrice | WithdrawPrice | DelistModel | RelistModel;
export type PriceRefusal = {
  readonly code:
    LineFault | TooSoon | 'takes_effect_before_a_listed_price' | 'model_not_listed' | 'price_version_not_found';
};
