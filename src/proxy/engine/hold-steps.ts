import { hidesReasoning, type SoldModel } from '../metering/model-facts.ts';
import type { CompletionRequest } from '../formats/request.ts';

/**
 * How much output, for each choice, is held for at first and added at a time. Most answers are shorter, and so cost one
 * reservation and one settlement; at the dearest prices it is cents, so that many run at once on a small balance.
 */
export const STEP_TOKENS = 2048;

/** Fields that make a model bill for output that it does not say: rejected predictions, and answers that were not the best. */
const hiding = ['prediction', 'best_of'];

/** Whether some of the billed output may not be in the stream, so that it must be held for before it is asked for. */
export const mayHideOutput = (request: CompletionRequest, model: SoldModel): boolean =>
  hidesReasoning(model) || hiding.some((name) => request.fields[name] !== undefined && request.fields[name] !== null);

/** Whether the output of a request can be metered as it comes, and so be held for in steps. */
export const comesInSteps = (request: CompletionRequest, model: SoldModel): boolean =>
  request.streamed && (request.maxOutputTokens ?? Infinity) > STEP_TOKENS && !mayHideOutput(request, model);
