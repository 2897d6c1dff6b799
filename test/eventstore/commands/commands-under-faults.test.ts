import fc from 'fast-check';
import { expect, it } from 'vitest';
import { accountStream, evolveAccount, initialAccount, type Account } from '../../../src/domain/account/account.ts';
import { decideAccount, type AccountCommand } from '../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { decode, type Recorded } from '../../../src/eventstore/journal/codec.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import { anyCommand } from '../../domain/account/arbitrary.ts';
import { audit } from '../../reference/audit-history.ts';
import { customer, contactChanged, topUp } from '../../domain/account/examples.ts';
import { createFaultyStore, turns, type Fault } from './faulty-store.ts';
import { readWholeStream } from '../logs.ts';
import { createNode, happen, type AccountOutcome, type Node } from '../nodes.ts';

/** One command as somebody gives it. */
type Step = {
  readonly command: AccountCommand;
  readonly commandId: string;
  readonly mayRepeat: boolean;
  readonly node: number;
  /** For how many turns of the queue of microtasks nothing is asked before. */
  readonly after: number;
  /** Whether everything asked so far is answered before. */
  readonly alone: boolean;
};

/** What came of it. The revisions are those between which the answer must have been true. */
type Answer = {
  readonly step: Step;
  readonly outcome: AccountOutcome | Error;
  readonly from: number;
  readonly to: number;
};

const ACCOUNT = 'ada';
const STREAM = accountStream(ACCOUNT);
const NODES = 2;

const aFault = fc.record({
  breaks: fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    { weight: 4, arbitrary: fc.constantFrom('before' as const, 'after' as const) },
  ),
  rival: fc.nat(4).map((n) => n === 0),
  turnsBefore: fc.nat(12),
  turnsAfter: fc.nat(12),
});

const someSteps: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.record({
      command: anyCommand,
      node: fc.nat(NODES - 1),
      after: fc.nat(15),
      alone: fc.nat(7).map((n) => n === 0),
      /** How many steps ago this very command was given already, if it was. */
      again: fc.oneof(
        { weight: 4, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
      ),
    }),
    { minLength: 2, maxLength: 40, size: 'max' },
  )
  .map((drafts) => {
    const steps: Step[] = [];
    for (const [n, { again, ...draft }] of drafts.entries()) {
      const earlier = again > 0 ? steps[n - again] : undefined;
      const { command, commandId } = earlier ?? { command: draft.command, commandId: `step-${n}` };
      steps.push({ ...draft, command, commandId, mayRepeat: true });
    }
    // Whoever gives a command once says so.
    const times = new Map<string, number>();
    for (const { commandId } of steps) times.set(commandId, (times.get(commandId) ?? 0) + 1);
    return steps.map((step) => ({ ...step, mayRepeat: (times.get(step.commandId) ?? 0) > 1 }));
  });

type Chaos = { readonly rival: boolean } & Omit<Fault, 'meanwhile' | 'breaks'> & {
    readonly breaks: Fault['breaks'] | undefined;
  };

const nodesOn = (store: ChainedLog, chaos: readonly (readonly Chaos[])[]): readonly Node[] =>
  chaos.map((faults, n) => {
    const told = faults.map(({ rival, breaks, ...rest }, i): Fault => ({
      ...rest,
      ...(breaks ? { breaks } : {}),
      ...(rival ? { meanwhile: () => happen(store, ACCOUNT, contactChanged(`rival ${n}/${i}`)) } : {}),
    }));
    const faulty = createFaultyStore(store, told);
    return createNode(faulty, { committer: createCommitter({ store: faulty, maxRetries: 2, retryMs: 0 }) });
  });

const lengthOf = async (store: ChainedLog): Promise<number> => (await readWholeStream(store, STREAM)).length;

const run = async (store: ChainedLog, nodes: readonly Node[], steps: readonly Step[]): Promise<readonly Answer[]> => {
  const answers: Promise<Answer>[] = [];
  for (const step of steps) {
    if (step.alone) await Promise.all(answers);
    await turns(step.after);
    const node = nodes[step.node];
    if (!node) continue;
    const { command, commandId, mayRepeat } = step;
    const from = await lengthOf(store);
    const outcome = node.execute(ACCOUNT, command, commandId, { mayRepeat }).catch((error: Error) => error);
    answers.push(outcome.then(async (told) => ({ step, outcome: told, from, to: await lengthOf(store) })));
  }
  return Promise.all(answers);
};

