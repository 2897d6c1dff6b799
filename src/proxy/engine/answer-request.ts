import { tryAttempts } from './attempts.ts';
import type { Answer, Asked, CompletionsOptions, Running } from './completion.ts';
import { formatOf, readRequest } from './read-request.ts';

/** Handles one request, from its body to its answer. */
export const answerTo = async (asked: Asked, options: CompletionsOptions, running: Running): Promise<Answer> => {
  const format = formatOf(asked, options);
  const read = await readRequest(asked, (body, shape) => format.read(body, shape), options, running);
  if ('kind' in read) return { kind: 'problem', problem: read };
  const answer = await tryAttempts({ asked, ...read }, options, running);
  const isChosen = read.attempts.length > 1 && answer.kind !== 'problem';
  if (isChosen) options.sticky?.answered(asked.accountId, read.job, answer.provider);
  return answer;
};
