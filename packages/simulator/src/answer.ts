import { hash } from 'node:crypto';
import { exampleOf } from './schema-example.ts';
import type { ChatBody, EmbeddingsBody, Knobs, LegacyBody, Message, Tool } from './request.ts';

export type Choice = {
  /** The text, or the arguments of the tool call, in the pieces that a stream sends one by one. */
  readonly tokens: readonly string[];
  readonly finish: 'stop' | 'length' | 'tool_calls';
  readonly tool?: { readonly id: string; readonly name: string };
};

export type Answer = {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly Choice[];
  /** Undefined if the caller asked for no usage. */
  readonly usage: unknown;
  /** Alternatives in the log probabilities of each token; undefined if log probabilities were not requested. */
  readonly topLogprobs: number | undefined;
};

export const WORDS = (
  'the a river carries light over stones and nobody asks why morning opens slowly like an old book whose pages ' +
  'remember rain while birds count their small debts to every passing cloud then settle them before evening comes ' +
  'with quiet hands under trees that keep no record of wind yet bend each time it pays'
).split(' ');

const DEFAULT_OUTPUT_TOKENS = 16;
const DEFAULT_DIMENSIONS = 256;
const TOKENS_PER_IMAGE = 85;

/** The whole answer derives from the digest of the body: the same bytes always get the same answer. */
const seedOf = (digest: string): number => Number.parseInt(digest.slice(0, 8), 16);

// mulberry32. Returns 32-bit integers.
const randomFrom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return (mixed ^ (mixed >>> 14)) >>> 0;
};

const words = (seed: number, length: number): readonly string[] => {
  const random = randomFrom(seed);
  return Array.from({ length }, (_, at) => `${at === 0 ? '' : ' '}${WORDS[random() % WORDS.length]}`);
};

const wordsOf = (text: string): readonly string[] => text.match(/\s*\S+|\s+$/g) ?? [];
const piecesOf = (text: string): readonly string[] => text.match(/[^]{1,4}/gu) ?? [];

const textOf = ({ content }: Message): string =>
  typeof content === 'string' ? content : (content?.map(({ text }) => text ?? '').join('\n') ?? '');

const lastUserText = (messages: readonly Message[]): string => {
  const message = messages.findLast(({ role }) => role === 'user');
  return message === undefined ? '' : textOf(message);
};

const tokensIn = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4);

const promptTokens = (messages: readonly Message[]): number => {
  let bytes = 0;
  let images = 0;
  for (const message of messages) {
    bytes += Buffer.byteLength(textOf(message));
    for (const call of message.tool_calls ?? []) bytes += Buffer.byteLength(call.function?.arguments ?? '');
    if (Array.isArray(message.content)) images += message.content.filter(({ type }) => type === 'image_url').length;
  }
  return Math.max(1, Math.ceil(bytes / 4)) + 3 * messages.length + TOKENS_PER_IMAGE * images;
};

/** The inputs of a legacy prompt or of an embeddings request. */
const inputsOf = (input: LegacyBody['prompt']): readonly (string | readonly number[])[] => {
  if (typeof input === 'string') return [input];
  return typeof input[0] === 'number' ? [input as number[]] : (input as string[] | number[][]);
};

const inputTokens = (inputs: readonly (string | readonly number[])[]): number =>
  Math.max(
    1,
    inputs.map((input) => (typeof input === 'string' ? tokensIn(input) : input.length)).reduce((a, b) => a + b),
  );

const usageOf = (knobs: Knobs, counted: number, choices: readonly Choice[]): unknown => {
  if (knobs.usage !== undefined) return knobs.usage === 'missing' ? undefined : knobs.usage;
  const prompt = knobs.promptTokens ?? counted;
  const reasoning = knobs.reasoningTokens ?? 0;
  const completion = choices.reduce((sum, { tokens }) => sum + tokens.length, reasoning);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: knobs.cachedTokens ?? 0,
      ...(knobs.cacheWriteTokens !== undefined && { cache_write_tokens: knobs.cacheWriteTokens }),
    },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
};

/** Ends a choice at `stop` or at the token limit, whichever comes first. */
const cut = (choice: Choice, stop: string | readonly string[] | null | undefined, limit: number): Choice => {
  const { tokens } = choice.tool === undefined ? cutAtStop(choice, [stop ?? []].flat()) : choice;
  return tokens.length > limit
    ? { ...choice, tokens: tokens.slice(0, limit), finish: 'length' }
    : { ...choice, tokens };
};

const cutAtStop = (choice: Choice, stops: readonly string[]): Choice => {
  if (stops.length === 0) return choice;
  const text = choice.tokens.join('');
  const found = stops.map((stop) => (stop === '' ? -1 : text.indexOf(stop))).filter((at) => at >= 0);
  let left = Math.min(...found, text.length);
  const tokens = choice.tokens.flatMap((token) => {
    const kept = token.slice(0, left);
    left -= kept.length;
    return kept === '' ? [] : [kept];
  });
  return { ...choice, tokens };
};

/** The tightest limit, less the reasoning tokens, which count towards it before the first visible token. */
const limitOf = (knobs: Knobs, ...limits: readonly (number | null | undefined)[]): number =>
  Math.max(0, Math.min(...limits.map((limit) => limit ?? Infinity)) - (knobs.reasoningTokens ?? 0));

