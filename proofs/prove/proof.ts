import fc from 'fast-check';
import { carryOutPlan, type Subject } from './history.ts';
import { anyPlan, type Plan } from './plan.ts';
import { noTrouble, type Trouble } from './unsure-store.ts';
import { judge } from './verdict.ts';

export type ProofOptions = {
  /** Creates the log of each history, or returns the same one for all. */
  readonly subject: () => Subject | Promise<Subject>;
  readonly histories: number;
  readonly seed: number;
  /** The path of a known counterexample: only this history is run. */
  readonly path?: string;
  /** Whether a counterexample is shrunk. */
  readonly shrink?: boolean;
  /** Called after each history; `shrinking` is true once one has failed. */
  readonly progress?: (tally: Tally, shrinking: boolean) => void;
};

export type Tally = Trouble & { histories: number; commands: number };

export type Counterexample = {
  readonly seed: number;
  readonly path: string;
  readonly broken: string;
  readonly shrunk: number;
  /** The whole history, line by line. */
  readonly story: readonly string[];
};

/** Runs the histories and stops at the first one that breaks a promise. */
export const prove = async (
  options: ProofOptions,
): Promise<{ readonly tally: Tally; readonly counterexample: Counterexample | undefined }> => {
  const { subject, histories, seed, path, shrink = true, progress } = options;
  const tally: Tally = { histories: 0, commands: 0, ...noTrouble() };
  let count = 0;
  let shrinking = false;

  const holds = async (plan: Plan): Promise<void> => {
    const log = await subject();
    try {
      const history = await carryOutPlan(plan, log, `h${count++}`);
      if (!shrinking) add(tally, { histories: 1, commands: history.calls.length, ...history.trouble });
      judge(history);
    } catch (error) {
      shrinking = true;
      throw error;
    } finally {
      await log.close?.();
      progress?.(tally, shrinking);
    }
  };

  const run = await fc.check(fc.asyncProperty(anyPlan, holds), {
    numRuns: path === undefined ? histories : 1,
    seed,
    endOnFailure: !shrink,
    ...(path === undefined ? {} : { path }),
  });
  if (!run.failed) return { tally, counterexample: undefined };
  const [plan] = run.counterexample ?? [];
  const story = plan ? await tellStory(plan, await subject(), `h${count++}`) : [];
  const { errorInstance: error } = run;
  const broken = error instanceof Error ? error.message : String(error);
  return {
    tally,
    counterexample: { seed: run.seed, path: run.counterexamplePath ?? '', broken, shrunk: run.numShrinks, story },
  };
};

const add = (tally: Tally, more: Tally): void => {
  for (const key of Object.keys(tally) as (keyof Tally)[]) tally[key] += more[key];
};

const tellStory = async (plan: Plan, subject: Subject, name: string): Promise<readonly string[]> => {
  const { nodes, cacheSize, retries } = plan;
  const story = [`${nodes} nodes, ${cacheSize} in each one's cache, ${retries} retries`];
  const history = await carryOutPlan(plan, subject, name, (line) => story.push(line()));
  await subject.close?.();
  try {
    judge(history);
    story.push('… and this time nothing was broken: the history depends on time');
  } catch {
    // It is reported below.
  }
  return story;
};
