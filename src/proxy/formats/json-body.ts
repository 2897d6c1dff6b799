import { isAscii, isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { readNames, type Names } from '../json/field-names.ts';
import type { JsonShape } from '../json/json-shape.ts';
import { repeatedName } from '../json/json-text.ts';
import { withFields } from '../json/json-edit.ts';
import { isThere } from '../json/untyped-json.ts';
import type { BadRequest, CacheLifetime, Job } from './format.ts';
import { unsoldField } from './unsupported-features.ts';

const MAX_CHOICES = 128;
const wholeNumber = (least: number, most: number, range: string) => {
  const what = `must be a whole number ${range}`;
  return z.int(what).min(least, what).max(most, what).nullish();
};
const NAME = 'must be a string of 1 to 256 characters';
const OBJECT = 'must be an object';
const flag = z.boolean('must be true or false').nullish();
const model = z.string(NAME).min(1, NAME).max(256, NAME);

export const limit = wholeNumber(1, Number.MAX_SAFE_INTEGER, 'of at least 1');
export const filledList = (what: string) =>
  z.custom<unknown[]>((value) => Array.isArray(value) && value.length > 0, `must be ${what}`);
export const textOrTokens = z.custom<string | unknown[]>(
  (value) => typeof value === 'string' || (Array.isArray(value) && value.length > 0),
  'must be a string or a list that is not empty',
);

/** Only fields that bound the cost are checked. The provider validates messages, tools and the rest. */
export const generating = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.looseObject(
    {
      model,
      stream: flag,
      stream_options: z.looseObject({ include_usage: flag }, OBJECT).nullish(),
      n: wholeNumber(1, MAX_CHOICES, `from 1 to ${MAX_CHOICES}`),
      ...shape,
    },
    OBJECT,
  );
export const embedding = z.looseObject({ model, input: textOrTokens }, OBJECT);

/** What all JSON formats have in common. */
export type JsonBody = Pick<Job, 'body' | 'fields' | 'model' | 'streamed' | 'includeUsage' | 'cacheLifetimes'>;

/**
 * Reads and checks a body once. `unsold` finds a field that this format does not sell; `ownTools` are the types of tools
 * that the customer runs.
 */
export const readJsonBody = (
  body: Buffer,
  shape: JsonShape,
  schema: z.ZodType<{ readonly model: string }>,
  unsold: (fields: Job['fields']) => BadRequest | undefined = () => undefined,
  ownTools?: readonly string[],
): JsonBody | BadRequest => {
  const ascii = isAscii(body);
  if (!ascii && !isUtf8(body)) return invalidJson('The body is not valid UTF-8.');
  // ASCII text needs no decoding, which takes as long as parsing it.
  const text = body.toString(ascii ? 'latin1' : 'utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return invalidJson('The body is not valid JSON.');
  }
  const names = typeof json === 'object' && json !== null ? readNames(json) : undefined;
  const ambiguous = names && ambiguity(names, shape, text);
  if (ambiguous) return ambiguous;
  const parsed = schema.safeParse(json);
  if (!parsed.success) return invalidField(parsed.error);
  const fields: Job['fields'] = parsed.data;
  return (
    unsoldField(fields, ownTools) ??
    unsold(fields) ??
    jsonBody(body, fields, parsed.data.model, names?.cacheLifetimes ?? [])
  );
};

const jsonBody = (
  body: Buffer,
  fields: Job['fields'],
  name: string,
  cacheLifetimes: readonly CacheLifetime[],
): JsonBody => {
  const streamed = fields['stream'] === true;
  const options = fields['stream_options'] as { readonly include_usage?: unknown } | null | undefined;
  const includeUsage = streamed && options?.include_usage === true;
  return { body, fields, model: name, streamed, includeUsage, cacheLifetimes };
};

const invalidField = ({ issues: [issue] }: z.ZodError): BadRequest => {
  const param = issue && issue.path.length > 0 ? issue.path.join('.') : null;
  return { code: 'invalid_request', message: `${param ?? 'The body'}: ${issue?.message ?? 'is not valid'}`, param };
};

const invalidJson = (message: string): BadRequest => ({ code: 'invalid_json', message, param: null });

/**
 * The gateway prices a body by what it parses, and the provider executes what it parses. If a name occurs twice, some
 * parsers use the first value and others the last. Another spelling of a name is accepted by some parsers and ignored
 * by others.
 */
const ambiguity = ({ members, misspelt }: Names, shape: JsonShape, text: string): BadRequest | undefined => {
  if (misspelt) {
    const { name, known } = misspelt;
    return ambiguousName(name, `some providers read this name as ${known}. Write ${known}.`);
  }
  if (members === shape.members) return undefined;
  return ambiguousName(repeatedName(text) ?? '', 'an object has this name twice. Send it once.');
};

const LONGEST_NAME = 100;

const ambiguousName = (name: string, why: string): BadRequest => {
  const param = name.slice(0, LONGEST_NAME);
  return { code: 'invalid_request', message: `${param === '' ? '""' : param}: ${why}`, param };
};

/** The space of an indented line, as some clients write JSON. */
const BYTES_OF_SPACE = 16;

/** By how many bytes a body grows at most if the customer sets a limit under a name, or lowers the present one. */
export const bytesOfLimit = (
  { body, fields }: Pick<Job, 'body' | 'fields'>,
  [added, other]: readonly [string, string?],
  most: number,
): number => {
  const present = [added, other].filter((name) => name !== undefined && isThere(fields[name])) as string[];
  const changes = present.length > 0 ? present : [added];
  const changed = Object.fromEntries(changes.map((name) => [name, Math.max(0, most)]));
  const grown = withFields({ body, fields }, changed).length - body.length;
  return Math.max(0, grown) + (present.length > 0 ? 0 : BYTES_OF_SPACE);
};

/** The larger of the limits that were sent: a provider may read either. */
export const largestLimit = (...limits: readonly unknown[]): number | undefined => {
  const sent = limits.filter((value) => typeof value === 'number');
  return sent.length > 0 ? Math.max(...sent) : undefined;
};

/** JSON as text, as a model may read it. A value too deep to serialise returns no text, and counts by its bytes. */
export const jsonTexts = (value: unknown): readonly string[] => {
  if (value === undefined) return [];
  try {
    return [JSON.stringify(value)];
  } catch {
    return [];
  }
};

/** How many tokens a field holds as numbers, in one list or in several. */
export const tokenIdsIn = (value: unknown): number =>
  (Array.isArray(value) ? (value as unknown[]) : []).flatMap((item) => item).filter((item) => typeof item === 'number')
    .length;
