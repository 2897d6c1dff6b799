import { parentPort } from 'node:worker_threads';
import { isWithinTokenLimit } from 'gpt-tokenizer';

/** The time that byte-pair encoding takes grows with the square of a run of letters or spaces, so long ones are cut. */
const MAX_RUN = 512;
const longRun = new RegExp(`\\S{${MAX_RUN}}|\\s{${MAX_RUN}}`, 'g');

/** Texts that look like a tokenizer's control words are text here. */
const plain = { disallowedSpecial: new Set<string>() };

/** One more than enough where there are more. */
const countPiece = (text: string, enough: number): number => {
  const tokens = isWithinTokenLimit(text, enough, plain);
  return tokens === false ? enough + 1 : tokens;
};

const count = (text: string, enough: number): number => {
  let tokens = 0;
  let from = 0;
  for (const { index } of text.matchAll(longRun)) {
    tokens += countPiece(text.slice(from, index + MAX_RUN), enough - tokens);
    if (tokens > enough) return tokens;
    from = index + MAX_RUN;
  }
  return tokens + countPiece(text.slice(from), enough - tokens);
};

type Question = { readonly id: number; readonly texts: readonly string[]; readonly enough: number };

parentPort?.on('message', ({ id, texts, enough }: Question) => {
  let tokens = 0;
  for (const text of texts) if (tokens <= enough) tokens += count(text, enough - tokens);
  parentPort?.postMessage({ id, tokens });
});
