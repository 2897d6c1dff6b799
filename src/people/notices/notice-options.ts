import type { Account } from '../../domain/account/account.ts';
import type { NoticeAbout } from '../../domain/account/conduct/events.ts';
import type { PriceBook } from '../../domain/prices/price-book.ts';
import type { Terms } from '../../domain/terms/terms.ts';
import type { Fold } from '../../eventstore/fold.ts';
import type { PeopleOptions } from '../people-options.ts';

/** Accounts that an announcement concerns and that have no notice of it yet, by id. */
export type Wanted = {
  readonly announcementId: string;
  /** When it was announced. Older notices about the same change belong to a withdrawn announcement. */
  readonly announcedAt: Date;
  /** Only accounts after this one: the last of the page before. */
  readonly after: string;
  readonly limit: number;
};

export type Told = { readonly accountId: string; readonly noticeId: string };

export type NoticeProgress = { readonly about: NoticeAbout; readonly accounts: number; readonly isDone: boolean };

/** The ports of notices: accounts, announcements, rows and mail. */
export type NoticeOptions = Pick<PeopleOptions, 'accounts' | 'mails' | 'vault'> & {
  readonly store: Pick<PeopleOptions['store'], 'readStream' | 'findEvent'>;
  readonly foldAccount: Fold<Account>;
  readonly foldTerms: Fold<Terms>;
  readonly foldPrices: Fold<PriceBook>;
  /** All accounts. Like the other two, complete up to what was acknowledged before the call. */
  readonly accountsWithoutNotice: (wanted: Wanted) => Promise<readonly string[]>;
  /** Accounts that were charged for a model on the days from `since` to `until`. */
  readonly usersWithoutNotice: (
    wanted: Wanted & { readonly model: string; readonly since: Date; readonly until: Date },
  ) => Promise<readonly string[]>;
  /** The notices of an announcement, by account. */
  readonly toldOf: (announcementId: string, after: string, limit: number) => Promise<readonly Told[]>;
  readonly progressed: (progress: NoticeProgress) => void;
};
