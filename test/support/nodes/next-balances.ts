import { balances, type BalanceRow } from '../../../src/projections/rows/balances.ts';
import type { Projection } from '../../../src/projections/projection.ts';

type NextRow = BalanceRow & { readonly events: bigint };

/** `balances` as a later release might have it: one version on, with a column more, and the others as they were. */
export const nextBalances = {
  ...balances,
  version: balances.version + 1,
  columns: { ...balances.columns, events: 'bigint' },
  evolve: (row: NextRow | undefined, ...rest: [Parameters<typeof balances.evolve>[1], readonly string[]]) => ({
    ...balances.evolve(row, ...rest),
    events: (row?.events ?? 0n) + 1n,
  }),
} as unknown as Projection;
