import { accountOfStream } from '../../domain/account/account.ts';
import type { AccountEvent, Draw, WalletEvent } from '../../domain/account/events.ts';
import type { CorrectionEvent, DebtEvent, RefundEvent } from '../../domain/account/refunds/events.ts';
import type { Credits } from '../../domain/money.ts';
import type { DomainEvent } from '../../eventstore/journal/codec.ts';
import type { Projection } from '../projection.ts';
import { evolveEndings, nextEndIn, type EndingEvent } from './endings.ts';
import { evolveLocks, lockedIn } from './locks.ts';

export type BalanceRow = {
  readonly account_id: string;
  readonly topped_up: bigint;
  readonly charged: bigint;
  /** What reversals of charges have put back into lots. */
  readonly reversed: bigint;
  /** Debts that lots have repaid, less what was returned to them. */
  readonly repaid: bigint;
  readonly refunded: bigint;
  /** Less what was restored. */
  readonly charged_back: bigint;
  readonly expired: bigint;
  readonly forfeited: bigint;
  readonly waived: bigint;
  readonly written_off: bigint;
  readonly held: bigint;
  readonly held_for_refund: bigint;
  readonly frozen: bigint;
  /** What the customer owes. */
  readonly debt: bigint;
  readonly open_holds: number;
  /** The earliest end of a lot with credits, if it has not been recorded. */
  readonly next_end: Date | null;
  readonly closed_at: Date | null;
  /** The revision of the last event that changed this row. */
  readonly revision: number;
  /** The parts of `held_for_refund` and `frozen`: see `evolveLocks`. */
  readonly locks: string | null;
  /** The ends from which `next_end` follows: see `evolveEndings`. */
  readonly endings: string | null;
};

type BalanceEvent =
  | WalletEvent
  | RefundEvent
  | DebtEvent
  | CorrectionEvent
  | Extract<AccountEvent, { type: 'AccountRegistered' | 'AccountClosed' }>;

const moved = (row: BalanceRow, event: BalanceEvent): Partial<BalanceRow> => {
  switch (event.type) {
    case 'AccountRegistered':
      return {};
    case 'AccountClosed':
      return ending(row, event);
    case 'CreditsToppedUp':
      return { ...ending(row, event), topped_up: row.topped_up + event.amount };
    case 'CreditsReserved':
      return { held: row.held + event.amount, open_holds: row.open_holds + 1 };
    case 'HoldExtended':
      return { held: row.held + event.by };
    case 'HoldReleased':
      return { held: row.held - event.released, open_holds: row.open_holds - 1 };
    case 'HoldSettled':
      return {
        ...{ ...ending(row, event), charged: row.charged + event.charged },
        ...{ held: row.held - event.held, open_holds: row.open_holds - 1 },
      };
    case 'LateUsageCharged':
      return { ...ending(row, event), charged: row.charged + event.charged };
    case 'UsageWrittenOff':
      return { written_off: row.written_off + event.amount };
    case 'LotExpired':
      return { ...ending(row, event), expired: row.expired + event.amount };
    case 'CreditsHeldForRefund':
    case 'RefundHoldReleased':
    case 'LotFrozen':
    case 'LotUnfrozen':
      return locked(row, event);
    case 'CreditsRefunded':
      return { ...locked(row, event), refunded: row.refunded + event.amount };
    case 'CreditsChargedBack':
      return { ...locked(row, event), charged_back: row.charged_back + event.amount };
    case 'ChargebackReversed': {
      const { restored, cancelled, returned, reduced } = event;
      return {
        ...{ charged_back: row.charged_back - restored, debt: row.debt - cancelled },
        ...{ repaid: row.repaid - total(returned), reversed: row.reversed + reduced },
      };
    }
    case 'CreditsForfeited':
      return { forfeited: row.forfeited + event.amount };
    case 'CreditsWaived':
      return { waived: row.waived + event.amount };
    case 'DebtIncurred':
      return { debt: row.debt + event.amount };
    case 'DebtRepaid':
      return { debt: row.debt - event.amount, repaid: row.repaid + event.amount };
    case 'DebtWrittenOff':
      return { debt: row.debt - event.amount };
    case 'ChargeReversed':
      // What is granted in place of a lot that has ended is a top-up of its own.
      return {
        ...{ ...ending(row, event), reversed: row.reversed + total(event.returned) },
        debt: row.debt - total(event.debtReduced),
      };
  }
};

