import type { Checkpoint } from '../checkpoint.ts';
import { createSignatureCheck, type Flaw } from './range.ts';

/** The first of the checkpoints kept elsewhere that proves nothing, for it was not signed by any key given. */
export const checkKept = (kept: readonly Checkpoint[], publicKeys: readonly string[]): Flaw | undefined => {
  const check = createSignatureCheck(publicKeys);
  for (const one of kept) {
    const found = check(one);
    if (typeof found === 'object') return found;
  }
  return undefined;
};
