import { asList } from './untyped-json.ts';

/** Names whose values are objects of the request format. Values under any other name are not inspected. */
const containers = new Set([
  ...['messages', 'content', 'system', 'input_audio', 'image_url', 'file', 'source', 'audio', 'prediction'],
  ...['tools', 'functions', 'function', 'custom', 'tool_calls', 'function_call', 'tool_choice', 'allowed_tools'],
  ...['response_format', 'json_schema', 'stream_options', 'reasoning', 'thinking', 'output_config'],
  ...['cache_control', 'prompt_cache_breakpoint', 'prompt_cache_options', 'web_search_options', 'user_location'],
  ...['search_parameters', 'plugins', 'extra_body', 'google'],
]);

/** Names that decide the cost of a request, its length, or what is sent with it. */
const known = new Set([
  ...containers,
  ...['model', 'models', 'prompt', 'suffix', 'input', 'role', 'name', 'type', 'text', 'refusal', 'url', 'detail'],
  ...['data', 'format', 'file_id', 'file_data', 'filename', 'media_type', 'citations', 'title', 'context'],
  ...['stream', 'include_usage', 'n', 'best_of', 'echo', 'logprobs', 'top_logprobs', 'stop', 'stop_sequences'],
  ...['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'max_new_tokens', 'min_tokens', 'budget_tokens'],
  ...['temperature', 'top_p', 'top_k', 'seed', 'presence_penalty', 'frequency_penalty', 'logit_bias'],
  ...['reasoning_effort', 'effort', 'verbosity', 'enable_thinking', 'modalities', 'dimensions', 'encoding_format'],
  ...['service_tier', 'speed', 'inference_geo', 'store', 'metadata', 'user', 'safety_identifier', 'background'],
  ...['prompt_cache_key', 'prompt_cache_retention', 'mode', 'ttl', 'cached_content', 'container', 'mcp_servers'],
  ...['enable_search', 'enable_web_search', 'web_search', 'parallel_tool_calls', 'tool_call_id', 'arguments'],
  ...['description', 'parameters', 'strict', 'schema', 'input_schema', 'definition', 'syntax'],
]);

/** Objects that set how long a provider keeps a prompt in its cache. */
const caches = new Set(['cache_control', 'prompt_cache_breakpoint', 'prompt_cache_options']);

/** A cache lifetime that a request asks for. */
export type CacheLifetime = { readonly param: string; readonly value: unknown };

export type Names = {
  /** How many names the parsed value has. If the text has more, it repeats a name. */
  readonly members: number;
  /** The first name that is another spelling of a known name. */
  readonly misspelt: { readonly name: string; readonly known: string } | undefined;
  readonly cacheLifetimes: readonly CacheLifetime[];
};

/** How the members of an object are checked: not at all, as the request format, or as cache settings. */
const [FREE, IN_FORMAT, CACHE] = [0, 1, 2];

/**
 * Inspects every name of a request once. Some JSON parsers ignore the case of names (Go's does, and folds ſ to s),
 * accept camel case as well, or end a name at a NUL. So a name that such a parser would read as a known one must not
 * pass as unknown. Only objects of the format are checked: the names in a tool's schema are the customer's own. Not
 * recursive, because a text may be nested a hundred thousand levels deep.
 */
export const readNames = (json: object): Names => {
  let members = 0;
  let misspelt: Names['misspelt'];
  const cacheLifetimes: CacheLifetime[] = [];
  const open: { readonly value: object; readonly kind: number; readonly under: string }[] = [];
  const enter = (value: unknown, kind: number, under: string): void => {
    if (typeof value === 'object' && value !== null) open.push({ value, kind, under });
  };
  enter(json, IN_FORMAT, '');
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, kind, under } = next;
    if (Array.isArray(value)) {
      for (const item of asList(value)) enter(item, kind, under);
      continue;
    }
    const object = value as Readonly<Record<string, unknown>>;
    const names = Object.keys(object);
    members += names.length;
    for (const name of names) {
      const member = object[name];
      if (kind !== FREE) {
        if (name === 'ttl' || name === 'prompt_cache_retention') {
          cacheLifetimes.push({ param: under === '' ? name : `${under}.${name}`, value: member });
        }
        if (kind !== CACHE && misspelt === undefined && !known.has(name)) {
          const meant = knownAs(name);
          if (meant !== undefined) misspelt = { name, known: meant };
        }
      }
      if (typeof member === 'object') enter(member, value === json ? kindAtTop(name) : kindOf(name, kind), name);
    }
  }
  return { members, misspelt, cacheLifetimes };
};

/** Objects of the format at the top of a request. Deeper, the input of a tool has names of the customer's own. */
const kindAtTop = (name: string): number => (name === 'input' || name === 'text' ? IN_FORMAT : kindOf(name, IN_FORMAT));

const kindOf = (name: string, parent: number): number => {
  if (parent === IN_FORMAT && containers.has(name)) return IN_FORMAT;
  return caches.has(name) ? CACHE : FREE;
};

const plainName = /^[a-z0-9_]*$/;
const LONGEST = Math.max(...[...known].map((name) => name.length));

/** The known name that another parser may read this one as. */
const knownAs = (name: string): string | undefined => {
  if (plainName.test(name)) return undefined;
  const [ended = ''] = name.slice(0, 4 * LONGEST).split('\0', 1);
  // NFKC maps ſ, the kelvin sign and full-width letters to plain letters.
  const written = ended.normalize('NFKC').trim();
  const lower = written.toLowerCase().replaceAll('i\u0307', 'i').replaceAll('\u0131', 'i').replaceAll('-', '_');
  if (known.has(lower)) return lower;
  const snake = written.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return known.has(snake) ? snake : undefined;
};
