import { says, streams, type Script } from '../../support/scripted-upstream.ts';
import type { Tokens } from '../../support/money.ts';

/** What a provider says, byte for byte as OpenAI's wire has it. */
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

/** Each word is a token, in any tokenizer that there is. */
export const word = chunk([{ index: 0, delta: { content: ' word' }, finish_reason: null }]);
export const finish = chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]);
export const report = (usage: unknown): string => chunk([], { usage });

/** A whole stream of so many words, and the usage that is reported of it. */
export const stream = (words: number, usage: unknown): Script =>
  streams(...Array.from({ length: words }, () => word), finish, report(usage), '[DONE]');

/** Begins a stream, says these events, and then neither ends nor goes on: whoever listens must leave, or be left. */
export const begins =
  (...events: readonly string[]): Script =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(events.map((data) => `data: ${data}\n\n`).join(''));
  };

/** Begins a stream and breaks it off once these events have left. */
export const breaksAfter =
  (...events: readonly string[]): Script =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(events.map((data) => `data: ${data}\n\n`).join('') || ':\n\n', () =>
      setTimeout(() => response.destroy(), 20),
    );
  };

/** A word every few milliseconds until the listener leaves; counts them, and tells when it has left. */
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

/** A whole stream, one event every few milliseconds. */
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

/** Keeps everybody waiting until it is opened; whoever comes later is answered at once. */
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

/** Each request by the script that its last message names. */
export const byName =
  (scripts: Readonly<Record<string, Script>>): Script =>
  (response, body, request) => {
    const { messages } = JSON.parse(body) as { messages: readonly { content: string }[] };
    const script = scripts[messages.at(-1)?.content ?? ''];
    if (!script) throw new Error(`Nobody has said what to answer to ${body}.`);
    script(response, body, request);
  };
