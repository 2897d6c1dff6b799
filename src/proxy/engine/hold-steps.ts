import { hidesReasoning, type SoldModel } from '../metering/model-facts.ts';
import type { CompletionRequest } from '../formats/request.ts';
import { isThere } from '../json/untyped-json.ts';

/**
 * How much output, for each choice, is held for at first and added at a time. Most answers are shorter, and so cost one
 * reservation and one settlement; at the dearest prices it is cents, so that many run at once on a small balance.
 */
export const STEP_TOKENS = 2048;

/** Whether some of the billed output may not be in the stream, such as hidden reasoning and rejected predictions. */
export const mayHideOutput = (request: CompletionRequest, model: SoldModel): boolean =>
  hidesReasoning(model) || isThere(request.fields['prediction']);

/** Whether the output of a request can be metered as it comes, and so be held for in steps. */
export const comesInSteps = (request: CompletionRequest, model: SoldModel): boolean =>
  request.streamed && (request.maxOutputTokens ?? Infinity) > STEP_TOKENS && !mayHideOutput(request, model);
