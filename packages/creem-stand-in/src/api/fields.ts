import { z } from 'zod';
import { InvalidRequest } from './errors.ts';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number conforming to the specified constraints',
  int: 'an integer number',
  boolean: 'a boolean value',
  object: 'an object',
  record: 'an object',
  array: 'an array',
};

/** One message for a field, in the manner of Creem's validator. */
const messagesOf = (issue: z.core.$ZodIssue): readonly string[] => {
  const name = issue.path.join('.') || 'body';
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => `property ${[...issue.path, key].join('.')} should not exist`);
    case 'invalid_type':
      return issue.input === undefined && issue.path.length > 0
        ? [`The '${name}' field is required.`]
        : [`${name} must be ${KINDS[issue.expected] ?? issue.expected}`];
    case 'too_small':
      return [`${name} must not be less than ${issue.minimum}`];
    case 'too_big':
      return [`${name} must not be greater than ${issue.maximum}`];
    case 'invalid_value':
      return [`${name} must be one of the following values: ${issue.values.join(', ')}`];
    default:
      return [`${name} is not valid`];
  }
};

/** The value as the schema gives it. Throws `InvalidRequest` with a message for each field that is wrong. */
export const read = <Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> => {
  const { data, error } = schema.safeParse(input ?? {}, { reportInput: true });
  if (error) throw new InvalidRequest(error.issues.flatMap(messagesOf));
  return data;
};

export const text = z.string().min(1).max(1_000);
export const httpUrl = z.url({ protocol: /^https?$/ }).max(2_000);
export const email = z.email().max(320);
export const metadata = z.record(z.string(), z.unknown());

const pageNumber = z.coerce.number().int().min(1);
/** Fields of every list. */
export const paging = {
  page_number: pageNumber.default(1),
  page_size: pageNumber.max(100).default(10),
};

type Paging = { readonly page_number: number; readonly page_size: number };

/** One page of a list that is in the order of the answer. */
export const pageOf = <T>(items: readonly T[], { page_number: page, page_size: size }: Paging) => {
  const pages = Math.ceil(items.length / size);
  return {
    items: items.slice((page - 1) * size, page * size),
    pagination: {
      total_records: items.length,
      total_pages: pages,
      current_page: page,
      next_page: page < pages ? page + 1 : null,
      prev_page: page > 1 ? page - 1 : null,
    },
  };
};
