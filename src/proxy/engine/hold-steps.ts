import type { Job } from '../formats/format.ts';
import { hidesReasoning, type SoldModel } from '../metering/model-facts.ts';

/**
 * How much output, for each choice, is held for at first and added at a time. Most answers are shorter, and so cost one hold
 * and one settlement. At the highest prices a step is some cents, so many requests can run at once on a small balance.
 */
export const STEP_TOKENS = 2048;

/** Whether a provider may bill output that it does not stream, such as hidden reasoning and rejected predictions. */
export const mayHideOutput = (job: Job, model: SoldModel): boolean => hidesReasoning(model) || job.mayBillUnseen;

/** Whether the output of a request can be metered as it comes, and so be held for in steps. */
export const comesInSteps = (job: Job, model: SoldModel): boolean =>
  job.streamed && (job.maxOutputTokens ?? Infinity) > STEP_TOKENS && !mayHideOutput(job, model);
