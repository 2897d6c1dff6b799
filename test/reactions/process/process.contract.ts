import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processStream } from '../../../src/domain/reactions/parked-reactions.ts';
import { decodeEvent } from '../../../src/eventstore/journal/codec.ts';
import { reactionCommandId, startProcess, type ProcessOptions, type Reaction } from '../../../src/reactions/process.ts';
import { copyDatabase } from '../../support/postgres/database-copy.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { startProcess as startChild, type Started } from '../../support/process.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { usesEventStoreDb } from '../../support/stores/store-env.ts';
import { openNode, type ProcessNode, type Subject } from './subject.ts';

const STEPS_OF_ANY = ['before the reaction', 'before the checkpoint', 'after the checkpoint'];
const STEPS_OF_PARKING = ['before parking', 'after parking'];

let database: TestDatabase;
let node: ProcessNode;
let closing: (() => Promise<unknown>)[] = [];

const opened = (one = openNode(database.url)): ProcessNode => {
  closing.push(one.close);
  return one;
};

/** A node in a process of its own, which kills itself at the step. */
const spawn = async (module: URL, step = ''): Promise<Started> => {
  const file = new URL('./node.ts', import.meta.url).pathname;
  const child = await startChild(file, [module.href, step], { NODE_DATABASE_URL: database.url }, /running/);
  closing.push(() => child.stop('SIGKILL'));
  return child;
};

/** Starts the process in this one. The reports that it made are in `reports`. */
const start = (subject: Subject, on: ProcessNode, over: Partial<ProcessOptions> = {}) => {
  const reports: { parked: unknown[]; rewound: unknown[]; failed: unknown[] } = { parked: [], rewound: [], failed: [] };
  const running = startProcess({
    ...on,
    process: subject.process(on),
    parked: (reaction) => reports.parked.push(reaction),
    failed: (error) => reports.failed.push(error),
    rewound: (...places) => reports.rewound.push(places),
    ...over,
  });
  closing.push(running.close);
  return { running, reports };
};

const expected = ({ commands }: Subject, ...causes: readonly number[]): readonly string[] =>
  causes.flatMap((n) => Array.from({ length: commands }, (_, command) => `${n}/${command}`)).sort();

const effects = async (subject: Subject): Promise<readonly string[]> => [...(await subject.effects(node))].sort();

/** Waits for the effects, and then until the checkpoint is behind them: nothing more is to come. */
const settled = async (subject: Subject, ...wanted: readonly string[]): Promise<void> => {
  await expect.poll(() => effects(subject), SOON).toEqual([...wanted].sort());
  const head = await node.store.head();
  await expect
    .poll(async () => checkpoint(), { ...SOON, timeout: 30_000 })
    .toBeGreaterThanOrEqual(await lastCause(subject, head));
  expect(await effects(subject)).toEqual([...wanted].sort());
};

const lastCause = async (subject: Subject, head: number): Promise<number> => {
  const causes = await node.store.readAll(0, head, [...subject.process(node).types]);
  return causes.at(-1)?.position ?? 0;
};

const checkpoint = async (): Promise<number> => {
  const rows = await query<{ at: string | null }>(database.url, 'select max(position) as at from process_checkpoints');
  return Number(rows[0]?.at ?? 0);
};

const parkedEvents = async (subject: Subject): Promise<readonly string[]> =>
  (await node.store.readStream(processStream(subject.process(node).name), 0, 1000)).map(({ type }) => type);

/** The contract of every process. `module` exports the subject, for the nodes that are killed. */
export const describeProcess = (title: string, subject: Subject, module: URL): void => {
  beforeEach(async () => {
    database = await createMigratedDatabase();
    node = opened();
    await subject.prepare(node);
  });
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
    closing = [];
    await database.drop();
  });

  describe(title, () => {
    describeKills(subject, module);
    describeNodes(subject, module);
    if (subject.refusals) describeRefusals(subject, subject.refusals);
    describeFaults(subject);
    describeRewinds(subject);
  });
};

