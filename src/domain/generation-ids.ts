/**
 * How many providers a request asks at most, one after the other. Each attempt is a generation. Never lower it: generations
 * in the log would no longer be found by their request.
 */
export const MAX_ATTEMPTS = 4;

/** The name of an attempt, counted from 1: the UUID of its request, with a number from the second attempt on. */
export const attemptName = (uuid: string, attempt: number): string => (attempt === 1 ? uuid : `${uuid}-${attempt}`);

/** The ids of all generations that an HTTP request may have, in the order of its attempts. */
export const generationIdsOf = (requestId: string): readonly string[] => {
  const uuid = requestId.replace(/^req_/, '');
  return Array.from({ length: MAX_ATTEMPTS }, (_, n) => `gen-${attemptName(uuid, n + 1)}`);
};

/** The id of the HTTP request that a generation is an attempt of. */
export const requestIdOf = (generationId: string): string =>
  generationId.replace(/^gen-/, 'req_').replace(/-[2-9]$/, '');
