import { accountOfStream, evolveAccount, initialAccount } from '../../domain/account/account.ts';
import type { AccountEvent, Draw, PinnedPrice } from '../../domain/account/events.ts';
import { draws, drawsByAge } from '../../domain/account/lots.ts';
import { available, type Wallet } from '../../domain/account/wallet.ts';
import { limitedBy, withinSpending } from '../../domain/account/limits/within-limits.ts';
import { noUsage } from '../../domain/money.ts';
import { PRICES_STREAM } from '../../domain/prices/decide.ts';
import type { PriceLine } from '../../domain/prices/lines.ts';
import { decode, type Recorded } from '../../eventstore/journal/codec.ts';
import type { ChainedLog } from '../../eventstore/chained-log.ts';
import { PAGE, streamPages } from '../../eventstore/event-store.ts';
import type { Charge, ChargeEvent } from './arithmetic.ts';
import { accountEvents } from './history.ts';

export type InLog = { readonly accountId: string; readonly requestId: string };

/** Those of some generations that the log has after a position, in the order of their holds. */
export const findInLog = async (
  store: ChainedLog,
  requestIds: readonly string[],
  afterPosition: number,
): Promise<readonly InLog[]> => {
  const found: InLog[] = [];
  for (let after = afterPosition; found.length < requestIds.length;) {
    const page = await store.readAll(after, PAGE);
    for (const stored of page) {
      const { event, stream } = decode(stored);
      if (event.type !== 'CreditsReserved' || !requestIds.includes(event.requestId)) continue;
      found.push({ accountId: accountOfStream(stream) ?? '', requestId: event.requestId });
    }
    const last = page.at(-1);
    if (!last) break;
    after = last.position;
  }
  return found;
};

/** The lines of a version in the price book; undefined if the book lacks it. */
export const listedLines = async (
  store: ChainedLog,
  { model, version }: PinnedPrice,
): Promise<readonly PriceLine[] | undefined> => {
  for await (const page of streamPages(store, PRICES_STREAM)) {
    for (const stored of page) {
      const { event } = decode(stored);
      if (event.type === 'PriceListed' && event.entry.model === model && event.version === version) {
        return event.entry.lines;
      }
    }
  }
  return undefined;
};

/** All events of one generation. */
export type Told = {
  readonly events: readonly Recorded<AccountEvent>[];
  /** Undefined if nothing was charged. */
  readonly charge: Omit<Charge, 'listed' | 'projected'> | undefined;
  /** Whether its hold was released, as before every late charge. */
  readonly released: boolean;
};

/** What may follow a charge of the same generation: a write-off in the same append, and reversals. */
const AFTER_CHARGE: ReadonlySet<string> = new Set<AccountEvent['type']>(['UsageWrittenOff', 'ChargeReversed']);
const nothingAfter = { writtenOff: 0n, beyond: noUsage, reversed: 0n };

const isCharge = (event: AccountEvent): event is ChargeEvent =>
  event.type === 'HoldSettled' || event.type === 'LateUsageCharged';

/** Folds the account up to the charge of the generation, and keeps the states before and after it. Reversals may follow later. */
export const tellRequest = async (store: ChainedLog, accountId: string, requestId: string): Promise<Told> => {
  const events: Recorded<AccountEvent>[] = [];
  let account = initialAccount();
  let pinned: PinnedPrice | undefined;
  let charge: Told['charge'];
  for await (const recorded of accountEvents(store, accountId, (type) => !charge || AFTER_CHARGE.has(type))) {
    const { event } = recorded;
    const isOurs = 'requestId' in event && event.requestId === requestId;
    if (charge && !isOurs) continue;
    if (!isOurs || !isCharge(event)) {
      account = evolveAccount(account, event);
    } else {
      const { wallet, tallies } = account;
      const hold = wallet.holds.get(requestId);
      const at = event.type === 'LateUsageCharged' ? event.at : hold?.at;
      const before = {
        held: hold?.amount ?? 0n,
        available: withinSpending(limitedBy(tallies, event.keyId), at ?? null, available(wallet)),
        ...{ balanceBefore: wallet.balance, draws: drawsOf(wallet, event, at ?? null) },
      };
      account = evolveAccount(account, event);
      charge = { event, pinned, ...before, balanceAfter: account.wallet.balance, ...nothingAfter };
    }
    if (!isOurs) continue;
    events.push(recorded);
    if (event.type === 'CreditsReserved') pinned = event.price;
    if (charge && event.type === 'UsageWrittenOff') {
      charge = { ...charge, writtenOff: event.amount, beyond: event.beyond ?? noUsage };
    }
    if (charge && event.type === 'ChargeReversed') charge = { ...charge, reversed: charge.reversed + event.amount };
  }
  return { events, charge, released: events.some(({ event }) => event.type === 'HoldReleased') };
};

/** The lots that should have paid. Charges of earlier versions drew from the oldest lot first. */
const drawsOf = (wallet: Wallet, { charged, drawn }: ChargeEvent, at: number | null): readonly Draw[] => {
  const byAge = drawsByAge(wallet, charged);
  const isByAge = byAge.length === drawn.length && byAge.every((draw, n) => isSameDraw(draw, drawn[n]));
  return isByAge ? byAge : draws(wallet, charged, at);
};

const isSameDraw = (a: Draw, b: Draw | undefined): boolean => a.lotId === b?.lotId && a.amount === b.amount;
