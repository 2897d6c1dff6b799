import type { DomainEvent, Fact } from '../eventstore/journal/codec.ts';

/** One column: its SQL type says how its values read in TypeScript. */
export type Column = 'text' | 'bigint' | 'int' | 'timestamptz' | 'boolean';

/** Values by SQL type: bigint as bigint, int as number, timestamptz as Date; null where nothing is known yet. */
export type Row = Readonly<Record<string, string | bigint | number | boolean | Date | null>>;

/**
 * The log seen from one side: rows of one table, each a fold of the events that touch it. Rows depend on nothing but the
 * events (no clock, no other table), so that they can be thrown away and rebuilt to the same bytes. Rows and checkpoint
 * commit together, so every event counts exactly once.
 */
export type Projection<R extends Row = Row> = {
  /** A plural noun, and the name of its table. */
  readonly name: string;
  /**
   * Raised whenever rows would come out differently; the next start then rebuilds. Nodes of the version before go on
   * reading the table, so a version may add columns, and drop only what the version before no longer reads.
   */
  readonly version: number;
  /** In the order of the table. The first `keyLength` of them, all text, are the primary key. */
  readonly columns: Readonly<Record<keyof R & string, Column>>;
  readonly keyLength: number;
  /** Columns with an index of their own, each with the condition of a partial index or none. */
  readonly indexes: readonly { readonly column: keyof R & string; readonly where?: string }[];
  /** The event types that it looks at, where it is not all: the others are not even decoded for it. */
  readonly types?: ReadonlySet<DomainEvent['type']>;
  /** Event types that make a row out of nothing but themselves: the row before, if any, need not be read for them. */
  readonly makes?: ReadonlySet<DomainEvent['type']>;
  /** Columns that mean something else than they did in the version before: a rebuild does not compare them with it. */
  readonly changed?: readonly (keyof R & string)[];
  /** The keys of the rows that an event touches; most events touch none or one. */
  readonly keysOf: (recorded: Fact) => readonly (readonly string[])[];
  readonly evolve: (row: R | undefined, recorded: Fact, key: readonly string[]) => R;
};

export const LIVE = 'projections';
