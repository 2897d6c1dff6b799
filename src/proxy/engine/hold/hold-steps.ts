import type { Job } from '../../formats/format.ts';
import { hidesReasoning, type SoldModel } from '../../metering/model-facts.ts';

/**
 * The output tokens of each choice that the first hold of a stream covers, and that each extension adds. Most answers
 * are shorter, so they need one hold and one settlement. At the highest prices a step costs a few cents, so many
 * requests can run at once on a small balance.
 */
export const STEP_TOKENS = 2048;

/** Whether a provider may bill output that it does not stream, such as hidden reasoning and rejected predictions. */
export const mayHideOutput = (job: Job, model: SoldModel): boolean => hidesReasoning(model) || job.mayBillUnseen;

/**
 * The job as a stream, if its answer can be requested as one and assembled, so that its hold can grow in steps; undefined
 * otherwise. If the customer set a limit, the hold covers that limit from the start.
 */
export const gatheredJob = (job: Job, model: SoldModel): Job | undefined => {
  if (job.streamed || job.maxOutputTokens !== undefined || !job.format.stream) return undefined;
  const gathered: Job = { ...job, streamed: true, includeUsage: true, gathered: true };
  return comesInSteps(gathered, model) ? gathered : undefined;
};

/** Whether the output can be metered as it arrives, so that the hold can grow in steps. */
export const comesInSteps = (job: Job, model: SoldModel): boolean =>
  job.streamed && (job.maxOutputTokens ?? Infinity) > STEP_TOKENS && !mayHideOutput(job, model);
