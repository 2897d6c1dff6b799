import { HoldsPaused } from './hold/hold.ts';
import { answerTo } from './answer-request.ts';
import type { Answer, Asked, CompletionsOptions, Running } from './completion.ts';
import { countTokens, type CountAsked, type Counted } from './count-tokens.ts';
import { generationIdOf } from './ledger.ts';
import type { CompletionProblem } from './problem.ts';

export type { Answer, Asked, CompletionsOptions, UpstreamRefusal } from './completion.ts';

export type Completions = {
  complete(asked: Asked): Promise<Answer>;
  /** Counts the input tokens of a request. Nothing is held or charged. */
  countTokens(asked: CountAsked): Promise<Counted>;
  /** How many completions are in progress. */
  readonly active: number;
  /** The generations in progress, including those whose credits are not held yet. */
  readonly generations: ReadonlySet<string>;
  /** Rejects new requests. Ends those in progress after the grace period, each settled for what it delivered. */
  drain(graceMs: number): Promise<void>;
};

/** Hold, forward, meter, settle. */
export const createCompletions = (options: CompletionsOptions): Completions => {
  let idle = (): void => undefined;
  const running: Running = {
    draining: false,
    calls: new Set(),
    generations: new Set(),
    over: (generationId) => {
      running.generations.delete(generationId);
      if (running.generations.size === 0) idle();
    },
  };
  const { generations, calls } = running;
  return {
    complete: async (asked) => {
      if (!options.logCopy.isRecent() && !(await options.logCopy.confirm())) {
        return problem({ kind: 'log_copy_too_old' });
      }
      if (running.draining) return problem({ kind: 'draining' });
      if (options.isPaused()) return problem({ kind: 'paused' });
      const generationId = generationIdOf(asked.uuid);
      generations.add(generationId);
      let streaming = false;
      try {
        const answer = await answerTo(asked, options, running);
        // A later attempt has an id of its own, which its stream ends.
        streaming = answer.kind === 'stream' && answer.generationId === generationId;
        return answer;
      } catch (error) {
        if (error instanceof HoldsPaused) return problem({ kind: 'paused' });
        throw error;
      } finally {
        if (!streaming) running.over(generationId);
      }
    },
    countTokens: (asked) => countTokens(asked, options, running),
    get active() {
      return generations.size;
    },
    generations,
    drain: async (graceMs) => {
      running.draining = true;
      if (generations.size === 0) return;
      const ended = new Promise<void>((resolve) => (idle = resolve));
      const grace = setTimeout(() => {
        for (const { call } of calls) call?.cancel('drained');
      }, graceMs);
      await ended;
      clearTimeout(grace);
    },
  };
};

const problem = (what: CompletionProblem): Answer => ({ kind: 'problem', problem: what });
