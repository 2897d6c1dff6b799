import fc from 'fast-check';
import type { AccountCommand } from '../../src/domain/account/decide.ts';
import { anyCommand } from '../../test/domain/account/arbitrary.ts';
import { aboutOnePayment } from '../../test/domain/account/refunds/one-payment.ts';

/** The outcome of an append on its way to the log and back. */
export type Fate = (typeof fates)[number];
const fates = [
  'fine',
  /** Nothing is written, and the caller receives StoreUnavailable. */
  'lost',
  /** It is written or refused, and the caller receives StoreUnavailable. */
  'unanswered',
  /** The caller receives StoreUnavailable, and the append reaches the log afterwards. */
  'late',
] as const;

export type Ask = {
  readonly kind: 'ask';
  readonly account: number;
  readonly node: number;
  readonly command: AccountCommand;
  /** Steps with the same id contain the same command. */
  readonly id: number;
  readonly mayRepeat: boolean;
  /** Concurrent with the previous step. */
  readonly together: boolean;
};
export type Read = {
  readonly kind: 'read';
  readonly account: number;
  readonly node: number;
  readonly together: boolean;
};
/** The process dies as by kill -9, and another one with empty memory replaces it. */
export type Restart = { readonly kind: 'restart'; readonly node: number; readonly together: boolean };
/** The log loses its last transactions, as after a restore of the database, while all nodes keep running. */
export type Rewind = { readonly kind: 'rewind'; readonly transactions: number; readonly together: boolean };
export type Step = Ask | Read | Restart | Rewind;

/** What ada and bob begin with: credits, requests under way if they are covered, and the effects of earlier commands. */
export type Opening = {
  readonly granted: bigint;
  readonly payments: readonly bigint[];
  readonly held: readonly bigint[];
  readonly commands: readonly AccountCommand[];
};

/** All decisions of a history. After the end of a list, calls succeed in the order in which they were made. */
export type Plan = {
  readonly nodes: number;
  readonly cacheSize: number;
  /** How often a committer retries before it fails. */
  readonly retries: number;
  readonly opening: Opening;
  readonly steps: readonly Step[];
  /** The choices between the actions that are possible next. */
  readonly turns: readonly number[];
  readonly appends: readonly Fate[];
  /** Whether a read of the log fails. */
  readonly reads: readonly boolean[];
};

export const ACCOUNTS = ['ada', 'bob', 'cyd'] as const;
const MOST_NODES = 3;

/** The first value is `often` times as likely as each other one. */
const mostly = <T>(often: number, first: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: often, arbitrary: fc.constant(first) },
    ...others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) })),
  );

const command = anyCommand.map((command) => structuredClone(command)); // Removes the null prototypes of fast-check.

const draft = fc.record({
  kind: mostly<Step['kind']>(16, 'ask', 'read', 'restart', 'rewind', 'rewind', 'rewind'),
  account: mostly(6, 0, 1, 2),
  node: fc.nat(MOST_NODES - 1),
  command,
  /** How many steps ago the same command was given, or 0. */
  again: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }) }),
  together: mostly(2, false, true),
  transactions: fc.integer({ min: 1, max: 3 }),
});
type Draft = typeof draft extends fc.Arbitrary<infer T> ? T : never;

const stepsOf = (drafts: readonly Draft[], nodes: number): readonly Step[] => {
  const steps: Step[] = [];
  for (const [n, { kind, again, together, account, command, transactions, node: anyNode }] of drafts.entries()) {
    const node = anyNode % nodes;
    if (kind === 'restart') steps.push({ kind, node, together });
    else if (kind === 'rewind') steps.push({ kind, transactions, together });
    else if (kind === 'read') steps.push({ kind, account, node, together });
    else {
      const earlier = steps[n - again];
      const same = earlier?.kind === 'ask' ? earlier : { account, command, id: n };
      steps.push({ kind, node, together, mayRepeat: false, account: same.account, command: same.command, id: same.id });
    }
  }
  // A command that is given only once is marked as not repeated.
  const times = new Map<number, number>();
  for (const step of steps) if (step.kind === 'ask') times.set(step.id, (times.get(step.id) ?? 0) + 1);
  return steps.map((step) => (step.kind === 'ask' ? { ...step, mayRepeat: (times.get(step.id) ?? 0) > 1 } : step));
};

export const anyPlan: fc.Arbitrary<Plan> = fc
  .record({
    // Ordered so that the fields that shorten a counterexample most shrink first.
    drafts: fc.array(draft, { minLength: 1, maxLength: 24, size: 'max' }),
    turns: fc.array(fc.nat(59), { maxLength: 160, size: 'max' }),
    appends: fc.array(mostly<Fate>(8, ...fates), { maxLength: 40, size: 'max' }),
    reads: fc.array(mostly(15, false, true), { maxLength: 30, size: 'max' }),
    nodes: fc.constantFrom(2, 3),
    cacheSize: fc.constantFrom(1, 2, 3),
    retries: fc.nat(2),
    opening: fc.record({
      granted: fc.bigInt(0n, 30n),
      payments: fc.array(fc.bigInt(1n, 40n), { maxLength: 2 }),
      held: fc.array(fc.bigInt(0n, 30n), { maxLength: 3 }),
      commands: fc.oneof(
        { weight: 4, arbitrary: fc.array(command, { maxLength: 20, size: 'max' }) },
        { weight: 1, arbitrary: aboutOnePayment.map((commands) => structuredClone(commands)) },
      ),
    }),
  })
  .map(({ drafts, ...plan }) => ({ ...plan, steps: stepsOf(drafts, plan.nodes) }));
