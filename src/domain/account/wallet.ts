import { min, type Credits, type Usage } from '../money.ts';
import type { Draw, LotSource, PinnedPrice, RequestFacts, WalletEvent } from './events.ts';

export type Lot = { readonly amount: Credits; readonly remaining: Credits; readonly source: LotSource };

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
 * Contains only lots with credits and open holds, so that it stays small for long streams. Lots are in order of age. The maps
 * change in place: a busy account has hundreds of open holds, and copying them at each event would dominate the cost.
 */
export type Wallet = {
  readonly toppedUp: Credits;
  readonly charged: Credits;
  /** What lots lost at their end. */
  readonly expired: Credits;
  /** The sum of what remains in the lots: `toppedUp` less `charged` and `expired`. */
  readonly balance: Credits;
  /** The sum of the open holds; never more than the balance. */
  readonly held: Credits;
  readonly lots: Map<string, Lot>;
  readonly holds: Map<string, Hold>;
};

export const emptyWallet = (): Wallet => ({
  toppedUp: 0n,
  charged: 0n,
  expired: 0n,
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
      wallet.lots.set(lotId, { amount, remaining: amount, source });
      return { ...wallet, toppedUp: wallet.toppedUp + amount, balance: wallet.balance + amount };
    }
    case 'CreditsReserved': {
      const { requestId, amount, keyId, runId, price, at = null, request } = event;
      const tokens = tokensHeld(request);
      wallet.holds.set(requestId, { amount, keyId, runId, price, at, tokens, extended: null });
      return { ...wallet, held: wallet.held + amount };
    }
    case 'HoldExtended': {
      const hold = wallet.holds.get(event.requestId);
      if (!hold) return wallet;
      const { by, at, tokens = 0 } = event;
      const extended =
        at === undefined ? hold.extended : { tokens: (hold.extended?.tokens ?? 0) + tokens, last: { at, tokens } };
      wallet.holds.set(event.requestId, { ...hold, amount: hold.amount + by, extended });
      return { ...wallet, held: wallet.held + by };
    }
    case 'HoldSettled':
      return draw(endHold(wallet, event.requestId), event.charged, event.drawn);
    case 'HoldReleased':
      return endHold(wallet, event.requestId);
    case 'LateUsageCharged':
      return draw(wallet, event.charged, event.drawn);
    case 'UsageWrittenOff':
      return wallet;
    case 'LotExpired': {
      const { lotId, amount } = event;
      take(wallet, lotId, amount);
      return { ...wallet, expired: wallet.expired + amount, balance: wallet.balance - amount };
    }
  }
};

/** The lots that pay for `amount`, the oldest first. */
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
  wallet.holds.delete(requestId);
  return { ...wallet, held: wallet.held - amount };
};

const draw = (wallet: Wallet, charged: Credits, drawn: readonly Draw[]): Wallet => {
  for (const { lotId, amount } of drawn) take(wallet, lotId, amount);
  return { ...wallet, charged: wallet.charged + charged, balance: wallet.balance - charged };
};

const take = ({ lots }: Wallet, lotId: string, amount: Credits): void => {
  const lot = lots.get(lotId);
  if (!lot) return;
  const remaining = lot.remaining - amount;
  if (remaining === 0n) lots.delete(lotId);
  else lots.set(lotId, { ...lot, remaining });
};
