import type { Conversation } from '../../../../src/proxy/formats/conversation.ts';
import type { Job } from '../../../../src/proxy/formats/format.ts';
import type { TransportResponse } from '../../../../src/proxy/providers/http/transport.ts';
import { createGeminiWire } from '../../../../src/proxy/providers/gemini/gemini.ts';
import type { AnswerEvent, ProviderAnswer } from '../../../../src/proxy/providers/provider.ts';
import { bodyOf, streamOf } from '../../examples.ts';
import { foreignJob } from '../foreign-job.ts';

export type Part = Readonly<Record<string, unknown>>;
export type Body = {
  readonly contents: readonly { readonly role: string; readonly parts: readonly Part[] }[];
  readonly systemInstruction?: object;
  readonly tools?: readonly { readonly functionDeclarations: readonly Part[] }[];
  readonly toolConfig?: object;
  readonly generationConfig: Part;
};

const nothing = (): void => undefined;

/** Asks a Gemini provider whose server gives this response. */
export const askGemini = async (
  response: Partial<TransportResponse>,
  { job = foreignJob(), model = 'gemini-3.5-flash' }: { readonly job?: Job; readonly model?: string } = {},
): Promise<{ readonly answer: ProviderAnswer; readonly body: string; readonly endpoint: string }> => {
  let [body, endpoint] = ['', ''];
  const provider = createGeminiWire('test', {
    send: (request) => {
      [body, endpoint] = [Buffer.from(request.body).toString(), request.endpoint];
      return Promise.resolve({ status: 200, contentType: 'application/json', body: bodyOf([]), ...response });
    },
    close: () => Promise.resolve(),
  });
  const watch = { heard: nothing, pause: nothing, expectEnd: nothing, isWanted: true };
  const { signal } = new AbortController();
  const answer = await provider.ask({ job, model, outputCap: undefined, signal, watch });
  return { answer, body, endpoint };
};

const blank = { candidates: [{ content: { parts: [{ text: 'one' }] }, finishReason: 'STOP' }] };

/** The request as it is written for a conversation. */
export const writtenFor = async (conversation: Partial<Conversation>, model?: string): Promise<Body> => {
  const job = foreignJob(conversation);
  const { body } = await askGemini({ body: bodyOf([JSON.stringify(blank)]) }, { job, ...(model ? { model } : {}) });
  return JSON.parse(body) as Body;
};

export const whole = async (json: object | string): Promise<Extract<ProviderAnswer, { readonly kind: 'whole' }>> => {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  const { answer } = await askGemini({ body: bodyOf([text]) });
  if (answer.kind !== 'whole') throw new Error(answer.kind);
  return answer;
};

/** The events of a stream of these chunks. */
export const streamed = async (...chunks: readonly (object | string)[]): Promise<readonly AnswerEvent[]> => {
  const text = chunks.map((chunk) => (typeof chunk === 'string' ? chunk : JSON.stringify(chunk)));
  const job = foreignJob({}, { streamed: true });
  const { answer } = await askGemini(streamOf(text.map((data) => `data: ${data}\r\n\r\n`)), { job });
  if (answer.kind !== 'stream') throw new Error(answer.kind);
  const events: AnswerEvent[] = [];
  for await (const batch of answer.batches) events.push(...batch.events);
  return events;
};
