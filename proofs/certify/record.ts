import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** What was acknowledged to a client: it must be in the log exactly once, with the same content. */
export type Acknowledged =
  | {
      readonly what: 'completion';
      readonly accountId: string;
      readonly generationId: string;
      readonly costUsd: string;
    }
  | { readonly what: 'grant'; readonly accountId: string; readonly reason: string; readonly usd: string }
  | { readonly what: 'key'; readonly accountId: string; readonly name: string; readonly keyId: string }
  | { readonly what: 'revocation'; readonly accountId: string; readonly keyId: string };

export type Record = {
  add(one: Acknowledged): void;
  readonly all: readonly Acknowledged[];
  readonly file: string;
};

/** In memory and, line by line, in a file for later analysis. */
export const createRecord = (file: string): Record => {
  const all: Acknowledged[] = [];
  mkdirSync(dirname(file), { recursive: true });
  return {
    all,
    file,
    add: (one) => {
      all.push(one);
      appendFileSync(file, `${JSON.stringify(one)}\n`);
    },
  };
};