/** A store has only so many faults. */
const untilItWorks = async (ask: () => Promise<AccountOutcome>): Promise<void> => {
  let outcome: AccountOutcome | undefined;
  while (!outcome) outcome = await ask().catch(() => undefined);
};

/** The account as it was after so many events. */
const stateAfter = (history: readonly AccountEvent[], length: number): Account =>
  history.slice(0, length).reduce(evolveAccount, initialAccount());

const checkAnswer = (history: readonly AccountEvent[], own: readonly Recorded[], answer: Answer): void => {
  const { step, outcome, from, to } = answer;
  const [first] = own;
  if (outcome instanceof Error) {
    expect(outcome).toBeInstanceOf(StoreUnavailable);
  } else if (outcome.kind === 'accepted' && outcome.events.length > 0) {
    expect(outcome.events, 'what was told is in the log').toEqual(own.map(({ event }) => event));
    expect(outcome).toMatchObject({ revision: own.at(-1)?.revision, position: own.at(-1)?.position });
  } else {
    // It was true at some moment between question and answer, and before the command had its effect.
    const moments = Array.from({ length: Math.min(to, first?.revision ?? to) - from + 1 }, (_, n) => from + n);
    const told =
      outcome.kind === 'accepted' ? { kind: 'accepted', events: [] } : { kind: 'refused', refusal: outcome.refusal };
    const answers = moments.map((length) => decideAccount(step.command, stateAfter(history, length)));
    expect(answers).toContainEqual(told);
  }
};

it('commands of two nodes on a failing log are decided serially, and executed at most once', () =>
  fc.assert(
    fc.asyncProperty(
      someSteps,
      fc.array(fc.array(aFault, { maxLength: 40, size: 'max' }), { minLength: NODES, maxLength: NODES }),
      async (steps, chaos) => {
        const store = createInMemoryStore();
        await happen(store, ACCOUNT, ...customer);
        const nodes = nodesOn(store, chaos);
        const answers = await run(store, nodes, steps);

        const log = (await readWholeStream(store, STREAM)).map(decode);
        const history = log.map(({ event }) => event as AccountEvent);
        audit(history);

        const byCommand = Map.groupBy(log, ({ metadata }) => metadata.commandId);
        for (const { command, commandId } of steps) {
          const own = byCommand.get(commandId) ?? [];
          const [first] = own;
          if (!first) continue;
          // Decided on exactly what was there, and written together.
          const decision = decideAccount(command, stateAfter(history, first.revision));
          expect(decision).toEqual({ kind: 'accepted', events: own.map(({ event }) => event) });
          expect(own.map(({ revision }) => revision - first.revision)).toEqual([...own.keys()]);
        }
        for (const answer of answers) checkAnswer(history, byCommand.get(answer.step.commandId) ?? [], answer);
        for (const told of Map.groupBy(answers, ({ step }) => step.commandId).values()) {
          const anew = told.filter(
            ({ outcome }) => !(outcome instanceof Error) && outcome.kind === 'accepted' && !outcome.repeated,
          );
          const writing = anew.filter(
            ({ outcome }) => !(outcome instanceof Error) && outcome.kind === 'accepted' && outcome.position,
          );
          expect(writing.length, 'one answer at most claims to be the first').toBeLessThanOrEqual(1);
        }

        // Whatever befell them, all nodes come to the same account.
        for (const [n, node] of nodes.entries())
          await untilItWorks(() => node.execute(ACCOUNT, topUp(1n, `last ${n}`)));
        const end = (await readWholeStream(store, STREAM)).map((stored) => decode(stored).event as AccountEvent);
        for (const { commands } of nodes) {
          expect(await commands.read(STREAM)).toEqual({ state: stateAfter(end, end.length), revision: end.length - 1 });
        }
      },
    ),
    { numRuns: 300 },
  ));
