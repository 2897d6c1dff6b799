import type { DomainEvent, Fact } from '../eventstore/journal/codec.ts';

/** The SQL type of a column. */
export type Column = 'text' | 'bigint' | 'int' | 'timestamptz' | 'boolean';

/** Values by SQL type: bigint as bigint, int as number, timestamptz as Date; null if unknown. */
export type Row = Readonly<Record<string, string | bigint | number | boolean | Date | null>>;

/**
 * A table whose rows are folds of events. Rows depend only on events (no clock, no other table), so that they can be
 * dropped and rebuilt to the same bytes. Rows and checkpoint commit together, so every event counts exactly once.
 */
export type Projection<R extends Row = Row> = {
  /** A plural noun, and the name of its table. */
  readonly name: string;
  /**
   * Increased whenever the same events give other rows; the next start then rebuilds. Nodes of the previous version
   * continue to read the table. A version may therefore add columns, but may drop only columns that the previous
   * version does not read.
   */
  readonly version: number;
  /** In the order of the table. The first `keyLength` of them, all text, are the primary key. */
  readonly columns: Readonly<Record<keyof R & string, Column>>;
  readonly keyLength: number;
  /** `where` is the condition of a partial index. */
  readonly indexes: readonly { readonly columns: readonly (keyof R & string)[]; readonly where?: string }[];
  /** The event types that it reads, if not all of them. Other events are not decoded. */
  readonly types?: ReadonlySet<DomainEvent['type']>;
  /** Event types that create a row from the event alone, so that an existing row need not be read. */
  readonly makes?: ReadonlySet<DomainEvent['type']>;
  /** Columns whose meaning differs from the previous version: a rebuild does not compare them. */
  readonly changed?: readonly (keyof R & string)[];
  /** The keys of the rows that an event changes; usually zero or one. */
  readonly keysOf: (recorded: Fact) => readonly (readonly string[])[];
  readonly evolve: (row: R | undefined, recorded: Fact, key: readonly string[]) => R;
};

export const LIVE = 'projections';