const locked = (row: BalanceRow, event: RefundEvent): Partial<BalanceRow> => {
  const locks = evolveLocks(row.locks, event);
  return { ...lockedIn(locks), locks };
};

const ending = (row: BalanceRow, event: EndingEvent): Partial<BalanceRow> => {
  const endings = evolveEndings(row.endings, event);
  return endings === row.endings ? {} : { endings, next_end: nextEndIn(endings) };
};

const total = (draws: readonly Draw[]): Credits => draws.reduce((sum, { amount }) => sum + amount, 0n);

const concerning: Readonly<Record<BalanceEvent['type'], true>> = {
  AccountRegistered: true,
  AccountClosed: true,
  CreditsToppedUp: true,
  CreditsReserved: true,
  HoldExtended: true,
  HoldReleased: true,
  HoldSettled: true,
  LateUsageCharged: true,
  UsageWrittenOff: true,
  LotExpired: true,
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
const types: ReadonlySet<string> = new Set(Object.keys(concerning));

const isBalanceEvent = (event: DomainEvent): event is BalanceEvent => types.has(event.type);

const emptyRow = (accountId: string): BalanceRow => ({
  account_id: accountId,
  ...{ topped_up: 0n, charged: 0n, reversed: 0n, repaid: 0n, refunded: 0n, charged_back: 0n },
  ...{ expired: 0n, forfeited: 0n, waived: 0n, written_off: 0n },
  ...{ held: 0n, held_for_refund: 0n, frozen: 0n, debt: 0n, open_holds: 0 },
  ...{ next_end: null, closed_at: null, revision: 0, locks: null, endings: null },
});

/**
 * The balance of each account, in nano-USD: `topped_up + reversed - charged - repaid - refunded - charged_back - expired -
 * forfeited - waived`. Of it, `held` is held for open requests, `held_for_refund` for refunds, and `frozen` is disputed.
 */
export const balances: Projection<BalanceRow> = {
  name: 'balances',
  // Version 2 has `expired`; version 3 has refunds, disputes, debts, reversals and ends of lots; version 4 has `closed_at`.
  version: 4,
  columns: {
    account_id: 'text',
    topped_up: 'bigint',
    charged: 'bigint',
    reversed: 'bigint',
    repaid: 'bigint',
    refunded: 'bigint',
    charged_back: 'bigint',
    expired: 'bigint',
    forfeited: 'bigint',
    waived: 'bigint',
    written_off: 'bigint',
    held: 'bigint',
    held_for_refund: 'bigint',
    frozen: 'bigint',
    debt: 'bigint',
    open_holds: 'int',
    next_end: 'timestamptz',
    closed_at: 'timestamptz',
    revision: 'int',
    locks: 'text',
    endings: 'text',
  },
  keyLength: 1,
  indexes: [
    { columns: ['next_end'], where: 'next_end is not null' },
    { columns: ['closed_at', 'account_id'], where: 'closed_at is not null' },
  ],
  types: types as ReadonlySet<DomainEvent['type']>,
  keysOf: ({ stream, event }) => {
    const accountId = accountOfStream(stream);
    return accountId !== undefined && isBalanceEvent(event) ? [[accountId]] : [];
  },
  evolve: (existing, recorded, [accountId = '']) => {
    const row = existing ?? emptyRow(accountId);
    return {
      ...row,
      ...(isBalanceEvent(recorded.event) ? moved(row, recorded.event) : {}),
      ...(recorded.event.type === 'AccountClosed' ? { closed_at: recorded.time } : {}),
      revision: recorded.revision,
    };
  },
};