const toolFor = ({ tools, tool_choice: choice, messages }: ChatBody): Tool['function'] => {
  if (choice === 'none' || messages.at(-1)?.role === 'tool') return undefined;
  const functions = (tools ?? []).flatMap((tool) => tool.function ?? []);
  if (typeof choice === 'object' && choice?.function !== undefined)
    return functions.find(({ name }) => name === choice.function?.name);
  const asked = lastUserText(messages);
  return functions.find(({ name }) => asked.includes(name)) ?? (choice === 'required' ? functions[0] : undefined);
};

const jsonFor = ({ response_format: format }: ChatBody, seed: number): string | undefined => {
  if (format?.type === 'json_schema') return JSON.stringify(exampleOf(format.json_schema?.schema));
  if (format?.type === 'json_object') return JSON.stringify({ simulated: true, answer: words(seed, 3).join('') });
  return undefined;
};

const wordsFor = (knobs: Knobs, prompt: string, seed: number): readonly string[] => {
  if (knobs.text !== undefined) return wordsOf(knobs.text);
  return knobs.echo === true ? wordsOf(prompt) : words(seed, knobs.outputTokens ?? DEFAULT_OUTPUT_TOKENS);
};

const chatChoice = (body: ChatBody, knobs: Knobs, seed: number): Choice => {
  const tool = toolFor(body);
  if (tool !== undefined) {
    const parameters = { type: 'object', ...(tool.parameters as object | undefined) };
    const id = `call_${hash('sha256', `${tool.name} ${seed}`).slice(0, 24)}`;
    return {
      tokens: piecesOf(JSON.stringify(exampleOf(parameters))),
      finish: 'tool_calls',
      tool: { id, name: tool.name },
    };
  }
  const json = knobs.text === undefined ? jsonFor(body, seed) : undefined;
  return {
    tokens: json === undefined ? wordsFor(knobs, lastUserText(body.messages), seed) : piecesOf(json),
    finish: 'stop',
  };
};

const identity = (prefix: string, digest: string) => ({
  id: `${prefix}-${digest.slice(0, 29)}`,
  // Not the clock, which would make equal requests differ. A second within four months of 2025.
  created: 1_740_000_000 + (seedOf(digest) % 10_000_000),
});

/** `digest` is the hash of the body in hex; `bodyBytes` its length, an upper bound of the prompt tokens. */
export const answerChat = (body: ChatBody, digest: string, bodyBytes: number): Answer => {
  const knobs = body.simulate ?? {};
  const limit = limitOf(knobs, body.max_completion_tokens, body.max_tokens);
  const choices = Array.from({ length: body.n ?? 1 }, (_, index) =>
    cut(chatChoice(body, knobs, seedOf(digest) + index), body.stop, limit),
  );
  return {
    ...identity('chatcmpl', digest),
    model: body.model,
    choices,
    usage: usageOf(knobs, Math.min(bodyBytes, promptTokens(body.messages)), choices),
    topLogprobs: body.logprobs === true ? (body.top_logprobs ?? 0) : undefined,
  };
};

/** Like `answerChat`, with `n` choices for each prompt. */
export const answerLegacy = (body: LegacyBody, digest: string, bodyBytes: number): Answer => {
  const knobs = body.simulate ?? {};
  const prompts = inputsOf(body.prompt);
  const limit = limitOf(knobs, body.max_tokens);
  const choices = prompts.flatMap((prompt, at) =>
    Array.from({ length: body.n ?? 1 }, (_, index): Choice => {
      const text = typeof prompt === 'string' ? prompt : '';
      const tokens = wordsFor(knobs, text, seedOf(digest) + at * 128 + index);
      return cut({ tokens, finish: 'stop' }, body.stop, limit);
    }),
  );
  return {
    ...identity('cmpl', digest),
    model: body.model,
    choices,
    usage: usageOf(knobs, Math.min(bodyBytes, inputTokens(prompts)), choices),
    topLogprobs: body.logprobs ?? undefined,
  };
};

export type Embeddings = { readonly vectors: readonly Float32Array[]; readonly usage: unknown };

/** Unit vectors. Each derives from its input alone, so that the same text has the same vector in every request. */
export const embed = (body: EmbeddingsBody, bodyBytes: number): Embeddings => {
  const knobs = body.simulate ?? {};
  const inputs = inputsOf(body.input);
  const vectors = inputs.map((input) => {
    const random = randomFrom(seedOf(hash('sha256', JSON.stringify(input))));
    const vector = Float32Array.from({ length: body.dimensions ?? DEFAULT_DIMENSIONS }, () => random() / 2 ** 31 - 1);
    const norm = Math.hypot(...vector);
    return vector.map((value) => value / norm);
  });
  if (knobs.usage !== undefined) return { vectors, usage: knobs.usage === 'missing' ? undefined : knobs.usage };
  const tokens = knobs.promptTokens ?? Math.min(bodyBytes, inputTokens(inputs));
  return { vectors, usage: { prompt_tokens: tokens, total_tokens: tokens } };
};
