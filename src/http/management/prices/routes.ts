import type { Route } from '../router/route.ts';
import { announcePrice, withdrawPrice } from './announce-price.ts';
import { delistModel, relistModel } from './delist-model.ts';
import { listPrices, readPriceHistory } from './list-prices.ts';
import { listProposals } from './proposals.ts';

/** What models cost, and which are on sale. */
export const priceRoutes: readonly Route[] = [
  ...[listPrices, readPriceHistory, listProposals, announcePrice, withdrawPrice],
  ...[delistModel, relistModel],
];
