import { z } from 'zod';

/** Paths of the OpenAI wire format, relative to the base URL. */
export type Endpoint = '/chat/completions' | '/completions' | '/embeddings';

const count = z.int().min(0).max(1_000_000);
// Longer than any time-out worth testing, and below 2^31 ms, from which on setTimeout fires at once.
const delayMs = z.number().min(0).max(600_000);

/**
 * Settings of one answer, in the top-level field `simulate` of a body. OpenAI has no such field, so a gateway that forwards
 * unknown fields needs no special case. Strict, because a mistyped name that is ignored makes a test pass for the wrong
 * reason.
 */
export const Knobs = z
  .strictObject({
    /** Tokens of each choice; 16 by default. Ignored with `text`, `echo`, a tool call or a JSON answer. */
    outputTokens: count.optional(),
    /** The next four counts are reported as they are, without checks against each other. */
    promptTokens: count.optional(),
    cachedTokens: count.optional(),
    cacheWriteTokens: count.optional(),
    /** Included in completion_tokens, as at OpenAI; they count towards max_tokens. */
    reasoningTokens: count.optional(),
    /** Reported verbatim instead of the true usage; 'missing' omits the usage. */
    usage: z.union([z.literal('missing'), z.record(z.string(), z.unknown())]).optional(),
    /** Milliseconds before the head of the response. */
    firstByteMs: delayMs.optional(),
    /** Milliseconds between two tokens; an answer that is not streamed waits for their sum before its head. */
    tokenMs: delayMs.optional(),
    /** Fail with this HTTP status and OpenAI's error body. */
    status: z.int().min(400).max(599).optional(),
    message: z.string().optional(),
    /** Seconds, for the header `retry-after`. */
    retryAfter: count.optional(),
    /** Reset the connection after this many tokens, or half-way through an answer that is not streamed. */
    breakAfter: count.optional(),
    resetBeforeHead: z.boolean().optional(),
    /** Send nothing until the caller disconnects: before the head, or half-way through the answer. */
    hang: z.enum(['beforeHead', 'midStream']).optional(),
    /** End a stream after this many tokens with a chunk that has a top-level `error`; if not streamed, answer 500. */
    errorMidStream: count.optional(),
    /** False ends a stream without `[DONE]`. */
    done: z.boolean().optional(),
    /** SSE comments between two tokens, spread evenly over `tokenMs`. */
    comments: z.int().min(0).max(1_000).optional(),
    /** Answer exactly this; each word is a token. */
    text: z.string().optional(),
    /** Answer with the last user message, or the prompt. */
    echo: z.boolean().optional(),
    /** Send the body in pieces of exactly this many bytes, regardless of event boundaries. */
    chunkBytes: z.int().min(1).optional(),
  })
  .refine(({ status, message }) => status !== undefined || message === undefined, {
    path: ['message'],
    message: 'It needs a status.',
  })
  .refine(({ status, retryAfter }) => status !== undefined || retryAfter === undefined, {
    path: ['retryAfter'],
    message: 'It needs a status.',
  });
export type Knobs = z.infer<typeof Knobs>;

// OpenAI accepts null for any optional field, and some SDKs send them all.
const common = { model: z.string().min(1), simulate: Knobs.nullish() };
const generation = {
  ...common,
  n: z.int().min(1).max(128).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  max_tokens: z.int().min(1).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
};
const tokenArray = z.array(z.int().min(0)).min(1);

const Message = z.object({
  role: z.string(),
  content: z.union([z.string(), z.array(z.object({ type: z.string(), text: z.string().optional() }))]).nullish(),
  tool_calls: z
    .array(z.object({ function: z.object({ name: z.string(), arguments: z.string() }).optional() }))
    .nullish(),
});
export type Message = z.infer<typeof Message>;

const Tool = z.object({
  type: z.string(),
  function: z.object({ name: z.string(), parameters: z.unknown() }).optional(),
});
export type Tool = z.infer<typeof Tool>;

