import type { NoticeAbout } from '../../../src/domain/account/conduct/events.ts';
import type { MoneyBooks } from '../money-books.ts';
import type { LimitBooks } from '../limit-books.ts';

/** What a reference keeps of one account: its money, its limits, and what else decides on its commands. */
export type Ledger = {
  registered: boolean;
  erased: boolean;
  terms: string | undefined;
  /** Whether each key is still valid. */
  readonly keys: Map<string, boolean>;
  /** The key and the pepper of each hash. */
  readonly hashed: Set<string>;
  readonly money: MoneyBooks;
  writtenOff: bigint;
  threshold: bigint | null;
  readonly limits: LimitBooks;
  readonly conduct: Conduct;
};

export type Conduct = {
  readonly notices: Map<string, { readonly about: NoticeAbout; outcome: 'pending' | 'accepted' | 'failed' }>;
  mayResell: boolean;
  readonly violations: Set<string>;
  terminated: boolean;
  /** Whether each was answered. */
  readonly contacts: Map<string, boolean>;
};
