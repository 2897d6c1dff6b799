import type { PriceVersion } from '../domain/prices/price-book.ts';
import type { CompletionRequest } from './request.ts';

/**
 * How much output, for each choice, is held for at first and added at a time. Most answers are shorter, and so cost one
 * reservation and one settlement; at the dearest prices it is cents, so that many run at once on a small balance.
 */
export const STEP_TOKENS = 2048;

/**
 * Models known to stream every token that they bill. Others may think unseen, for as long as they like: nothing could be
 * metered while they do, so all that they may bill is held before they are asked. A name that nobody knows is one of those.
 */
const showsAll = /^(?:.*\/)?(?:gpt-3\.5|gpt-4|chatgpt-4o|deepseek|simulated)/;

/** Fields that make a model bill for output that it does not say: rejected predictions, and answers that were not the best. */
const hiding = ['prediction', 'best_of'];

/** Whether the output of a request can be metered as it comes, and so be held for in steps. */
export const comesInSteps = (request: CompletionRequest, price: PriceVersion): boolean =>
  request.streamed &&
  (request.maxOutputTokens ?? Infinity) > STEP_TOKENS &&
  showsAll.test(price.upstreamModel) &&
  hiding.every((name) => request.fields[name] === undefined || request.fields[name] === null);