const describeKills = (subject: Subject, module: URL): void => {
  const ofCommands = Array.from({ length: subject.commands }, (_, n) => [`before command ${n}`, `after command ${n}`]);

  it.each([...STEPS_OF_ANY, ...ofCommands.flat()])('has each effect once if it is killed %s', async (step) => {
    for (const n of [1, 2, 3]) await subject.cause(node, n);
    const first = await spawn(module, step);
    await expect.poll(() => first.hasEnded(), SOON).toBe(true);
    await subject.cause(node, 4);
    start(subject, opened());
    await settled(subject, ...expected(subject, 1, 2, 3, 4));
  });

  const { refusals } = subject;
  if (!refusals) return;
  it.each(STEPS_OF_PARKING)('parks a refused command once if it is killed %s', async (step) => {
    await refusals.cause(node, 1);
    const first = await spawn(module, step);
    await expect.poll(() => first.hasEnded(), SOON).toBe(true);
    await subject.cause(node, 2);
    start(subject, opened());
    const refused = expected(subject, 1).filter((effect) => effect !== `1/${subject.commands - 1}`);
    await settled(subject, ...refused, ...expected(subject, 2));
    expect(await parkedEvents(subject)).toEqual(['ReactionParked']);
  });
};

const describeNodes = (subject: Subject, module: URL): void => {
  it('runs on one node, and on another within seconds after that one is stopped or closed', async () => {
    const first = await spawn(module);
    await subject.cause(node, 1);
    await settled(subject, ...expected(subject, 1));
    const { running } = start(subject, opened());
    await sleep(1500);
    expect(running.status.leads).toBe(false);

    process.kill(first.pid, 'SIGSTOP');
    await subject.cause(node, 2);
    await expect.poll(() => running.status.leads, SOON).toBe(true);
    await settled(subject, ...expected(subject, 1, 2));
    process.kill(first.pid, 'SIGCONT');
    await subject.cause(node, 3);
    await settled(subject, ...expected(subject, 1, 2, 3));

    await running.close();
    await subject.cause(node, 4);
    await settled(subject, ...expected(subject, 1, 2, 3, 4));
  });
};

const describeRefusals = (subject: Subject, refusals: NonNullable<Subject['refusals']>): void => {
  it('parks a command that is refused, goes on, and sends it again when it is resumed', async () => {
    const { running, reports } = start(subject, opened());
    await refusals.cause(node, 1);
    await subject.cause(node, 2);
    const last = subject.commands - 1;
    const without = expected(subject, 1, 2).filter((effect) => effect !== `1/${last}`);
    await settled(subject, ...without);
    await expect.poll(() => reports.parked, SOON).toHaveLength(1);
    expect(running.status.parked).toBe(1);

    const stream = processStream(subject.process(node).name);
    const [stored] = await node.store.readStream(stream, 0, 10);
    const parked = stored && decodeEvent(stored);
    if (parked?.type !== 'ReactionParked') throw new Error('nothing is parked');
    expect(reports.parked).toEqual([
      expect.objectContaining({ eventId: parked.eventId, command: last, refusal: parked.refusal }),
    ]);
    const { eventId, stream: of, command } = parked;
    const resume = (commandId: string) =>
      node.reactions.execute(
        stream,
        { type: 'ResumeReaction', eventId, stream: of, command, reason: 'corrected' },
        { actor: 'admin', commandId },
      );

    await resume('resume-1');
    await expect
      .poll(() => parkedEvents(subject), SOON)
      .toEqual(['ReactionParked', 'ReactionResumed', 'ReactionParked']);
    await refusals.allow(node);
    await resume('resume-2');
    await settled(subject, ...expected(subject, 1, 2));
    expect(running.status.parked).toBe(0);
  });
};

