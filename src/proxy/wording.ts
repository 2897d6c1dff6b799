import type { z } from 'zod';

const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'an array',
};

/** What is wrong with a field of a request, to be read behind its name: zod's own words are for developers of TypeScript. */
export const wording: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${kinds[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return `must ${bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)}`;
    default:
      return undefined;
  }
};

/** `be at least 1`, `have at most 256 characters`. */
const bound = (origin: string, than: string, limit: number | bigint): string => {
  if (origin !== 'string') return `be ${than} ${limit}`;
  return `have ${than} ${limit} ${Number(limit) === 1 ? 'character' : 'characters'}`;
};
