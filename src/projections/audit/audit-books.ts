import { accountOfStream } from '../../domain/account/account.ts';
import type { WalletEvent } from '../../domain/account/events.ts';
import { evolveRefunds } from '../../domain/account/refunds/evolve.ts';
import type { CorrectionEvent, DebtEvent, RefundEvent } from '../../domain/account/refunds/events.ts';
import { emptyWallet, endGrants, evolveWallet, openDebt, type Wallet } from '../../domain/account/wallet.ts';
import type { Credits } from '../../domain/money.ts';
import type { Recorded } from '../../eventstore/journal/codec.ts';
import { requests, type RequestRow } from '../rows/requests.ts';
import { sum } from './audit.ts';

/** The expected `balances` row of one account. */
export type AccountBook = { readonly wallet: Wallet; readonly writtenOff: Credits; readonly revision: number };

/** Folds the money of all accounts. */
export const createAccountBooks = () => {
  const books = new Map<string, AccountBook>();
  return {
    books: books as ReadonlyMap<string, AccountBook>,
    take: ({ stream, revision, event }: Recorded): void => {
      const accountId = accountOfStream(stream);
      if (accountId === undefined || !counts(event)) return;
      const { wallet, writtenOff } = books.get(accountId) ?? { wallet: emptyWallet(), writtenOff: 0n };
      if (concernsRefunds(event)) evolveRefunds(wallet, event);
      else if (event.type === 'AccountClosed') endGrants(wallet);
      else if (event.type !== 'AccountRegistered') evolveWallet(wallet, event);
      books.set(accountId, {
        wallet,
        writtenOff: event.type === 'UsageWrittenOff' ? writtenOff + event.amount : writtenOff,
        revision,
      });
    },
  };
};

/** The columns of `balances` that a wallet determines. */
export const balanceColumns = (wallet: Wallet) => ({
  ...{ topped_up: wallet.toppedUp, charged: wallet.charged, reversed: wallet.reversed, repaid: wallet.repaid },
  ...{ refunded: wallet.refunded, charged_back: wallet.chargedBack, expired: wallet.expired },
  ...{ forfeited: wallet.forfeited, waived: wallet.waived, held: wallet.held },
  held_for_refund: sum([...wallet.lots.values()].map(({ heldForRefund }) => heldForRefund)),
  frozen: sum([...wallet.lots.values()].map(({ frozen }) => frozen)),
  ...{ debt: openDebt(wallet), open_holds: wallet.holds.size },
  next_end: wallet.nextEnd === null ? null : new Date(wallet.nextEnd),
});

type RefundOrDebt = RefundEvent | DebtEvent | CorrectionEvent;
const refunding: Readonly<Record<RefundOrDebt['type'], true>> = {
  CreditsHeldForRefund: true,
  RefundHoldReleased: true,
  CreditsRefunded: true,
  LotFrozen: true,
  LotUnfrozen: true,
  CreditsChargedBack: true,
  ChargebackReversed: true,
  CreditsForfeited: true,
  CreditsWaived: true,
  DebtIncurred: true,
  DebtRepaid: true,
  DebtWrittenOff: true,
  ChargeReversed: true,
};
type Counting =
  WalletEvent | RefundOrDebt | Extract<Recorded['event'], { type: 'AccountRegistered' | 'AccountClosed' }>;
const counting: Readonly<Record<Counting['type'], true>> = {
  AccountRegistered: true,
  AccountClosed: true,
  CreditsToppedUp: true,
  CreditsReserved: true,
  HoldExtended: true,
  HoldSettled: true,
  HoldReleased: true,
  LateUsageCharged: true,
  UsageWrittenOff: true,
  LotExpired: true,
  ...refunding,
};
const counts = (event: Recorded['event']): event is Counting => event.type in counting;
const concernsRefunds = (event: Counting): event is RefundOrDebt => event.type in refunding;

/** Whether events of this type concern money; the audit reads no others. */
export const isCounted = (type: string): boolean => type in counting;

/** The number of buckets in which requests are counted: enough to find one superfluous row among millions. */
const BUCKETS = 65_536;

export const bucketOf = (requestId: string): number => {
  let hash = 0x811c9dc5;
  for (let n = 0; n < requestId.length; n++) hash = Math.imul(hash ^ requestId.charCodeAt(n), 0x01000193);
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1);
};

/**
 * Folds each request until its row is found correct, so that memory holds only requests in progress and those whose
 * rows are wrong.
 */
export const createRequestBooks = () => {
  const rows = new Map<string, RequestRow>();
  let ended = new Set<string>();
  /** Events of requests whose rows were found correct before: those rows have changed since, or are wrong. */
  const afterwards = new Map<string, Recorded[]>();
  const perBucket = new Int32Array(BUCKETS);
  let count = 0;
  /** By request, if it is not 0, what was reversed of it when its row was found correct. */
  const reversedBefore = new Map<string, Credits>();
  let charged = 0n;
  let reversed = 0n;
  return {
    /** The expected rows, by request id. */
    rows: rows as ReadonlyMap<string, RequestRow>,
    afterwards: afterwards as ReadonlyMap<string, readonly Recorded[]>,
    reversedBefore: reversedBefore as ReadonlyMap<string, Credits>,
    perBucket,
    get count() {
      return count;
    },
    get charged() {
      return charged;
    },
    get reversed() {
      return reversed;
    },
    take: (recorded: Recorded): void => {
      const { event } = recorded;
      if (!('requestId' in event)) return;
      const { requestId: id } = event;
      if (event.type === 'HoldSettled' || event.type === 'LateUsageCharged') charged += event.charged;
      if (event.type === 'ChargeReversed') reversed += event.amount;
      const row = rows.get(id);
      if (event.type === 'CreditsReserved') {
        if (!row) perBucket[bucketOf(id)]!++;
        if (!row) count++;
      } else if (!row) {
        afterwards.set(id, [...(afterwards.get(id) ?? []), recorded]);
        return;
      } else if (event.type !== 'HoldExtended') ended.add(id);
      rows.set(id, requests.evolve(row, recorded, [id]));
    },
    /** The requests that ended since the last call. */
    takeEnded: (): readonly string[] => {
      const ids = [...ended];
      ended = new Set();
      return ids;
    },
    /** The row of this request is correct. */
    forget: (id: string): void => {
      const before = rows.get(id)?.reversed ?? 0n;
      if (before > 0n) reversedBefore.set(id, before);
      rows.delete(id);
    },
  };
};

export type RequestBooks = ReturnType<typeof createRequestBooks>;
