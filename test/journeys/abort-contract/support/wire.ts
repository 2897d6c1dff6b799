import type { ServerResponse } from 'node:http';
import type { Script } from '../../../support/scripted-upstream.ts';

/** What a provider writes, byte by byte as OpenAI would. */
const chunk = (more: object): string =>
  JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini', ...more });
const delta = (said: object, finish: string | null = null, index = 0): string =>
  chunk({ choices: [{ index, delta: said, finish_reason: finish }] });

export const role = delta({ role: 'assistant', content: '' });
export const says = (content: string, index = 0): string => delta({ content }, null, index);
export const callsTool = (args: string): string =>
  delta({ tool_calls: [{ index: 0, function: { name: 'fill_in', arguments: args } }] });
export const stop = delta({}, 'stop');
export const reports = (usage: unknown): string => chunk({ choices: [], usage });
/** The same event, with how far the answer has come in it, as some count up. */
export const counts = (event: string, usage: unknown): string =>
  JSON.stringify({ ...(JSON.parse(event) as object), usage });
export const DONE = '[DONE]';

export const tokens = (prompt: number, completion: number) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});
export const usage = tokens(9, 3);

export const sse = (...events: readonly string[]): string => events.map((data) => `data: ${data}\n\n`).join('');

/** An answer that came whole; without a usage where none is given. */
export const answer = (content: string, reported?: unknown): string =>
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o-mini',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    ...(reported === undefined ? {} : { usage: reported }),
  });

export const begins = (response: ServerResponse, streamed: boolean): ServerResponse =>
  response.writeHead(200, { 'content-type': streamed ? 'text/event-stream' : 'application/json' });

/** Three words, of a token each, or others, and their usage: whole or as a stream. */
export const complete = (
  streamed: boolean,
  reported: unknown = usage,
  words: readonly string[] = ['a', ' b', ' c'],
): string =>
  streamed
    ? sse(role, ...words.map((word) => says(word)), stop, reports(reported), DONE)
    : answer(words.join(''), reported);

export const plays =
  (streamed: boolean, text: string): Script =>
  (response) =>
    begins(response, streamed).end(text);

/** Writes so much and breaks the connection. */
export const breaks =
  (streamed: boolean, text: string): Script =>
  (response) =>
    begins(response, streamed).write(text, () => response.destroy());

/** Writes so much, or not even a head where nothing is given, and stays on the line; tells when it was asked and when it was left. */
export const stays = (streamed: boolean, text?: string) => {
  const asked = Promise.withResolvers<ServerResponse>();
  const gone = Promise.withResolvers<'left'>();
  const script: Script = (response) => {
    response.on('close', () => gone.resolve('left'));
    if (text !== undefined) begins(response, streamed).write(text);
    asked.resolve(response);
  };
  return { script, asked: asked.promise, gone: gone.promise };
};
