import { WORDS } from './answer.ts';
import type { Answer, Choice, Embeddings } from './answer.ts';

/** One event of a stream: the JSON to send, and whether it carries a token. */
export type StreamEvent = { readonly isToken: boolean; readonly json: unknown };

/** The entries of `choices` in chat and in legacy completions, whole and in pieces. */
type Dialect = {
  readonly wholeObject: string;
  readonly chunkObject: string;
  whole(choice: Choice, index: number, answer: Answer): unknown;
  /** Undefined if a stream begins with its first token. */
  opening(choice: Choice, index: number): unknown;
  piece(choice: Choice, index: number, at: number, answer: Answer): unknown;
  closing(choice: Choice, index: number): unknown;
};

// Negative, the same for the same token, and decreasing with the rank.
const logprobOf = (token: string, rank = 0): number => -(0.01 + (token.length % 7) * 0.05 + rank * 1.5);

const chatLogprobs = (tokens: readonly string[], top: number | undefined) => {
  if (top === undefined) return null;
  const entry = (token: string, logprob: number) => ({ token, logprob, bytes: [...Buffer.from(token)] });
  const content = tokens.map((token) => ({
    ...entry(token, logprobOf(token)),
    top_logprobs: Array.from({ length: top }, (_, rank) =>
      entry(rank === 0 ? token : ` ${WORDS[rank]}`, logprobOf(token, rank)),
    ),
  }));
  return { content, refusal: null };
};

/** Log probabilities of all tokens, or of the one at `at`. */
const legacyLogprobs = (all: readonly string[], top: number | undefined, at?: number) => {
  if (top === undefined) return null;
  const tokens = at === undefined ? all : all.slice(at, at + 1);
  let offset = all.slice(0, at ?? 0).join('').length;
  return {
    tokens,
    token_logprobs: tokens.map((token) => logprobOf(token)),
    top_logprobs: tokens.map((token) =>
      Object.fromEntries(
        Array.from({ length: top }, (_, rank) => [rank === 0 ? token : ` ${WORDS[rank]}`, logprobOf(token, rank)]),
      ),
    ),
    text_offset: tokens.map((token) => (offset += token.length) - token.length),
  };
};

const chat: Dialect = {
  wholeObject: 'chat.completion',
  chunkObject: 'chat.completion.chunk',
  whole: ({ tokens, finish, tool }, index, { topLogprobs }) => ({
    index,
    message: {
      role: 'assistant',
      content: tool === undefined ? tokens.join('') : null,
      refusal: null,
      ...(tool !== undefined && {
        tool_calls: [{ id: tool.id, type: 'function', function: { name: tool.name, arguments: tokens.join('') } }],
      }),
    },
    logprobs: tool === undefined ? chatLogprobs(tokens, topLogprobs) : null,
    finish_reason: finish,
  }),
  opening: ({ tool }, index) => ({
    index,
    delta: {
      role: 'assistant',
      content: tool === undefined ? '' : null,
      refusal: null,
      ...(tool !== undefined && {
        tool_calls: [{ index: 0, id: tool.id, type: 'function', function: { name: tool.name, arguments: '' } }],
      }),
    },
    logprobs: null,
    finish_reason: null,
  }),
  piece: ({ tokens, tool }, index, at, { topLogprobs }) => ({
    index,
    delta:
      tool === undefined
        ? { content: tokens[at] }
        : { tool_calls: [{ index: 0, function: { arguments: tokens[at] } }] },
    logprobs: tool === undefined ? chatLogprobs(tokens.slice(at, at + 1), topLogprobs) : null,
    finish_reason: null,
  }),
  closing: ({ finish }, index) => ({ index, delta: {}, logprobs: null, finish_reason: finish }),
};

const legacy: Dialect = {
  wholeObject: 'text_completion',
  chunkObject: 'text_completion',
  whole: ({ tokens, finish }, index, { topLogprobs }) => ({
    text: tokens.join(''),
    index,
    logprobs: legacyLogprobs(tokens, topLogprobs),
    finish_reason: finish,
  }),
  opening: () => undefined,
  piece: ({ tokens }, index, at, { topLogprobs }) => ({
    text: tokens[at],
    index,
    logprobs: legacyLogprobs(tokens, topLogprobs, at),
    finish_reason: null,
  }),
  closing: ({ finish }, index) => ({ text: '', index, logprobs: null, finish_reason: finish }),
};

const dialects = { '/chat/completions': chat, '/completions': legacy };
export type CompletionEndpoint = keyof typeof dialects;

const envelope = ({ id, created, model }: Answer, object: string) => ({
  id,
  object,
  created,
  model,
  system_fingerprint: 'simulated',
});

/** The answer as one JSON object. */
export const wholeAnswer = (endpoint: CompletionEndpoint, answer: Answer): unknown => {
  const dialect = dialects[endpoint];
  return {
    ...envelope(answer, dialect.wholeObject),
    choices: answer.choices.map((choice, index) => dialect.whole(choice, index, answer)),
    ...(answer.usage !== undefined && { usage: answer.usage }),
  };
};

/** The answer as the events of a stream, without the final `[DONE]`. Choices alternate token by token. */
export const answerEvents = function* (
  endpoint: CompletionEndpoint,
  answer: Answer,
  includeUsage: boolean,
): Generator<StreamEvent> {
  const dialect = dialects[endpoint];
  const frame = envelope(answer, dialect.chunkObject);
  const withUsage = includeUsage && answer.usage !== undefined;
  const event = (isToken: boolean, choice: unknown): StreamEvent => ({
    isToken,
    json: { ...frame, choices: [choice], ...(withUsage && { usage: null }) },
  });

  for (const [index, choice] of answer.choices.entries()) {
    const opening = dialect.opening(choice, index);
    if (opening !== undefined) yield event(false, opening);
  }
  const longest = Math.max(...answer.choices.map(({ tokens }) => tokens.length));
  for (let at = 0; at < longest; at++)
    for (const [index, choice] of answer.choices.entries())
      if (at < choice.tokens.length) yield event(true, dialect.piece(choice, index, at, answer));
  for (const [index, choice] of answer.choices.entries()) yield event(false, dialect.closing(choice, index));
  if (withUsage) yield { isToken: false, json: { ...frame, choices: [], usage: answer.usage } };
};

const base64Of = (vector: Float32Array): string => {
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  vector.forEach((value, at) => bytes.writeFloatLE(value, at * 4));
  return bytes.toString('base64');
};

export const embeddingsAnswer = (
  model: string,
  { vectors, usage }: Embeddings,
  format: 'float' | 'base64',
): unknown => ({
  object: 'list',
  data: vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: format === 'base64' ? base64Of(vector) : [...vector],
  })),
  model,
  ...(usage !== undefined && { usage }),
});

// Other names are answered too, so that a catalogue of real models can be used with it.
const modelOf = (id: string) => ({ id, object: 'model', created: 1_740_000_000, owned_by: 'kissapi-simulated' });

export const modelsAnswer = {
  object: 'list',
  data: ['simulated-small', 'simulated-large', 'simulated-embedding'].map(modelOf),
};
