import { accountStream, evolveAccount, initialAccount, type Account } from '../../src/domain/account/account.ts';
import type { AccountCommand } from '../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { decode } from '../../src/eventstore/journal/codec.ts';
import type { StateAt } from '../../src/eventstore/commands.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { LogWentBack, type ChainedLog } from '../../src/eventstore/chained-log.ts';
import { eventId } from '../../src/eventstore/ids.ts';
import type { InMemoryLog } from '../../src/eventstore/memory/in-memory.ts';
import type { Snapshots } from '../../src/eventstore/snapshots.ts';
import { topUp } from '../../test/domain/account/examples.ts';
import { informed } from '../../test/domain/account/refunds/informed.ts';
import { readWholeStream } from '../../test/eventstore/logs.ts';
import { createNode, metadataOf, type AccountOutcome, type Node } from '../../test/eventstore/nodes.ts';
import { keepEras, type Era, type Moment } from './eras.ts';
import { createFrequentSnapshots, type Kept } from './frequent-snapshots.ts';
import { openAccounts } from './opening.ts';
import { ACCOUNTS, type Ask, type Plan, type Read, type Rewind, type Step } from './plan.ts';
import { createReceived } from './received.ts';
import { createScheduler } from './scheduler.ts';
import { answerOf, eventInWords, whatOf } from './story.ts';
import { createUnsureStore, noTrouble, type Surroundings, type Trouble } from './unsure-store.ts';

/** How often a rewind is postponed while the log has nothing to lose. */
const PATIENCE = 10;

/** The subject of the proof: a log, and a factory for processes that use it. */
export type Subject = {
  /** The log from the perspective of a newly started process. */
  readonly openStore: () => ChainedLog;
  /** Set if the log can go back in time. */
  readonly log?: InMemoryLog;
  readonly createNode?: (store: ChainedLog, options: NodeOptions) => Node;
  /** Called after the history. */
  readonly close?: () => Promise<void>;
};
export type NodeOptions = {
  readonly cacheSize: number;
  readonly retries: number;
  readonly snapshots: Snapshots<Account>;
};

export const realNode = (store: ChainedLog, { retries, ...options }: NodeOptions): Node =>
  createNode(store, { ...options, committer: createCommitter({ store, maxRetries: retries, retryMs: 0 }) });

/** A request to a node, and the moments between which it was answered. */
export type Call<What, Answer> = {
  readonly what: What;
  readonly from: Moment;
  to: Moment;
  /** Requested after all trouble had ended, so it must not fail. */
  readonly calm: boolean;
  answer: Answer | Error | undefined;
  /** `died` if the process died before it could answer. */
  state: 'open' | 'answered' | 'died';
};
export type CommandCall = Call<Ask & { readonly commandId: string }, AccountOutcome>;
export type ReadCall = Call<Read, StateAt<Account>>;

export type History = {
  readonly eras: readonly Era[];
  /** The command of each command id. */
  readonly commands: ReadonlyMap<string, AccountCommand>;
  readonly calls: readonly CommandCall[];
  readonly reads: readonly ReadCall[];
  /** The nodes that had seen events that a rewind removed, and never detected it. */
  readonly unaware: readonly number[];
  readonly trouble: Trouble;
};

type Life = {
  readonly node: Node;
  readonly calls: Set<CommandCall | ReadCall>;
  /** Records that the log has gone back to a position. */
  logWentBackTo(position: number): void;
  /** Whether the node has yet to detect that the log went back in time. */
  unaware(): boolean;
  die(): void;
};

/**
 * Runs a plan on a subject. `name` distinguishes its accounts and commands from those of other histories on the same
 * log. Calls `tell` with a description of each event.
 */
