import type { Checkpoint } from '../checkpoint.ts';
import { createSignatureCheck, type Flaw } from './range.ts';

/** The first flaw of the checkpoints that were kept elsewhere: one that none of the given keys signed proves nothing. */
export const checkKept = (kept: readonly Checkpoint[], publicKeys: readonly string[]): Flaw | undefined => {
  const check = createSignatureCheck(publicKeys);
  for (const one of kept) {
    const found = check(one);
    if (typeof found === 'object') return found;
  }
  return undefined;
};
