import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carryOutPlan } from '../../proofs/prove/history.ts';
import { anyPlan } from '../../proofs/prove/plan.ts';
import { prove } from '../../proofs/prove/proof.ts';
import type { EventStore } from '../../src/eventstore/event-store.ts';
import { createInMemoryStore } from '../../src/eventstore/in-memory.ts';
import { createPostgresStore, migratePostgresStore } from '../../src/eventstore/postgres.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { brokenSubjects } from './broken-subjects.ts';

const inMemory = () => ({ store: createInMemoryStore() });
const anySeed = (): number => Math.floor(Math.random() * 0x7fffffff);
const inShort = (found: object | undefined): string => JSON.stringify(found, null, 2);

describe('concurrent histories on a log that breaks, with processes that die', () => {
  it('come to what the reference ledger says, in memory', async () => {
    const { tally, counterexample } = await prove({ subject: inMemory, histories: 200, seed: anySeed() });
    expect(counterexample, inShort(counterexample)).toBeUndefined();
    // There really was trouble.
    for (const often of [tally.clashes, tally.ambiguous, tally.unavailable, tally.restarts]) {
      expect(often).toBeGreaterThan(20);
    }
  });

  describe('on PostgreSQL', () => {
    let database: TestDatabase;
    let store: EventStore;
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
      const { tally, counterexample } = await prove({ subject: () => ({ store }), histories: 12, seed: anySeed() });
      expect(counterexample, inShort(counterexample)).toBeUndefined();
      expect(tally.histories).toBe(12);
    });
  });
});

describe('the proof', () => {
  it.each(Object.entries(brokenSubjects))('fails for %s', async (_, subject) => {
    const { counterexample } = await prove({ subject, histories: 300, seed: 1, shrink: false });
    expect(counterexample?.broken).toBeDefined();
  });

  it('of a broken promise is a history made short, which can be carried out again', async () => {
    const subject = brokenSubjects['a reservation that exceeds the balance by one nano-dollar'] ?? inMemory;
    const { counterexample } = await prove({ subject, histories: 300, seed: 2 });
    const { seed = 0, path = '', broken, story = [] } = counterexample ?? {};
    expect(broken).toMatch(/the log has CreditsReserved req_\d.* which must be refused/);
    expect(story.filter((line) => line.includes('is asked to')).length).toBeLessThan(12);
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
