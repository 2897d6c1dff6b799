import { accountOfStream } from '../../domain/account/account.ts';
import type { AccountEvent, WalletEvent } from '../../domain/account/events.ts';
import type { DomainEvent } from '../../eventstore/journal/codec.ts';
import type { Projection } from '../projection.ts';

export type BalanceRow = {
  readonly account_id: string;
  readonly topped_up: bigint;
  readonly charged: bigint;
  readonly expired: bigint;
  readonly written_off: bigint;
  readonly held: bigint;
  readonly open_holds: number;
  /** The revision of the last event that changed this row. */
  readonly revision: number;
};

type BalanceEvent = WalletEvent | Extract<AccountEvent, { type: 'AccountRegistered' }>;

const moved = (row: BalanceRow, event: BalanceEvent): Partial<BalanceRow> => {
  switch (event.type) {
    case 'AccountRegistered':
      return {};
    case 'CreditsToppedUp':
      return { topped_up: row.topped_up + event.amount };
    case 'CreditsReserved':
      return { held: row.held + event.amount, open_holds: row.open_holds + 1 };
    case 'HoldExtended':
      return { held: row.held + event.by };
    case 'HoldReleased':
      return { held: row.held - event.released, open_holds: row.open_holds - 1 };
    case 'HoldSettled':
      return { charged: row.charged + event.charged, held: row.held - event.held, open_holds: row.open_holds - 1 };
    case 'LateUsageCharged':
      return { charged: row.charged + event.charged };
    case 'UsageWrittenOff':
      return { written_off: row.written_off + event.amount };
    case 'LotExpired':
      return { expired: row.expired + event.amount };
  }
};

const types: ReadonlySet<string> = new Set<BalanceEvent['type']>([
  'AccountRegistered',
  'CreditsToppedUp',
  'CreditsReserved',
  'HoldExtended',
  'HoldReleased',
  'HoldSettled',
  'LateUsageCharged',
  'UsageWrittenOff',
  'LotExpired',
]);

const isBalanceEvent = (event: DomainEvent): event is BalanceEvent => types.has(event.type);

/** The balance of each account, in nano-USD: `topped_up - charged - expired`, of which `held` is held for open requests. */
export const balances: Projection<BalanceRow> = {
  name: 'balances',
  version: 2,
  columns: {
    account_id: 'text',
    topped_up: 'bigint',
    charged: 'bigint',
    expired: 'bigint',
    written_off: 'bigint',
    held: 'bigint',
    open_holds: 'int',
    revision: 'int',
  },
  keyLength: 1,
  indexes: [],
  types: types as ReadonlySet<DomainEvent['type']>,
  keysOf: ({ stream, event }) => {
    const accountId = accountOfStream(stream);
    return accountId !== undefined && isBalanceEvent(event) ? [[accountId]] : [];
  },
  evolve: (existing, recorded, [accountId = '']) => {
    const row = existing ?? {
      account_id: accountId,
      topped_up: 0n,
      charged: 0n,
      expired: 0n,
      written_off: 0n,
      held: 0n,
      open_holds: 0,
      revision: 0,
    };
    return {
      ...row,
      ...(isBalanceEvent(recorded.event) ? moved(row, recorded.event) : {}),
      revision: recorded.revision,
    };
  },
};
