import { accountStream, evolveAccount, initialAccount, type Account } from '../../domain/account/account.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import { decode } from '../../eventstore/codec.ts';
import { PAGE } from '../../eventstore/event-store.ts';
import type { ManagementDeps } from './deps.ts';

/** An account as it was after one of its events. */
export type AccountAt = {
  readonly account: Account;
  readonly revision: number;
  readonly registeredAt: Date;
  readonly lastEventAt: Date;
};

export type Moment = { readonly revision: number } | { readonly at: Date };

type History = Pick<ManagementDeps['store'], 'readStream'>;

/** Folds the account's history up to a moment, that moment included; undefined where it had not begun by then. */
export const accountAt = async (store: History, accountId: string, until: Moment): Promise<AccountAt | undefined> => {
  let account = initialAccount();
  let reached: Omit<AccountAt, 'account'> | undefined;
  for (let from = 0; ;) {
    const page = await store.readStream(accountStream(accountId), from, PAGE);
    for (const stored of page) {
      const isLater = 'at' in until ? stored.time > until.at : stored.revision > until.revision;
      if (isLater) return reached && { account, ...reached };
      account = evolveAccount(account, decode(stored).event as AccountEvent);
      const { revision, time } = stored;
      reached = { revision, registeredAt: reached?.registeredAt ?? time, lastEventAt: time };
    }
    if (page.length < PAGE) return reached && { account, ...reached };
    from += page.length;
  }
};

/** The account as the log has it now; undefined where there is none. */
export const accountNow = async (
  { commands, store }: Pick<ManagementDeps, 'commands' | 'store'>,
  accountId: string,
): Promise<AccountAt | undefined> => {
  const stream = accountStream(accountId);
  const { state: account, revision } = await commands.read(stream);
  if (revision < 0) return undefined;
  const [[first], [last]] = await Promise.all([store.readStream(stream, 0, 1), store.readStream(stream, revision, 1)]);
  return first && last && { account, revision, registeredAt: first.time, lastEventAt: last.time };
};
