import type { z } from 'zod';

const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'an array',
};

/** A message that follows the name of the value, or undefined to keep zod's own, which is for TypeScript developers. */
export const inputMessages: z.core.$ZodErrorMap = (issue) => {
  const { input } = issue;
  switch (issue.code) {
    case 'invalid_type': {
      if (input === undefined) return 'is required';
      // A query parameter that occurs twice is an array.
      if (issue.expected === 'string' && Array.isArray(input)) return 'must be a single string';
      return `must be ${kinds[issue.expected] ?? issue.expected}`;
    }
    case 'invalid_value':
      return input === undefined
        ? 'is required'
        : `must be ${issue.values.map((one) => JSON.stringify(one)).join(' or ')}`;
    case 'too_small':
      return `must ${bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)}`;
    case 'invalid_format':
      return `must match ${String(issue.pattern ?? issue.format)}`;
    default:
      return undefined;
  }
};

/** For example `be at least 1` or `have at most 200 characters`. */
const bound = (origin: string, than: string, limit: number | bigint): string => {
  const unit = { string: 'character', array: 'element' }[origin];
  return unit === undefined ? `be ${than} ${limit}` : `have ${than} ${limit} ${unit}${Number(limit) === 1 ? '' : 's'}`;
};