const describeFaults = (subject: Subject): void => {
  it('retries a command that fails, blocks only its stream, and keeps the checkpoint before it', async () => {
    const on = opened();
    let broken = true;
    const flaky = subject.process(on);
    await subject.cause(node, 1);
    const stuckAt = await node.store.head();
    const { running, reports } = start(subject, on, {
      process: {
        ...flaky,
        react: async (fact) => {
          const reactions = await flaky.react(fact);
          const fail: Reaction = () => Promise.reject(new Error('the world fails'));
          return fact.position === stuckAt && broken ? reactions.map(() => fail) : reactions;
        },
      },
    });
    await subject.cause(node, 2);
    await expect.poll(() => effects(subject), SOON).toEqual(expected(subject, 2));
    await expect.poll(() => reports.failed.length, SOON).toBeGreaterThan(2);
    expect(running.status).toMatchObject({ leads: true, stuck: 1, position: stuckAt - 1 });
    expect(await checkpoint()).toBeLessThan(stuckAt);
    broken = false;
    await settled(subject, ...expected(subject, 1, 2));
    expect(running.status.stuck).toBe(0);
  });

  it('retries a reaction that is not ready yet, blocks only its stream, and reports no failure', async () => {
    const on = opened();
    const patient = subject.process(on);
    await subject.cause(node, 1);
    const waitsAt = await node.store.head();
    let hasEnded = false;
    let asked = 0;
    const { running, reports } = start(subject, on, {
      process: {
        ...patient,
        react: async (fact) => {
          const reactions = await patient.react(fact);
          if (fact.position !== waitsAt || hasEnded) return reactions;
          asked++;
          return reactions.map((): Reaction => () => Promise.resolve({ kind: 'not_yet' }));
        },
      },
    });
    await subject.cause(node, 2);
    await expect.poll(() => effects(subject), SOON).toEqual(expected(subject, 2));
    await expect.poll(() => asked, SOON).toBeGreaterThan(1);
    expect(running.status).toMatchObject({ leads: true, stuck: 0, position: waitsAt - 1 });
    hasEnded = true;
    await settled(subject, ...expected(subject, 1, 2));
    expect([reports.failed, running.status.parked]).toEqual([[], 0]);
  });

  it('begins at its first start if it reacts to nothing older', async () => {
    await subject.cause(node, 1);
    const on = opened();
    const { running } = start(subject, on, { process: { ...subject.process(on), from: 'now' } });
    await expect.poll(() => running.status.leads, SOON).toBe(true);
    await running.close();
    // Written while no node runs it: the first start counts, not the last.
    await subject.cause(node, 2);
    start(subject, on, { process: { ...subject.process(on), from: 'now' } });
    await settled(subject, ...expected(subject, 2));
  });

  it('sends commands whose ids depend only on the process, the event and the number', () => {
    const id = reactionCommandId('one', 'event', 0);
    expect(reactionCommandId('one', 'event', 0)).toBe(id);
    const others = [reactionCommandId('two', 'event', 0), reactionCommandId('one', 'event', 1)];
    expect(new Set([id, ...others]).size).toBe(3);
  });
};

/** They put the log back, which only a log that PostgreSQL commits can be: a copy is made complete again. */
const describeRewinds = (subject: Subject): void => {
  it.skipIf(usesEventStoreDb()).each([
    ['with the log', false],
    ['while the checkpoint is ahead', true],
  ])('reacts to the events after the place where a log diverges, %s', async (_, isAhead) => {
    const on = opened();
    const { running, reports } = start(subject, on);
    await subject.cause(node, 1);
    await settled(subject, ...expected(subject, 1));
    await running.close();
    const copy = await copyDatabase(database.url);
    const again = start(subject, on);
    await subject.cause(node, 2);
    await settled(subject, ...expected(subject, 1, 2));
    const rows = await query(database.url, 'select * from process_checkpoints');

    // As the gateway does it: what is in memory is dropped before appends are accepted again.
    await copy.putBack();
    if (isAhead) {
      for (const row of rows) {
        const { process: name, position, hash } = row as Record<string, unknown>;
        await query(
          database.url,
          'insert into process_checkpoints (process, position, hash) values ($1, $2, $3) on conflict do nothing',
          [name, position, hash],
        );
      }
    }
    await again.running.restart();
    for (const one of [on, node]) one.store.forgetHistory();
    for (const n of [3, 4, 5]) await subject.cause(node, n);
    await settled(subject, ...expected(subject, 1, 3, 4, 5));
    expect(again.reports.rewound).toHaveLength(isAhead ? 1 : 0);
    expect(reports.rewound).toEqual([]);
  });
};
