import { says, streams, type Script } from '../../support/scripted-upstream.ts';
import type { Tokens } from '../../support/money.ts';

/** A response of a provider in OpenAI's exact wire format. */
export const completion = (usage: unknown, text = 'Fine.'): Script => says(completionBody(usage, text));

export const completionBody = (usage: unknown, text = 'Fine.'): string =>
  JSON.stringify({
    id: 'chatcmpl-r',
    object: 'chat.completion',
    created: 1,
    model: 'r',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage,
  });

export const usageOf = (input: number, output: number) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
});
export const tokensOf = (input: number, output: number): Tokens => ({ input, output });

const chunk = (choices: readonly object[], more: object = {}): string =>
  JSON.stringify({ id: 'chatcmpl-r', object: 'chat.completion.chunk', created: 1, model: 'r', choices, ...more });

/** Each word is one token in every tokenizer. */
export const word = chunk([{ index: 0, delta: { content: ' word' }, finish_reason: null }]);
export const finish = chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]);
export const report = (usage: unknown): string => chunk([], { usage });

/** A complete stream of this number of words, with this usage report. */
export const stream = (words: number, usage: unknown): Script =>
  streams(...Array.from({ length: words }, () => word), finish, report(usage), '[DONE]');

/** Begins a stream, sends these events, and then neither ends nor continues. */
export const begins =
  (...events: readonly string[]): Script =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(events.map((data) => `data: ${data}\n\n`).join(''));
  };

/** Begins a stream and breaks it off after these events were sent. */
export const breaksAfter =
  (...events: readonly string[]): Script =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(events.map((data) => `data: ${data}\n\n`).join('') || ':\n\n', () =>
      setTimeout(() => response.destroy(), 20),
    );
  };

/** Sends a word every few milliseconds until the client disconnects; counts the words, and records the disconnect. */
export const talks = (everyMs: number): { script: Script; words(): number; left(): boolean } => {
  let words = 0;
  let left = false;
  const script: Script = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => {
      words++;
      response.write(`data: ${word}\n\n`);
    }, everyMs);
    response.once('close', () => {
      left = true;
      clearInterval(timer);
    });
  };
  return { script, words: () => words, left: () => left };
};

/** A complete stream, one event every few milliseconds. */
export const paced =
  (everyMs: number, ...events: readonly string[]): Script =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const left = [...events];
    const timer = setInterval(() => {
      const data = left.shift();
      if (data !== undefined) return void response.write(`data: ${data}\n\n`);
      clearInterval(timer);
      response.end();
    }, everyMs);
    response.once('close', () => clearInterval(timer));
  };

/** Delays all responses until it is opened; later requests are answered at once. */
export const gate = (script: Script): { script: Script; open(): void; waiting(): number } => {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  return {
    script: (...asked) => {
      if (isOpen) return script(...asked);
      waiting.push(() => script(...asked));
    },
    open: () => {
      isOpen = true;
      for (const answer of waiting) answer();
    },
    waiting: () => waiting.length,
  };
};

/** Answers each request with the script that its last message names. */
export const byName =
  (scripts: Readonly<Record<string, Script>>): Script =>
  (response, body, request) => {
    const { messages } = JSON.parse(body) as { messages: readonly { content: string }[] };
    const script = scripts[messages.at(-1)?.content ?? ''];
    if (!script) throw new Error(`There is no script for ${body}.`);
    script(response, body, request);
  };
