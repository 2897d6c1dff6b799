import fc from 'fast-check';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carryOutPlan, type Subject } from '../../proofs/prove/history.ts';
import { eventStoreSubject } from '../../proofs/prove/event-store-subject.ts';
import { inMemorySubject } from '../../proofs/prove/in-memory-subject.ts';
import { anyPlan } from '../../proofs/prove/plan.ts';
import { prove } from '../../proofs/prove/proof.ts';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { createPostgresStore, migratePostgresStore } from '../../src/eventstore/postgres/postgres.ts';
import { serverUnderTest, type ServerUnderTest } from '../eventstore/eventstoredb/server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { brokenSubjects } from './broken-subjects.ts';

const inMemory = (): Subject => inMemorySubject();
const anySeed = (): number => Math.floor(Math.random() * 0x7fffffff);
const inShort = (found: object | undefined): string => JSON.stringify(found, null, 2);

describe('concurrent histories on a log that breaks, with processes that die', () => {
  it('come to what the reference ledger says, in memory', async () => {
    const { tally, counterexample } = await prove({ subject: inMemory, histories: 150, seed: anySeed() });
    expect(counterexample, inShort(counterexample)).toBeUndefined();
    // There really was trouble.
    const { clashes, ambiguous, unavailable, restarts, rewinds, snapshots } = tally;
    for (const often of [clashes, ambiguous, unavailable, restarts, rewinds, snapshots]) {
      expect(often).toBeGreaterThan(20);
    }
  });

  describe('on PostgreSQL', () => {
    let database: TestDatabase;
    let store: ChainedLog;
    beforeAll(async () => {
      database = await createTestDatabase();
      await migratePostgresStore(database.url);
      store = createPostgresStore(database.url);
    });
    afterAll(async () => {
      await store.close();
      await database.drop();
    });

    it('come to what the reference ledger says', async () => {
      const { tally, counterexample } = await prove({
        subject: () => ({ openStore: () => store }),
        histories: 12,
        seed: anySeed(),
      });
      expect(counterexample, inShort(counterexample)).toBeUndefined();
      expect(tally.histories).toBe(12);
    });
  });
});

describe('concurrent histories on EventStoreDB, each on a log of its own', () => {
  let server: Awaited<ReturnType<ServerUnderTest['start']>>;
  let database: TestDatabase;
  beforeAll(async () => {
    const { name, start } = await serverUnderTest(process.env);
    process.stderr.write(`histories on ${name}\n`);
    server = await start();
    database = await createTestDatabase();
    await migratePostgresStore(database.url);
  });
  afterAll(async () => {
    await database.drop();
    await server.stop();
  });

  it('come to what the reference ledger says', async () => {
    const { tally, counterexample } = await prove({
      subject: () => eventStoreSubject({ databaseUrl: database.url, eventStoreUrl: server.url }),
      histories: 6,
      seed: anySeed(),
    });
    expect(counterexample, inShort(counterexample)).toBeUndefined();
    expect(tally.histories).toBe(6);
  });
});

describe('npm run prove', () => {
  const run = async (...args: string[]) => {
    const child = spawn(process.execPath, ['proofs/prove.ts', ...args]);
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number]>]);
    return { code, output };
  };

  it('says what the histories went through, and refuses what it does not understand', async () => {
    const [fine, ...wrong] = await Promise.all([
      run('--histories', '10', '--seed', '1'),
      run('--store', 'paper'),
      run('--path', '1:2'),
    ]);
    expect(fine.output).toMatch(/seed 1, memory: 10 histories, \d+ commands; \d+ clashes, \d+ ambiguous commits/);
    expect([fine, ...wrong].map(({ code }) => code)).toEqual([0, 2, 2]);
  });
});

describe('the proof', () => {
  it.each(Object.entries(brokenSubjects))('fails for %s', async (_, subject) => {
    const { counterexample } = await prove({ subject, histories: 300, seed: 1, shrink: false });
    expect(counterexample?.broken).toBeDefined();
  });

  it('of a broken promise is a history as short as can be, which can be carried out again', async () => {
    const subject = brokenSubjects['a cost beyond the hold and the balance that nobody writes off'] ?? inMemory;
    const { counterexample } = await prove({ subject, histories: 300, seed: 1 });
    const { seed = 0, path = '', broken, story = [] } = counterexample ?? {};
    expect(broken).toMatch(
      /the log has (?:LateUsageCharged|HoldSettled) .* where there must be .* and UsageWrittenOff/,
    );
    const calm = story.findIndex((line) => line.includes('all is calm'));
    // The charge, and perhaps a limit of nothing, which is one way not to be able to pay it.
    expect(story.slice(0, calm).filter((line) => line.includes('is asked to')).length).toBeLessThanOrEqual(2);
    const again = await prove({ subject, histories: 300, seed, path, shrink: false });
    expect(again.tally.histories).toBe(1);
    expect(again.counterexample).toEqual({ ...counterexample, shrunk: 0 });
  });

  it('depends on the seed alone, and not on how long anything takes', async () => {
    const stories = async (): Promise<readonly string[]> => {
      const lines: string[] = [];
      for (const plan of fc.sample(anyPlan, { seed: 7, numRuns: 40 })) {
        await carryOutPlan(plan, inMemory(), 'h', (line) => lines.push(line()));
      }
      return lines;
    };
    const once = await stories();
    expect(once.length).toBeGreaterThan(1000);
    expect(await stories()).toEqual(once);
  });
});
