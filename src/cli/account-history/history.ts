import { accountStream, evolveAccount, initialAccount, type Account } from '../../domain/account/account.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import { available, openDebt } from '../../domain/account/wallet.ts';
import type { Credits } from '../../domain/money.ts';
import { decode, type Recorded } from '../../eventstore/journal/codec.ts';
import { streamPages, type EventStore } from '../../eventstore/event-store.ts';

/** The inclusive end of a replay; the end of the log if neither is set. */
export type Until = { readonly at?: Date | undefined; readonly revision?: number | undefined };

/** One event, and the account after it. */
export type Chapter = {
  readonly recorded: Recorded<AccountEvent>;
  readonly balance: Credits;
  readonly held: Credits;
  /** Held for refunds, or frozen. */
  readonly locked: Credits;
  readonly available: Credits;
  readonly debt: Credits;
  /** Changes with the next chapter, so it must be read before that. */
  readonly account: Account;
};

/** The events of an account whose type is wanted; the others are not decoded. */
export async function* accountEvents(
  store: EventStore,
  accountId: string,
  isWanted: (type: string) => boolean = () => true,
): AsyncGenerator<Recorded<AccountEvent>> {
  for await (const page of streamPages(store, accountStream(accountId))) {
    for (const stored of page) if (isWanted(stored.type)) yield decode(stored) as Recorded<AccountEvent>;
  }
}

/** The history of an account from the log alone, event by event. */
export async function* tellStory(
  store: EventStore,
  accountId: string,
  { at, revision }: Until = {},
): AsyncGenerator<Chapter> {
  let account = initialAccount();
  for await (const recorded of accountEvents(store, accountId)) {
    if (at && recorded.time > at) return;
    if (revision !== undefined && recorded.revision > revision) return;
    account = evolveAccount(account, recorded.event);
    const { wallet } = account;
    const { balance, held, locked } = wallet;
    yield { recorded, account, balance, held, locked, available: available(wallet), debt: openDebt(wallet) };
  }
}
