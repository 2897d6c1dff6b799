import { readGemini } from './read-gemini.ts';
import { counts, finishOf, usageOf, type Call, type Dialect, type Failure, type Turn } from './turn.ts';
import { createUpstream, type Upstream } from './upstream.ts';

export const createGeminiUpstream = (options?: { readonly port?: number }): Promise<Upstream> =>
  createUpstream(gemini, options);

const reasons = { stop: 'STOP', tool_calls: 'STOP', length: 'MAX_TOKENS', content_filter: 'SAFETY' } as const;

const usage = (turn: Turn): unknown =>
  usageOf(turn, ({ input, cached, written, output, reasoning }) => ({
    promptTokenCount: input + cached + written,
    ...(cached > 0 ? { cachedContentTokenCount: cached } : {}),
    candidatesTokenCount: output,
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
    totalTokenCount: input + cached + written + output + reasoning,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: input + cached + written }],
    serviceTier: 'standard',
  }));

/** The usage while a stream goes on: what was read so far. */
const usageSoFar = (turn: Turn) => {
  const known = counts(turn);
  const input = known ? known.input + known.cached + known.written : 0;
  return known ? { promptTokenCount: input, totalTokenCount: input } : undefined;
};

const callPart = ({ id, name, arguments: args, signature }: Call) => ({
  functionCall: { id, name, args },
  ...(signature === undefined ? {} : { thoughtSignature: signature }),
});

/** The parts of an answer, one for each piece of a stream. A signature is on the first part after the thoughts. */
const partsOf = ({ thinking, texts = [], calls = [] }: Turn): readonly object[] => {
  const rest: readonly object[] = [...texts.map((text) => ({ text })), ...calls.map(callPart)];
  if (!thinking) return rest;
  const { text, signature } = thinking;
  const signed = rest.map((part, index) =>
    index === 0 && signature !== undefined ? { ...part, thoughtSignature: signature } : part,
  );
  return [{ text, thought: true }, ...signed];
};

const frame = { modelVersion: 'gemini-test', responseId: 'mAitaLmkHPPlz7IPvtfUqQ4' };
const event = (chunk: object): string => `data: ${JSON.stringify(chunk)}\r\n\r\n`;

const statuses: Readonly<Record<Failure['failure'], readonly [number, string, string, object[]]>> = {
  request: [400, 'INVALID_ARGUMENT', 'Invalid value at contents.', []],
  key: [
    400,
    'INVALID_ARGUMENT',
    'API key not valid. Please pass a valid API key.',
    [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' }],
  ],
  credit: [400, 'FAILED_PRECONDITION', 'Please enable billing on project 123456789.', []],
  rate: [
    429,
    'RESOURCE_EXHAUSTED',
    'You exceeded your current quota, please check your plan and billing details.',
    [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2s' }],
  ],
  overloaded: [503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.', []],
  broken: [500, 'INTERNAL', 'An internal error has occurred.', []],
};

const errorOf = (code: number, status: string, message: string, details: readonly object[]) => ({
  error: { code, message, status, ...(details.length > 0 ? { details } : {}) },
});

/** Google's generateContent, as https://ai.google.dev/api/generate-content describes it. */
const gemini: Dialect = {
  version: '/v1beta',
  read: readGemini,
  hasKey: (headers) => typeof headers['x-goog-api-key'] === 'string' && headers['authorization'] === undefined,
  whole: (turn) => ({
    candidates: [
      {
        content: { role: 'model', parts: partsOf(turn) },
        finishReason: turn.nativeFinish ?? reasons[finishOf(turn)],
        index: 0,
      },
    ],
    usageMetadata: usage(turn),
    ...frame,
  }),
  events: (turn) => {
    const chunk = (parts: readonly object[], more: object, usageMetadata: unknown): string =>
      event({ candidates: [{ content: { role: 'model', parts }, ...more, index: 0 }], usageMetadata, ...frame });
    const finishReason = turn.nativeFinish ?? reasons[finishOf(turn)];
    return {
      head: [event({ usageMetadata: usageSoFar(turn), ...frame })],
      content: partsOf(turn).map((part) => chunk([part], {}, usageSoFar(turn))),
      tail: [chunk([{ text: '' }], { finishReason }, usage(turn))],
    };
  },
  brokenEvent: event(errorOf(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.', [])),
  failure: ({ failure, message }) => {
    const [code, status, text, details] = statuses[failure];
    return { status: code, body: errorOf(code, status, message ?? text, details) };
  },
};
