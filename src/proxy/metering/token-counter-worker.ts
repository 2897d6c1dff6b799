import { parentPort } from 'node:worker_threads';
import { isWithinTokenLimit } from 'gpt-tokenizer';

/** Byte-pair encoding takes quadratic time in the length of a run of letters or spaces, so long runs are cut. */
const MAX_RUN = 512;
const longRun = new RegExp(`\\S{${MAX_RUN}}|\\s{${MAX_RUN}}`, 'g');

/** Text that looks like a special token of the tokenizer is counted as text. */
const plain = { disallowedSpecial: new Set<string>() };

/** Returns `enough + 1` if there are more. */
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
