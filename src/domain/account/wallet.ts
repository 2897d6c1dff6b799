import { min, type Credits, type Usage } from '../money.ts';
import type { Draw, LotSource, PinnedPrice, RequestFacts, WalletEvent } from './events.ts';

export type Lot = { readonly amount: Credits; readonly remaining: Credits; readonly source: LotSource };

export type Hold = {
  readonly amount: Credits;
  readonly keyId: string;
  readonly runId: string;
  readonly price: PinnedPrice;
  /** When it was placed, in ms since the epoch; null where that is not known. */
  readonly at: number | null;
  /** The most tokens that it was placed for. */
  readonly tokens: number;
  /** The tokens that it was extended for: all of them, and those of the last step that counted. */
  readonly extended: { readonly tokens: number; readonly last: Counted } | null;
};

/** Tokens that count in the minute of a time. */
type Counted = { readonly at: number; readonly tokens: number };

export const tokensHeld = ({ inputTokensBound, outputTokensBound }: RequestFacts): number =>
  inputTokensBound + outputTokensBound;
export const tokensUsed = ({ input, cachedInput, cacheWrite, output, reasoning }: Usage): number =>
  input + cachedInput + cacheWrite + output + reasoning;

/** Keeps only live lots and open holds, so that a fold stays small however long the stream. Lots are in order of age. */
export type Wallet = {
  readonly toppedUp: Credits;
  readonly charged: Credits;
  /** The sum of what remains in the lots: all that was topped up less all that was charged. */
  readonly balance: Credits;
  /** The sum of the open holds; never more than the balance. */
  readonly held: Credits;
  readonly lots: ReadonlyMap<string, Lot>;
  readonly holds: ReadonlyMap<string, Hold>;
};

export const emptyWallet = (): Wallet => ({
  toppedUp: 0n,
  charged: 0n,
  balance: 0n,
  held: 0n,
  lots: new Map(),
  holds: new Map(),
});

export const available = (wallet: Wallet): Credits => wallet.balance - wallet.held;

export const evolveWallet = (wallet: Wallet, event: WalletEvent): Wallet => {
  switch (event.type) {
    case 'CreditsToppedUp': {
      const { lotId, amount, source } = event;
      const lots = put(wallet.lots, lotId, { amount, remaining: amount, source });
      return { ...wallet, toppedUp: wallet.toppedUp + amount, balance: wallet.balance + amount, lots };
    }
    case 'CreditsReserved': {
      const { requestId, amount, keyId, runId, price, at = null, request } = event;
      const tokens = tokensHeld(request);
      const holds = put(wallet.holds, requestId, { amount, keyId, runId, price, at, tokens, extended: null });
      return { ...wallet, held: wallet.held + amount, holds };
    }
    case 'HoldExtended': {
      const hold = wallet.holds.get(event.requestId);
      if (!hold) return wallet;
      const { by, at, tokens = 0 } = event;
      const extended =
        at === undefined ? hold.extended : { tokens: (hold.extended?.tokens ?? 0) + tokens, last: { at, tokens } };
      const holds = put(wallet.holds, event.requestId, { ...hold, amount: hold.amount + by, extended });
      return { ...wallet, held: wallet.held + event.by, holds };
    }
    case 'HoldSettled':
      return draw(endHold(wallet, event.requestId), event.charged, event.drawn);
    case 'HoldReleased':
      return endHold(wallet, event.requestId);
    case 'LateUsageCharged':
      return draw(wallet, event.charged, event.drawn);
    case 'UsageWrittenOff':
      return wallet;
  }
};

/** Which lots pay for `amount`, the oldest first. */
export const draws = (wallet: Wallet, amount: Credits): readonly Draw[] => {
  const drawn: Draw[] = [];
  let left = amount;
  for (const [lotId, lot] of wallet.lots) {
    if (left === 0n) break;
    const part = min(lot.remaining, left);
    drawn.push({ lotId, amount: part });
    left -= part;
  }
  return drawn;
};

const endHold = (wallet: Wallet, requestId: string): Wallet => {
  const amount = wallet.holds.get(requestId)?.amount ?? 0n;
  return { ...wallet, held: wallet.held - amount, holds: drop(wallet.holds, requestId) };
};

const draw = (wallet: Wallet, charged: Credits, drawn: readonly Draw[]): Wallet => {
  let lots = wallet.lots;
  for (const { lotId, amount } of drawn) {
    const lot = lots.get(lotId);
    if (!lot) continue;
    const remaining = lot.remaining - amount;
    lots = remaining === 0n ? drop(lots, lotId) : put(lots, lotId, { ...lot, remaining });
  }
  return { ...wallet, charged: wallet.charged + charged, balance: wallet.balance - charged, lots };
};

// A busy account has hundreds of open holds, and copying them at each event would cost more than everything else, so these
// maps change in place: a state belongs to whoever folds it.
const put = <V>(map: ReadonlyMap<string, V>, key: string, value: V): ReadonlyMap<string, V> =>
  (map as Map<string, V>).set(key, value);

const drop = <V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> => {
  (map as Map<string, V>).delete(key);
  return map;
};