export const carryOutPlan = async (
  plan: Plan,
  subject: Subject,
  name: string,
  tell: (line: () => string) => void = () => undefined,
): Promise<History> => {
  const store = subject.openStore();
  const streams = ACCOUNTS.map((account) => accountStream(`${name}-${account}`));
  const opened = streams.slice(0, -1);
  const { commands, events: opening } = await openAccounts(store, opened, plan.opening, name);
  for (const event of opening) tell(() => `ada and bob begin with ${eventInWords(event)}`);
  const eras = await keepEras(store, streams, subject.log);
  let calm = false;
  const calls: CommandCall[] = [];
  const reads: ReadCall[] = [];
  const trouble = noTrouble();
  const scheduler = createScheduler(plan.turns);
  const appends = plan.appends.values();
  const failures = plan.reads.values();
  const surroundings: Surroundings = {
    store,
    scheduler,
    trouble,
    tell: (line) => tell(line),
    nextAppend: () => (calm ? 'fine' : (appends.next().value ?? 'fine')),
    nextReadFails: () => !calm && (failures.next().value ?? false),
    commandOf: (id) => {
      const asked = calls.find(({ what }) =>
        Array.from({ length: 9 }).some((_, n) => eventId(what.commandId, n) === id),
      );
      return asked ? `#${asked.what.id}` : 'what comes after';
    },
    arrived: eras.appended,
  };

  const kept: Kept = new Map();
  for (const stream of opened) {
    const past = await readWholeStream(store, stream);
    const events = past.map((stored) => decode(stored).event as AccountEvent);
    const state = events.reduce(evolveAccount, initialAccount());
    const end = { revision: events.length - 1, token: past.at(-1)?.token ?? '' };
    createFrequentSnapshots(kept, surroundings).take(stream, state, end);
  }

  const startLife = (n: number): Life =>
    createLife(n, subject, surroundings, { ...plan, snapshots: createFrequentSnapshots(kept, surroundings) });
  const lives = Array.from({ length: plan.nodes }, (_, n) => startLife(n));
  const lifeOf = (node: number): Life => lives[node] ?? raise(`there is no node ${node}`);
  const streamOf = (account: number): string => streams[account] ?? raise(`there is no account ${account}`);

  const received = createReceived(opened.map(() => opening));

  const answered = <C extends CommandCall | ReadCall>(call: C, answer: C['answer']): void => {
    if (call.state !== 'open') return;
    call.answer = answer;
    call.to = eras.now();
    if (answer && 'kind' in answer && call.from.era === call.to.era) received.add(call.what.account, answer);
    call.state = 'answered';
    tell(() => `node ${call.what.node} answers ${whatOf(call.what)}: ${answerOf(answer)}`);
  };

  /** Runs at some moment, concurrent with other work; later, if there is nothing to undo yet. */
  const rewind = (step: Rewind, patience: number): void => {
    const position = eras.goBack(step.transactions);
    if (position === undefined) {
      if (patience > 0) scheduler.may(() => rewind(step, patience - 1));
      return;
    }
    trouble.rewinds++;
    received.goBack(position);
    tell(() => `the log goes back in time: what came after position ${position} is gone`);
    for (const life of lives) life.logWentBackTo(position);
  };

  const begin = (step: Step): void => {
    if (step.kind === 'restart') {
      tell(() => `node ${step.node} dies, and another takes its place`);
      trouble.restarts++;
      const { calls: broken, die } = lifeOf(step.node);
      die();
      for (const call of broken) if (call.state === 'open') call.state = 'died';
      lives[step.node] = startLife(step.node);
      return;
    }
    if (step.kind === 'rewind') return scheduler.may(() => rewind(step, PATIENCE));
    const life = lifeOf(step.node);
    const stream = streamOf(step.account);
    const [from, answer, state] = [eras.now(), undefined, 'open'] as const;
    const fresh = { from, to: { era: Infinity, position: Infinity }, calm, answer, state };
    if (step.kind === 'read') {
      const call: ReadCall = { ...fresh, what: step };
      reads.push(call);
      life.calls.add(call);
      tell(() => `node ${step.node} is asked to ${whatOf(step)}`);
      life.node.commands.read(stream).then(
        (state) => answered(call, state),
        (error: Error) => answered(call, error),
      );
      return;
    }
    const commandId = `${name}/${step.id}`;
    const command = commands.get(commandId) ?? informed(step.command, received.of(step.account));
    const call: CommandCall = { ...fresh, what: { ...step, command, commandId } };
    commands.set(commandId, command);
    calls.push(call);
    life.calls.add(call);
    tell(() => `node ${step.node} is asked to ${whatOf(call.what)}`);
    life.node.commands.execute(stream, command, metadataOf(commandId), { mayRepeat: step.mayRepeat }).then(
      (outcome) => answered(call, outcome),
      (error: Error) => answered(call, error),
    );
  };

  const carryOut = (steps: readonly Step[]): Promise<void> => {
    const left = [...steps];
    const beginNext = (): void => {
      for (let first = true; left[0] && (first || left[0].together); first = false) begin(left.shift() as Step);
    };
    return scheduler.run(() => (left.length > 0 ? beginNext : undefined));
  };

  await carryOut(plan.steps);
  // After all trouble has ended, every command that was executed, or whose outcome is unknown, is repeated once.
  calm = true;
  tell(() => 'all is calm, and what was done or is not known is asked again');
  const again = new Map<number, Step>();
  for (const { what, answer } of calls) {
    if (answer && !(answer instanceof Error) && (answer.kind === 'refused' || answer.events.length === 0)) continue;
    again.set(what.id, { ...what, node: what.account % plan.nodes, mayRepeat: true, together: true });
  }
  await carryOut([...again.values()]);
  // No account may be blocked on any node.
  const ids = plan.steps.length;
  const small = (node: number, account: number): Ask => ({
    ...{ kind: 'ask', node, account, together: true, mayRepeat: false, id: ids + node * opened.length + account },
    command: topUp(1n, `calm_${node}`),
  });
  await carryOut(lives.flatMap((_, node) => opened.map((_, account) => small(node, account))));
  // Finally all accounts are read on every node. The story contains these reads only if they are wrong.
  tell = () => undefined;
  await carryOut(
    lives.flatMap((_, node) => streams.map((_, account): Read => ({ kind: 'read', node, account, together: true }))),
  );

  const unaware = [...lives.keys()].filter((n) => lifeOf(n).unaware());
  return { eras: await eras.all(), commands, calls, reads, unaware, trouble };
};

