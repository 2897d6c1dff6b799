import { asList, field, isThere, shown, strings } from '../json/untyped-json.ts';
import { unsupported, type BadRequest, type Job } from './format.ts';

type Fields = Job['fields'];

const BY_CALL = 'is not sold here, because its price is not by token. Leave it out.';
const NO_SEARCH = 'searching the web is not sold here, because its price is by the call. Leave it out.';
const NO_STATE =
  'names something that is kept at a provider, under a key that all customers share. Send it with the request.';

/**
 * Fields that make a provider bill something that the price book has no price for, with the reason of the refusal. The
 * fields for search are those of OpenAI and Perplexity, DashScope, xAI, OpenRouter, Zhipu and Venice, in this order.
 */
const unpriced = Object.entries({
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
}).map(([param, why]) => ({ param, why }));

/** Fields with values that have the listed price. */
const pricedValues = Object.entries<readonly string[]>({
  service_tier: ['auto', 'default'],
  speed: ['standard'],
  inference_geo: ['global'],
}).map(([param, priced]) => ({ param, priced }));

/** Anthropic's name for the default tier, which only its own clients send. */
const isStandardOnly = (param: string, value: unknown): boolean =>
  param === 'service_tier' && value === 'standard_only';

/** The types of tools that the customer runs, in OpenAI's chat and in Anthropic's messages. */
const OWN_TOOLS: readonly string[] = ['function', 'custom'];

/**
 * The first field that is not sold, because the price book has no price for it. `ownTools` are the types of tools that the
 * customer runs.
 */
export const unsoldField = (fields: Fields, ownTools = OWN_TOOLS): BadRequest | undefined => {
  for (const { param, priced } of pricedValues) {
    const value = fields[param];
    if (isThere(value) && !priced.includes(value as string) && !isStandardOnly(param, value)) {
      const sold = priced.map((one) => JSON.stringify(one)).join(' or ');
      return unsupported(param, `${shown(value)} has no price here. Leave it out, or send ${sold}.`);
    }
  }
  const other = strings(fields['modalities']).find((one) => one !== 'text');
  if (other !== undefined && isOff(fields['audio'])) {
    return unsupported('modalities', `only text is sold here, and not ${shown(other)}. Leave it out.`);
  }
  const hosted = unsoldTool(fields['tools'], 'tools', ownTools);
  if (hosted) return hosted;
  const more = fields['extra_body'];
  const google = field(more, 'google');
  for (const { param, why } of unpriced) {
    const isSet = !isOff(fields[param]) || !isOff(field(more, param)) || !isOff(field(google, param));
    if (isSet) return unsupported(param, why);
  }
  return undefined;
};

/** A tool that the provider runs, in a list of tools. */
export const unsoldTool = (tools: unknown, param: string, ownTools = OWN_TOOLS): BadRequest | undefined => {
  for (const tool of inList(tools)) {
    const hosted = hostedTool(tool, ownTools);
    if (hosted === undefined) continue;
    const why = `${shown(hosted)} is run by the provider, and its price is not by token. Send tools of type function or custom.`;
    return unsupported(param, why);
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
    if (isThere(value) && !isOff(value)) return unsupported(param, why);
  }
  return undefined;
};

const inList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) || !isThere(value) || typeof value !== 'object' ? asList(value) : [value];

/** Left out, null, false, empty, or switched off by xAI's `mode` or OpenRouter's `enabled`. */
const isOff = (value: unknown): boolean =>
  !isThere(value) ||
  value === false ||
  field(value, 'mode') === 'off' ||
  field(value, 'enabled') === false ||
  (Array.isArray(value) && value.every(isOff));

/** Fields of a tool that the customer runs, if it has no type. */
const ownTool = new Set([
  ...['type', 'function', 'custom', 'name', 'description', 'parameters', 'input_schema', 'strict', 'cache_control'],
]);
/** Google's tools have a name of their own instead of a type. */
const googleTools = new Set([
  ...['google_search', 'google_search_retrieval', 'googleSearch', 'googleSearchRetrieval', 'google_maps', 'googleMaps'],
  ...['url_context', 'urlContext', 'code_execution', 'codeExecution', 'file_search', 'fileSearch', 'computer_use'],
]);

/**
 * The type of a tool that the provider runs: Groq browses, Zhipu and Moonshot search. Nothing in the request bounds what
 * they read.
 */
const hostedTool = (tool: unknown, ownTools: readonly unknown[]): unknown => {
  const type = field(tool, 'type');
  if (isThere(type) && !ownTools.includes(type)) return type;
  if (typeof tool !== 'object' || tool === null || Array.isArray(tool)) return undefined;
  const isOwn = isThere(type) || ['function', 'custom', 'name'].some((name) => Object.hasOwn(tool, name));
  return Object.keys(tool).find((name) => googleTools.has(name) || (!isOwn && !ownTool.has(name)));
};
