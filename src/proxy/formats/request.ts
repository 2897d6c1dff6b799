import { isAscii, isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { readNames, type CacheLifetime, type Names } from '../json/field-names.ts';
import { measureJsonNow, type JsonShape } from '../json/json-shape.ts';
import { membersOf, repeatedName, type Span } from '../json/json-text.ts';
import { unsoldField, unsoldLegacyField } from './unsupported-features.ts';
import type { Endpoint } from '../providers/provider.ts';

/** A request of a customer, read once. `body` is the JSON as it came, so that it can be passed on as it is. */
export type CompletionRequest = {
  readonly endpoint: Endpoint;
  readonly body: Buffer;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly model: string;
  readonly streamed: boolean;
  readonly includeUsage: boolean;
  /** What the customer allows each choice; undefined where nothing was said. */
  readonly maxOutputTokens: number | undefined;
  /** How many answers are generated and paid for: `n` for each prompt. */
  readonly choices: number;
  /** How long it asks a provider's cache to keep the prompt. */
  readonly cacheLifetimes: readonly CacheLifetime[];
};

/** Refusal: what came is not a request. `param` names the field. */
export type BadRequest = {
  readonly code: 'invalid_json' | 'invalid_request' | 'unsupported_parameter';
  readonly message: string;
  readonly param: string | null;
};

const MAX_CHOICES = 128;
const whole = (least: number, most: number, range: string) => {
  const what = `must be a whole number ${range}`;
  return z.int(what).min(least, what).max(most, what).nullish();
};
const limit = whole(1, Number.MAX_SAFE_INTEGER, 'of at least 1');
const choices = whole(1, MAX_CHOICES, `from 1 to ${MAX_CHOICES}`);
const NAME = 'must be a string of 1 to 256 characters';
const flag = z.boolean('must be true or false').nullish();
const OBJECT = 'must be an object';

// Only what bounds the cost is looked at. The innards of messages, tools and the rest are the upstream's to judge.
const common = {
  model: z.string(NAME).min(1, NAME).max(256, NAME),
  stream: flag,
  stream_options: z.looseObject({ include_usage: flag }, OBJECT).nullish(),
  n: choices,
};
const items = (what: string) =>
  z.custom<unknown[]>((value) => Array.isArray(value) && value.length > 0, `must be ${what}`);
const textOrTokens = z.custom<string | unknown[]>(
  (value) => typeof value === 'string' || (Array.isArray(value) && value.length > 0),
  'must be a string or a list that is not empty',
);

const schemas = {
  '/chat/completions': z.looseObject(
    {
      ...common,
      messages: items('a list of messages that is not empty'),
      max_tokens: limit,
      max_completion_tokens: limit,
    },
    OBJECT,
  ),
  '/completions': z.looseObject({ ...common, prompt: textOrTokens, max_tokens: limit }, OBJECT),
  '/embeddings': z.looseObject({ model: common.model, input: textOrTokens }, OBJECT),
} satisfies Record<Endpoint, z.ZodType>;

/** The legacy endpoint generates 16 tokens where nothing is said. */
const LEGACY_DEFAULT_MAX_TOKENS = 16;

export const readRequest = (
  endpoint: Endpoint,
  body: Buffer,
  shape: JsonShape = measureJsonNow(body),
): CompletionRequest | BadRequest => {
  const ascii = isAscii(body);
  if (!ascii && !isUtf8(body)) return invalidJson('The body is not valid UTF-8.');
  // Text that is all ASCII need not be decoded, which takes as long as parsing it.
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
  const parsed = schemas[endpoint].safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const param = issue && issue.path.length > 0 ? issue.path.join('.') : null;
    return { code: 'invalid_request', message: `${param ?? 'The body'}: ${issue?.message ?? 'is not valid'}`, param };
  }
  const fields: Readonly<Record<string, unknown>> & Partial<z.output<(typeof schemas)['/chat/completions']>> =
    parsed.data;
  const unsold = unsoldField(fields) ?? (endpoint === '/completions' ? unsoldLegacyField(fields) : undefined);
  if (unsold) return unsold;
  const streamed = fields.stream === true;
  return {
    endpoint,
    body,
    fields,
    model: parsed.data.model,
    streamed,
    includeUsage: streamed && fields.stream_options?.include_usage === true,
    maxOutputTokens: outputLimit(endpoint, fields),
    choices: choiceCount(endpoint, fields),
    cacheLifetimes: names?.cacheLifetimes ?? [],
  };
};

const invalidJson = (message: string): BadRequest => ({ code: 'invalid_json', message, param: null });

/**
 * A body is priced by what is read of it here and carried out by what the provider reads of it. Of a name that comes twice
 * some programs take the first, others the last; names in another spelling are known to some and unknown to others.
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

export const isBadRequest = (read: CompletionRequest | BadRequest): read is BadRequest => 'code' in read;

const outputLimit = (
  endpoint: Endpoint,
  fields: {
    readonly max_tokens?: number | null | undefined;
    readonly max_completion_tokens?: number | null | undefined;
  },
): number | undefined => {
  if (endpoint === '/embeddings') return 0;
  const asked = [fields.max_tokens, fields.max_completion_tokens].filter((value) => typeof value === 'number');
  if (asked.length > 0) return Math.max(...asked);
  return endpoint === '/completions' ? LEGACY_DEFAULT_MAX_TOKENS : undefined;
};

/** Of embeddings, which have none, the fields were not looked at: whatever stands in them says nothing here. */
const choiceCount = (endpoint: Endpoint, { n, prompt }: Readonly<Record<string, unknown>>): number => {
  if (endpoint === '/embeddings') return 1;
  if (endpoint === '/chat/completions') return Number(n ?? 1);
  return Number(n ?? 1) * promptCount(prompt);
};

/** The legacy endpoint takes several prompts at once: a list of strings or of token lists. */
const promptCount = (prompt: unknown): number =>
  Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1;

/**
 * The body with some top-level fields changed or called by another name, and every other byte as it came: numbers that no
 * double can hold, and the order that a provider's cache may depend on.
 */
export const withFields = (
  { body, fields }: CompletionRequest,
  changes: Readonly<Record<string, unknown>>,
  renamed: Readonly<Record<string, string>> = {},
): Buffer => {
  const edits: Edit[] = [];
  const added: Record<string, unknown> = {};
  const touched = [...Object.keys(changes), ...Object.keys(renamed)];
  // Read as latin1, places in the text are places in the bytes.
  const text = touched.some((name) => Object.hasOwn(fields, name)) ? body.toString('latin1') : '';
  for (const [from, to] of Object.entries(renamed)) {
    for (const { name } of membersOf(text, from)) edits.push({ ...name, json: JSON.stringify(to) });
  }
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(fields, name)) added[name] = value;
    else for (const { start, end } of membersOf(text, name)) edits.push({ start, end, json: JSON.stringify(value) });
  }
  if (Object.keys(added).length > 0) {
    const start = body.indexOf('{') + 1;
    edits.push({ start, end: start, json: `${JSON.stringify(added).slice(1, -1)},` });
  }
  return edited(body, edits);
};

type Edit = Span & { readonly json: string };

const edited = (body: Buffer, edits: readonly Edit[]): Buffer => {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const { start, end, json } of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(body.subarray(from, start), Buffer.from(json));
    from = end;
  }
  return parts.length === 0 ? body : Buffer.concat([...parts, body.subarray(from)]);
};