/** A process. It compares the log with the part that it has seen, and drops its memory if the log went back in time. */
const createLife = (n: number, subject: Subject, surroundings: Surroundings, options: NodeOptions): Life => {
  const { scheduler, tell } = surroundings;
  const store = subject.openStore();
  let dead = false;
  let unaware = false;

  const compare = async (): Promise<void> => {
    if (dead) return;
    try {
      await store.checkHistory();
    } catch (error) {
      if (!(error instanceof LogWentBack)) throw error;
      scheduler.may(drop);
    }
  };
  const drop = (): void => {
    if (dead) return;
    tell(() => `node ${n} notices that the log went back in time, and compares what it remembers with it`);
    node.commands.recheckAll();
    scheduler.may(() => {
      store.forgetHistory();
      unaware = false;
    });
  };
  const unsure = createUnsureStore({ who: `node ${n}`, store, wentBack: () => scheduler.may(compare) }, surroundings);
  const { cacheSize, retries, snapshots } = options;
  const node = (subject.createNode ?? realNode)(unsure, { cacheSize, retries, snapshots });
  return {
    node,
    calls: new Set(),
    logWentBackTo: (position) => {
      if (store.newest.position > position) unaware = true;
      scheduler.may(compare);
    },
    unaware: () => unaware,
    die: () => {
      dead = true;
      unsure.die();
    },
  };
};

const raise = (why: string): never => {
  throw new Error(why);
};
