import fc from 'fast-check';
import type { AccountCommand } from '../../src/domain/account/decide.ts';
import { anyCommand } from '../../test/domain/account/arbitrary.ts';

/** What becomes of an append on its way to the log and back. */
export type Fate = (typeof fates)[number];
const fates = [
  'fine',
  /** Nothing is written, and whoever asked hears that the store is unavailable. */
  'lost',
  /** It is written or refused, and whoever asked hears that the store is unavailable. */
  'unanswered',
  /** Whoever asked hears that the store is unavailable, and then it reaches the log after all. */
  'late',
] as const;

export type Ask = {
  readonly kind: 'ask';
  readonly account: number;
  readonly node: number;
  readonly command: AccountCommand;
  /** Steps with the same id give the same command. */
  readonly id: number;
  readonly mayRepeat: boolean;
  /** In the same breath as the step before. */
  readonly together: boolean;
};
export type Read = {
  readonly kind: 'read';
  readonly account: number;
  readonly node: number;
  readonly together: boolean;
};
/** The process dies as by kill -9, and another takes its place, which knows nothing. */
export type Restart = { readonly kind: 'restart'; readonly node: number; readonly together: boolean };
/** The log goes back to what it was so many transactions ago, as a restored database does, while all nodes run on. */
export type Rewind = { readonly kind: 'rewind'; readonly transactions: number; readonly together: boolean };
export type Step = Ask | Read | Restart | Rewind;

/** All that decides how a history goes. Where a list is used up, everything is fine and comes in the order of asking. */
export type Plan = {
  readonly nodes: number;
  readonly cacheSize: number;
  /** How often a committer tries again before it gives up. */
  readonly retries: number;
  /** The credits that each account begins with. */
  readonly opening: bigint;
  readonly steps: readonly Step[];
  /** Which of the things that may happen next does. */
  readonly turns: readonly number[];
  readonly appends: readonly Fate[];
  /** Whether a read of the log fails. */
  readonly reads: readonly boolean[];
};

export const ACCOUNTS = ['ada', 'bob', 'cyd'] as const;
const MOST_NODES = 3;

/** `often` is how many times as likely the first one is. */
const mostly = <T>(often: number, first: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: often, arbitrary: fc.constant(first) },
    ...others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) })),
  );

const draft = fc.record({
  kind: mostly<Step['kind']>(16, 'ask', 'read', 'restart', 'rewind', 'rewind', 'rewind'),
  account: mostly(6, 0, 1, 2),
  node: fc.nat(MOST_NODES - 1),
  command: anyCommand.map((command) => structuredClone(command)), // Without the prototypes that fast-check leaves out.
  /** How many steps ago this very command was given before, if it was. */
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
  // Whoever gives a command once says so.
  const times = new Map<number, number>();
  for (const step of steps) if (step.kind === 'ask') times.set(step.id, (times.get(step.id) ?? 0) + 1);
  return steps.map((step) => (step.kind === 'ask' ? { ...step, mayRepeat: (times.get(step.id) ?? 0) > 1 } : step));
};

export const anyPlan: fc.Arbitrary<Plan> = fc
  .record({
    // First what makes a counterexample shortest.
    drafts: fc.array(draft, { minLength: 1, maxLength: 24, size: 'max' }),
    turns: fc.array(fc.nat(59), { maxLength: 160, size: 'max' }),
    appends: fc.array(mostly<Fate>(8, ...fates), { maxLength: 40, size: 'max' }),
    reads: fc.array(mostly(15, false, true), { maxLength: 30, size: 'max' }),
    nodes: fc.constantFrom(2, 3),
    cacheSize: fc.constantFrom(1, 2, 3),
    retries: fc.nat(2),
    opening: fc.bigInt(0n, 60n),
  })
  .map(({ drafts, ...plan }) => ({ ...plan, steps: stepsOf(drafts, plan.nodes) }));
