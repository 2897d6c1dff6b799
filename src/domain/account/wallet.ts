import type { Credits, Usage } from '../money.ts';
import type { Draw, PinnedPrice, RequestFacts, WalletEvent } from './events.ts';
import { addLot, changeRemaining, free, isDisputed, lotOf, newLot, type Ending, type Lot, type Lots } from './lots.ts';
import type { Debt } from './refunds/debts.ts';

export type Hold = {
  readonly amount: Credits;
  readonly keyId: string;
  readonly runId: string;
  readonly price: PinnedPrice;
  /** When it was placed, in ms since the epoch; null if unknown. */
  readonly at: number | null;
  /** The maximum tokens that it was placed for. */
  readonly tokens: number;
  /** The tokens of all its extensions, and those of the last step. */
  readonly extended: { readonly tokens: number; readonly last: Counted } | null;
};

/** Tokens, and the time in whose minute they count. */
type Counted = { readonly at: number; readonly tokens: number };

export const tokensHeld = ({ inputTokensBound, outputTokensBound }: RequestFacts): number =>
  inputTokensBound + outputTokensBound;
export const tokensUsed = ({ input, cachedInput, cacheWrite, output, reasoning }: Usage): number =>
  input + cachedInput + cacheWrite + output + reasoning;

/**
 * Changes in place: a busy account has hundreds of open holds, and copying them at each event would dominate the cost. Lots
 * without credits stay, because their payments can be refunded or disputed, and charges that they paid reversed.
 */
export type Wallet = Lots & {
  toppedUp: Credits;
  charged: Credits;
  /** What reversals of charges have put back into lots. */
  reversed: Credits;
  /** Debts that lots have repaid, less what was returned to them. */
  repaid: Credits;
  refunded: Credits;
  /** Less what was restored. */
  chargedBack: Credits;
  expired: Credits;
  forfeited: Credits;
  waived: Credits;
  /** The sum of what remains in the lots: `toppedUp` and `reversed` less all others. */
  balance: Credits;
  /** The part of the balance that is held for refunds or frozen. */
  locked: Credits;
  /** The sum of the open holds; never more than the balance less `locked`. */
  held: Credits;
  readonly holds: Map<string, Hold>;
  /** Credits that are held for refunds, by the id of the request. */
  readonly refunds: Map<string, { readonly lotId: string; readonly amount: Credits }>;
  /** All of them, also those that are repaid. */
  readonly debts: Debt[];
  /** What was reversed of charges, by the id of the generation. `at`: the newest time. */
  readonly reversals: Map<string, { readonly amount: Credits; readonly at: number }>;
  /** Lots with credits that an end, a dispute or a refund still takes when holds end. */
  readonly marked: Set<string>;
  /** The earliest end of a lot with credits that has not been recorded, in ms since the epoch. */
  nextEnd: number | null;
};

export const emptyWallet = (): Wallet => ({
  ...{ toppedUp: 0n, charged: 0n, reversed: 0n, repaid: 0n, refunded: 0n, chargedBack: 0n },
  ...{ expired: 0n, forfeited: 0n, waived: 0n, balance: 0n, locked: 0n, held: 0n },
  ...{ lots: new Map(), spentLots: new Map(), holds: new Map(), refunds: new Map(), debts: [] },
  ...{ reversals: new Map(), marked: new Set(), nextEnd: null },
});

export const available = ({ balance, locked, held }: Wallet): Credits => balance - locked - held;

/** What the customer owes. */
export const openDebt = ({ debts }: Pick<Wallet, 'debts'>): Credits => debts.reduce((sum, { open }) => sum + open, 0n);

