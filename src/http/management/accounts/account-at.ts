import { accountStream, type Account } from '../../../domain/account/account.ts';
import type { Moment } from '../../../eventstore/snapshots.ts';
import type { ManagementDeps } from '../router/deps.ts';

/** An account as it was after one of its events. */
export type AccountAt = {
  readonly account: Account;
  readonly revision: number;
  readonly registeredAt: Date;
  readonly lastEventAt: Date;
};

/** The account as it was at a moment, that moment included; undefined where it had not begun by then. */
export const accountAt = async (
  { foldAccount, store }: Pick<ManagementDeps, 'foldAccount' | 'store'>,
  accountId: string,
  until: Moment,
): Promise<AccountAt | undefined> => dated(store, accountId, await foldAccount(accountStream(accountId), until));

/** The account as the log has it now; undefined where there is none. */
export const accountNow = async (
  { commands, store }: Pick<ManagementDeps, 'commands' | 'store'>,
  accountId: string,
): Promise<AccountAt | undefined> => dated(store, accountId, await commands.read(accountStream(accountId)));

const dated = async (
  store: Pick<ManagementDeps['store'], 'readStream'>,
  accountId: string,
  { state: account, revision }: { readonly state: Account; readonly revision: number },
): Promise<AccountAt | undefined> => {
  if (revision < 0) return undefined;
  const stream = accountStream(accountId);
  const [[first], [last]] = await Promise.all([store.readStream(stream, 0, 1), store.readStream(stream, revision, 1)]);
  return first && last && { account, revision, registeredAt: first.time, lastEventAt: last.time };
};