const ChatBody = z
  .object({
    ...generation,
    messages: z.array(Message).min(1),
    max_completion_tokens: z.int().min(1).nullish(),
    tools: z.array(Tool).nullish(),
    tool_choice: z
      .union([
        z.enum(['none', 'auto', 'required']),
        z.object({ type: z.string(), function: z.object({ name: z.string() }).optional() }),
      ])
      .nullish(),
    response_format: z.object({ type: z.string(), json_schema: z.object({ schema: z.unknown() }).nullish() }).nullish(),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.int().min(0).max(20).nullish(),
  })
  .refine(
    ({ tools, tool_choice: choice }) =>
      typeof choice !== 'object' ||
      choice?.function === undefined ||
      tools?.some((tool) => tool.function?.name === choice.function?.name) === true,
    { path: ['tool_choice'], message: 'It names a tool that is not in the tools.' },
  );
export type ChatBody = z.infer<typeof ChatBody>;

const LegacyBody = z.object({
  ...generation,
  prompt: z.union([z.string(), z.array(z.string()).min(1), tokenArray, z.array(tokenArray).min(1)]),
  logprobs: z.int().min(0).max(5).nullish(),
});
export type LegacyBody = z.infer<typeof LegacyBody>;

const EmbeddingsBody = z.object({
  ...common,
  input: z.union([
    z.string().min(1),
    z.array(z.string().min(1)).min(1).max(2048),
    tokenArray.max(8192),
    z.array(tokenArray).min(1).max(2048),
  ]),
  dimensions: z.int().min(1).max(4096).nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
});
export type EmbeddingsBody = z.infer<typeof EmbeddingsBody>;

export type SimulatedRequest =
  | { readonly endpoint: '/chat/completions'; readonly body: ChatBody }
  | { readonly endpoint: '/completions'; readonly body: LegacyBody }
  | { readonly endpoint: '/embeddings'; readonly body: EmbeddingsBody };

/** OpenAI's error object, the value of `error`. */
export type WireError = {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
};

/** `json` is the body, for tests of what reached the provider; undefined if it was not JSON. */
export type Parsed =
  | { readonly kind: 'accepted'; readonly json: unknown; readonly request: SimulatedRequest }
  | { readonly kind: 'rejected'; readonly json: unknown; readonly error: WireError };

const invalid = (message: string, param: string | null, code: string | null): WireError => ({
  message,
  type: 'invalid_request_error',
  param,
  code,
});

const explain = (issue: z.core.$ZodIssue, json: unknown): WireError => {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path;
  const param = path.join('.') || null;
  if (issue.code === 'unrecognized_keys') return invalid(`Unknown parameter: '${param}'.`, param, 'unknown_parameter');
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], json);
  if (value === undefined && param !== null)
    return invalid(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter');
  return invalid(`Invalid value for '${param ?? 'body'}': ${issue.message}`, param, 'invalid_value');
};

const check = (endpoint: Endpoint, json: unknown): SimulatedRequest | z.ZodError => {
  switch (endpoint) {
    case '/chat/completions': {
      const { data, error } = ChatBody.safeParse(json);
      return data === undefined ? error : { endpoint, body: data };
    }
    case '/completions': {
      const { data, error } = LegacyBody.safeParse(json);
      return data === undefined ? error : { endpoint, body: data };
    }
    case '/embeddings': {
      const { data, error } = EmbeddingsBody.safeParse(json);
      return data === undefined ? error : { endpoint, body: data };
    }
  }
};

/** Reads a body in the OpenAI wire format. Unknown fields are ignored, as by most compatible servers. */
export const parseRequest = (endpoint: Endpoint, bytes: Uint8Array): Parsed => {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    const error = invalid('We could not parse the JSON body of your request.', null, null);
    return { kind: 'rejected', json: undefined, error };
  }
  const request = check(endpoint, json);
  if (!(request instanceof z.ZodError)) return { kind: 'accepted', json, request };
  const [issue] = request.issues;
  return { kind: 'rejected', json, error: issue ? explain(issue, json) : invalid('Invalid body.', null, null) };
};
