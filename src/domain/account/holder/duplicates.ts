import { accept, refuse } from '../../decider.ts';
import type { AccountDecision, CommandOf } from '../commands.ts';
import type { DuplicateEvent } from '../events.ts';

/** The accounts that may belong to the same holder, and what staff decided on each. */
export type Duplicates = ReadonlyMap<string, 'suspected' | 'dismissed'>;

export const evolveDuplicates = (duplicates: Duplicates, { type, other }: DuplicateEvent): Duplicates =>
  new Map(duplicates).set(other, type === 'DuplicateSuspected' ? 'suspected' : 'dismissed');

/** A pair is suspected once: a further signal, or the same one after it was dismissed, is not news. */
export const suspectDuplicate = (
  { other, signal }: CommandOf<'SuspectDuplicate'>,
  duplicates: Duplicates,
): AccountDecision => (duplicates.has(other) ? accept() : accept({ type: 'DuplicateSuspected', other, signal }));

export const dismissDuplicate = (
  { other, reason }: CommandOf<'DismissDuplicate'>,
  duplicates: Duplicates,
): AccountDecision => {
  const found = duplicates.get(other);
  if (found === undefined) return refuse({ code: 'duplicate_not_found' });
  return found === 'dismissed' ? accept() : accept({ type: 'DuplicateDismissed', other, reason });
};
