import { parentPort } from 'node:worker_threads';
import { countTokens } from 'gpt-tokenizer';

/** The time that byte-pair encoding takes grows with the square of a run of letters or spaces, so long ones are cut. */
const MAX_RUN = 512;
const longRun = new RegExp(`\\S{${MAX_RUN}}|\\s{${MAX_RUN}}`, 'g');

const count = (text: string): number => {
  // Texts that look like a tokenizer's control words are text here.
  const plain = { disallowedSpecial: new Set<string>() };
  let tokens = 0;
  let from = 0;
  for (const { index } of text.matchAll(longRun)) {
    tokens += countTokens(text.slice(from, index + MAX_RUN), plain);
    from = index + MAX_RUN;
  }
  return tokens + countTokens(text.slice(from), plain);
};

parentPort?.on('message', ({ id, texts }: { id: number; texts: readonly string[] }) => {
  parentPort?.postMessage({ id, tokens: texts.reduce((sum, text) => sum + count(text), 0) });
});
