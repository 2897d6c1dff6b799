import type { CompletionRequest, BadRequest } from './request.ts';
import { asList, field, isThere, strings } from '../json/untyped-json.ts';
import type { Upstream } from '../providers/provider.ts';

type Fields = CompletionRequest['fields'];
type Refused = { readonly param: string; readonly why: string };

const refusal = ({ param, why }: Refused): BadRequest => ({
  code: 'unsupported_parameter',
  message: `${param}: ${why}`,
  param,
});

const BY_CALL = 'is not sold here, because its price is not by token. Leave it out.';
const NO_SEARCH = 'searching the web is not sold here, because its price is by the call. Leave it out.';
const NO_STATE =
  'names something that is kept at a provider, under a key that all customers share. Send it with the request.';

/**
 * Fields that make a provider charge for something other than the tokens of the price book, or at another price, and what
 * is wrong with them. Search is switched on by OpenAI and Perplexity, DashScope, xAI, OpenRouter, Zhipu and Venice in this order.
 */
const unpriced: Readonly<Record<string, string>> = {
  audio: 'sound as output is not sold here, because its price is not that of text. Leave it out.',
  web_search_options: NO_SEARCH,
  enable_search: NO_SEARCH,
  search_parameters: NO_SEARCH,
  plugins: BY_CALL,
  web_search: NO_SEARCH,
  enable_web_search: NO_SEARCH,
  mcp_servers: BY_CALL,
  background: 'answers are not kept here, so a request cannot run in the background. Leave it out.',
  models: 'a request is priced by one model. Name it in model.',
  cached_content: NO_STATE,
};

/** Fields of which some values have the listed price. */
const pricedValues: Readonly<Record<string, readonly string[]>> = {
  service_tier: ['auto', 'default'],
  speed: ['standard'],
  inference_geo: ['global'],
};

/** What of the fields is not sold, because the price book has no price for it. */
export const unsoldField = (fields: Fields): BadRequest | undefined => {
  for (const [param, priced] of Object.entries(pricedValues)) {
    const value = fields[param];
    if (isThere(value) && !priced.includes(value as string)) {
      const sold = priced.map((one) => JSON.stringify(one)).join(' or ');
      return refusal({ param, why: `${shown(value)} has no price here. Leave it out, or send ${sold}.` });
    }
  }
  const other = strings(fields['modalities']).find((one) => one !== 'text');
  if (other !== undefined && isOff(fields['audio'])) {
    return refusal({ param: 'modalities', why: `only text is sold here, and not ${shown(other)}. Leave it out.` });
  }
  for (const tool of inList(fields['tools'])) {
    const hosted = hostedTool(tool);
    if (hosted !== undefined) {
      const why = `${shown(hosted)} is run by the provider, and its price is not by token. Send tools of type function or custom.`;
      return refusal({ param: 'tools', why });
    }
  }
  const more = fields['extra_body'];
  for (const [param, why] of Object.entries(unpriced)) {
    const values = [fields[param], field(more, param), field(field(more, 'google'), param)];
    if (!values.every(isOff)) return refusal({ param, why });
  }
  return undefined;
};

/** Fields of the legacy completions format that return or bill output that was not generated for the customer. */
const legacyFields: Readonly<Record<string, { readonly isOff: (value: unknown) => boolean; readonly why: string }>> = {
  echo: { isOff: (value) => value === false, why: 'the prompt is not repeated in the answer here. Leave it out.' },
  best_of: {
    isOff: (value) => value === 1,
    why: 'answers that are generated but not returned are not sold here. Leave it out, and use n.',
  },
  prompt_logprobs: { isOff: (value) => value === false, why: 'a prompt is not scored here. Leave it out.' },
};

/** A field of the legacy completions format that is not supported: echo, best_of, and scoring of the prompt. */
export const unsoldLegacyField = (fields: Fields): BadRequest | undefined => {
  for (const [param, { isOff, why }] of Object.entries(legacyFields)) {
    const value = fields[param];
    if (isThere(value) && !isOff(value)) return refusal({ param, why });
  }
  return undefined;
};

const inList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) || !isThere(value) || typeof value !== 'object' ? asList(value) : [value];

/** Left out, null, false, empty, or switched off by xAI's mode and OpenRouter's flag. */
const isOff = (value: unknown): boolean =>
  !isThere(value) ||
  value === false ||
  field(value, 'mode') === 'off' ||
  field(value, 'enabled') === false ||
  (Array.isArray(value) && value.every(isOff));

/** What a tool that the customer runs may have, if it does not state its type. */
const ownTool = new Set([
  ...['type', 'function', 'custom', 'name', 'description', 'parameters', 'input_schema', 'strict', 'cache_control'],
]);
/** Google's tools have no type, but a name of their own. */
const googleTools = new Set([
  ...['google_search', 'google_search_retrieval', 'googleSearch', 'googleSearchRetrieval', 'google_maps', 'googleMaps'],
  ...['url_context', 'urlContext', 'code_execution', 'codeExecution', 'file_search', 'fileSearch', 'computer_use'],
]);

/**
 * The type of a tool that the provider runs: Groq browses, Zhipu and Moonshot search, and what they read is bounded by
 * nothing in the request.
 */
const hostedTool = (tool: unknown): unknown => {
  const type = field(tool, 'type');
  if (isThere(type) && type !== 'function' && type !== 'custom') return type;
  if (typeof tool !== 'object' || tool === null || Array.isArray(tool)) return undefined;
  const isOwn = isThere(type) || ['function', 'custom', 'name'].some((name) => Object.hasOwn(tool, name));
  return Object.keys(tool).find((name) => googleTools.has(name) || (!isOwn && !ownTool.has(name)));
};

/** These keep a prompt in memory only, as a provider does without being asked. */
const ORDINARY_RETENTION: readonly unknown[] = ['in_memory', 'in-memory'];

/** A lifetime in a provider's cache that is not the one whose price is listed. */
export const unsoldCache = (
  { cacheLifetimes }: CompletionRequest,
  { cacheTtls = [] }: Pick<Upstream, 'cacheTtls'>,
): BadRequest | undefined => {
  for (const { param, value } of cacheLifetimes) {
    const isTtl = param.endsWith('ttl');
    const priced = isTtl ? cacheTtls : ORDINARY_RETENTION;
    if (!isThere(value) || priced.includes(value as string)) continue;
    const sold = isTtl && cacheTtls.length > 0 ? `, or send ${cacheTtls.map(shown).join(' or ')}` : '';
    return refusal({ param, why: `${shown(value)} has no price here. Leave it out${sold}.` });
  }
  return undefined;
};

const LONGEST_SHOWN = 60;

/** A value in a message, as JSON and not at any length. */
const shown = (value: unknown): string => {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = JSON.stringify(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
};
