import { accept } from '../decider.ts';
import { evolveAccount, type Account } from './account.ts';
import type { AccountDecision } from './commands.ts';
import type { AccountEvent } from './events.ts';

/** Two decisions in one append: the second follows from the first. Returns the first refusal if either refuses. */
export const andThen = (
  account: Account,
  first: AccountDecision,
  next: (after: Account) => AccountDecision,
): AccountDecision => {
  if (first.kind === 'refused') return first;
  const second = next(first.events.reduce(evolveAccount, structuredClone(account)));
  return second.kind === 'refused' ? second : accept<AccountEvent>(...first.events, ...second.events);
};
