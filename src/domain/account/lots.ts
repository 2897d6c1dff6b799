import { min, type Credits } from '../money.ts';
import type { Draw, LotSource } from './events.ts';

/** Why a lot has ended. The text is the reason of the event that takes its credits. */
export type Ending =
  | { readonly kind: 'expired'; readonly reason: 'account_closed' | 'ended' }
  | { readonly kind: 'forfeited' | 'waived'; readonly reason: string };

/** A refund or a chargeback that waits for open holds to end. */
export type Awaited = {
  readonly of: 'refund' | 'chargeback';
  /** The partner's id of the refund or the dispute. */
  readonly reference: string;
  readonly refundId: string | null;
  readonly amount: Credits;
};

/** What the lot lost or got back, in total. */
type LotTotals = {
  used: Credits;
  repaid: Credits;
  reversed: Credits;
  refunded: Credits;
  chargedBack: Credits;
  expired: Credits;
  forfeited: Credits;
  waived: Credits;
};

/** The credits of one payment or grant. Changes in place. */
export type Lot = LotTotals & {
  readonly amount: Credits;
  readonly source: LotSource;
  /** In ms since the epoch; null: it has no end. */
  readonly endsAt: number | null;
  /** The number of lots before it. */
  readonly age: number;
  /** The free credits, and those that are held for refunds or frozen. */
  remaining: Credits;
  heldForRefund: Credits;
  frozen: Credits;
  /** The disputes about its payment, by id. `taken` is what the chargeback has taken. */
  readonly disputes: Map<string, { state: 'open' | 'lost' | 'won'; taken: Credits }>;
  awaited: readonly Awaited[];
  ended: Ending | null;
};

/** Lots with credits, in the order in which they pay, and lots without. */
export type Lots = { readonly lots: Map<string, Lot>; readonly spentLots: Map<string, Lot> };

export const newLot = (amount: Credits, source: LotSource, endsAt: number | null, age: number): Lot => ({
  ...{ amount, source, endsAt, age, remaining: amount, heldForRefund: 0n, frozen: 0n },
  ...{ used: 0n, repaid: 0n, reversed: 0n, refunded: 0n, chargedBack: 0n, expired: 0n, forfeited: 0n, waived: 0n },
  ...{ disputes: new Map(), awaited: [], ended: null },
});

/** What can be spent, or is needed by holds. */
export const free = ({ remaining, heldForRefund, frozen }: Lot): Credits => remaining - heldForRefund - frozen;

export const isPaid = ({ source }: Lot): boolean => source.kind === 'payment';

/** The disputes that keep the credits of a lot frozen, the oldest first. Several about one payment may be open. */
export const openDisputes = ({ disputes }: Lot): readonly string[] =>
  [...disputes].flatMap(([disputeId, { state }]) => (state === 'open' ? [disputeId] : []));

export const isDisputed = (lot: Lot): boolean => openDisputes(lot).length > 0;

export const lotOf = ({ lots, spentLots }: Lots, lotId: string): Lot | undefined =>
  lots.get(lotId) ?? spentLots.get(lotId);

/** Promotional lots pay first, then by their end, then by age. */
export const paysBefore = (a: Lot, b: Lot): boolean => {
  if (isPaid(a) !== isPaid(b)) return isPaid(b);
  const [endA, endB] = [a.endsAt ?? Infinity, b.endsAt ?? Infinity];
  return endA === endB ? a.age < b.age : endA < endB;
};

/** Inserts a lot at its place. Most lots are the newest, and are last. */
const insert = (lots: Map<string, Lot>, lotId: string, lot: Lot): void => {
  const after = [...lots].filter(([, other]) => paysBefore(lot, other));
  for (const [id] of after) lots.delete(id);
  lots.set(lotId, lot);
  for (const [id, other] of after) lots.set(id, other);
};

export const addLot = ({ lots }: Lots, lotId: string, lot: Lot): void => insert(lots, lotId, lot);

/** Changes what remains in a lot. */
export const changeRemaining = ({ lots, spentLots }: Lots, lotId: string, lot: Lot, by: Credits): void => {
  const before = lot.remaining;
  lot.remaining += by;
  if (lot.remaining === before) return;
  if (lot.remaining === 0n) {
    lots.delete(lotId);
    spentLots.set(lotId, lot);
  } else if (before === 0n) {
    spentLots.delete(lotId);
    insert(lots, lotId, lot);
  }
};

/**
 * The lots that pay for `amount`. `at` is the time of the hold, in ms since the epoch: lots that had ended by then pay only
 * what no other lot can pay.
 */
export const draws = ({ lots }: Pick<Lots, 'lots'>, amount: Credits, at: number | null): readonly Draw[] => {
  const drawn: Draw[] = [];
  const late: (readonly [string, Lot])[] = [];
  let left = amount;
  const pay = (lotId: string, lot: Lot): void => {
    const part = min(free(lot), left);
    if (part > 0n) drawn.push({ lotId, amount: part });
    left -= part;
  };
  for (const [lotId, lot] of lots) {
    if (left === 0n) return drawn;
    if (at !== null && lot.endsAt !== null && at >= lot.endsAt) late.push([lotId, lot]);
    else pay(lotId, lot);
  }
  for (const [lotId, lot] of late) pay(lotId, lot);
  return drawn;
};

/** The lots that paid for `amount` before lots had an end: the oldest first. */
export const drawsByAge = ({ lots }: Pick<Lots, 'lots'>, amount: Credits): readonly Draw[] =>
  draws({ lots: new Map([...lots].toSorted(([, a], [, b]) => a.age - b.age)) }, amount, null);

/** For each lot with credits, the part of its free credits that holds do not need, if they use the lots in their order. */
export function* excess({ lots }: Pick<Lots, 'lots'>, held: Credits): Iterable<readonly [string, Lot, Credits]> {
  let kept = held;
  // A copy, because lots without credits are moved while it is read.
  for (const [lotId, lot] of [...lots]) {
    const needed = min(free(lot), kept);
    kept -= needed;
    yield [lotId, lot, free(lot) - needed];
  }
}