export const evolveWallet = (wallet: Wallet, event: WalletEvent): Wallet => {
  switch (event.type) {
    case 'CreditsToppedUp': {
      const { lotId, amount, source, endsAt = null } = event;
      addLot(wallet, lotId, newLot(amount, source, endsAt, wallet.lots.size + wallet.spentLots.size));
      wallet.toppedUp += amount;
      wallet.balance += amount;
      if (endsAt !== null) wallet.nextEnd = earliestEnd(wallet);
      return wallet;
    }
    case 'CreditsReserved': {
      const { requestId, amount, keyId, runId, price, at = null, request } = event;
      const tokens = tokensHeld(request);
      wallet.holds.set(requestId, { amount, keyId, runId, price, at, tokens, extended: null });
      wallet.held += amount;
      return wallet;
    }
    case 'HoldExtended': {
      const hold = wallet.holds.get(event.requestId);
      if (!hold) return wallet;
      const { by, at, tokens = 0 } = event;
      const extended =
        at === undefined ? hold.extended : { tokens: (hold.extended?.tokens ?? 0) + tokens, last: { at, tokens } };
      wallet.holds.set(event.requestId, { ...hold, amount: hold.amount + by, extended });
      wallet.held += by;
      return wallet;
    }
    case 'HoldSettled':
      endHold(wallet, event.requestId);
      return draw(wallet, event.charged, event.drawn);
    case 'HoldReleased':
      return endHold(wallet, event.requestId);
    case 'LateUsageCharged':
      return draw(wallet, event.charged, event.drawn);
    case 'UsageWrittenOff':
      return wallet;
    case 'LotExpired':
      return endLot(wallet, event.lotId, { kind: 'expired', reason: event.reason }, event.amount);
  }
};

const endHold = (wallet: Wallet, requestId: string): Wallet => {
  wallet.held -= wallet.holds.get(requestId)?.amount ?? 0n;
  wallet.holds.delete(requestId);
  return wallet;
};

const draw = (wallet: Wallet, charged: Credits, drawn: readonly Draw[]): Wallet => {
  for (const { lotId, amount } of drawn) {
    const lot = lotOf(wallet, lotId);
    if (!lot) continue;
    lot.used += amount;
    changeLot(wallet, lotId, lot, -amount);
  }
  wallet.charged += charged;
  return wallet;
};

/** Changes what remains in a lot, and with it the balance. */
export const changeLot = (wallet: Wallet, lotId: string, lot: Lot, by: Credits): void => {
  changeRemaining(wallet, lotId, lot, by);
  wallet.balance += by;
  const isFirstOrLast = lot.remaining === 0n || lot.remaining === by;
  if (lot.endsAt !== null && isFirstOrLast) wallet.nextEnd = earliestEnd(wallet);
};

/** A lot ends and loses `amount`; the rest of its free credits follows as holds end. */
export const endLot = (wallet: Wallet, lotId: string, ending: Ending, amount: Credits): Wallet => {
  const lot = lotOf(wallet, lotId);
  if (!lot) return wallet;
  lot.ended = ending;
  lot[ending.kind] += amount;
  wallet[ending.kind] += amount;
  changeLot(wallet, lotId, lot, -amount);
  if (lot.endsAt !== null) wallet.nextEnd = earliestEnd(wallet);
  return mark(wallet, lotId, lot);
};

/** Closing the account ends its promotional lots. Events of their own take their credits. */
export const endGrants = (wallet: Wallet): Wallet => {
  for (const [lotId, lot] of [...wallet.lots, ...wallet.spentLots]) {
    if (lot.source.kind !== 'grant' || lot.ended) continue;
    lot.ended = { kind: 'expired', reason: 'account_closed' };
    mark(wallet, lotId, lot);
  }
  wallet.nextEnd = earliestEnd(wallet);
  return wallet;
};

/** Notes whether something will take free credits of the lot. */
export const mark = (wallet: Wallet, lotId: string, lot: Lot): Wallet => {
  const awaits = lot.awaited.length > 0 || lot.ended !== null || isDisputed(lot);
  // Without free credits there is nothing to take, but what is awaited becomes a debt.
  if (awaits && (free(lot) > 0n || lot.awaited.length > 0)) wallet.marked.add(lotId);
  else wallet.marked.delete(lotId);
  return wallet;
};

const earliestEnd = ({ lots }: Pick<Wallet, 'lots'>): number | null => {
  let earliest: number | null = null;
  for (const { endsAt, ended } of lots.values()) {
    if (endsAt === null || ended) continue;
    if (earliest === null || endsAt < earliest) earliest = endsAt;
  }
  return earliest;
};
