import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TERMS_STREAM, termsDecider } from '../../../src/domain/terms/terms.ts';
import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { journal } from '../../../src/eventstore/journal/codec.ts';
import { openLog } from '../../support/stores/log.ts';
import { startOnDatabase } from '../../../src/gateway/health/database-wait.ts';
import { watchLogCopy, type LogCopy } from '../../../src/gateway/health/log-copy.ts';
import { openViews, type Views } from '../../../src/gateway/views.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { SOON } from '../../support/soon.ts';

describe('the age of the copy of the log', () => {
  let opened: LogCopy | undefined;
  afterEach(() => opened?.close());
  const watch = (hasAll: () => Promise<boolean>, limitMs: number, everyMs = 10): LogCopy =>
    (opened = watchLogCopy({ hasAll, limitMs, everyMs }));

  it('starts anew with each comparison that finds the copy complete', async () => {
    const copy = watch(() => Promise.resolve(true), 200);
    await expect.poll(() => copy.isRecent(), SOON).toBe(true);
    await sleep(400);
    expect(copy.isRecent()).toBe(true);
  });

  it('counts from the moment before the log was read, because later events may be missing', async () => {
    const slow = async () => {
      await sleep(150);
      return true;
    };
    const copy = watch(slow, 100);
    expect(await copy.confirm()).toBe(false);
  });

  it('goes on while comparisons find the copy behind, or fail', async () => {
    for (const hasAll of [() => Promise.resolve(false), () => Promise.reject(new StoreUnavailable('no database'))]) {
      const answers: (() => Promise<boolean>)[] = [() => Promise.resolve(true)];
      const copy = watch(() => (answers.shift() ?? hasAll)(), 150);
      await expect.poll(() => copy.isRecent(), SOON).toBe(true);
      await expect.poll(() => copy.isRecent(), SOON).toBe(false);
      await copy.close();
    }
  });

  it('is measured by one comparison for all waiting requests', async () => {
    let comparisons = 0;
    const copy = watch(
      async () => {
        comparisons++;
        await sleep(50);
        return true;
      },
      1000,
      60_000,
    );
    expect(await Promise.all([copy.confirm(), copy.confirm(), copy.confirm()])).toEqual([true, true, true]);
    expect(comparisons).toBe(1);
  });

  it('fails as the log does if the log cannot be read', async () => {
    const copy = watch(() => Promise.reject(new StoreUnavailable('no database')), 1000);
    await expect(copy.confirm()).rejects.toThrow('no database');
    expect(copy.isRecent()).toBe(false);
  });
});

describe('two nodes on one database, if the look-ups of one no longer read the log', () => {
  const LIMIT_MS = 1500;
  let database: TestDatabase;
  let store: ChainedLog;
  let committer: ReturnType<typeof createCommitter>;
  const nodes: Views[] = [];
  const stores: ChainedLog[] = [];
  let stuck = false;
  let letGo = (): void => undefined;

  /** The store of a node whose look-ups get no page while `stuck`. */
  const gated = (inner: ChainedLog): ChainedLog => ({
    ...inner,
    follow: async function* (...asked) {
      for await (const page of inner.follow(...asked)) {
        if (stuck && asked[2]) await new Promise<void>((resolve) => (letGo = resolve));
        yield page;
      }
    },
  });
  const openNode = async (wrap: (inner: ChainedLog) => ChainedLog): Promise<Views> => {
    const inner = openLog(database.url);
    stores.push(inner);
    const log = pino({ level: 'silent' });
    const start = startOnDatabase({ config: { databaseWaitMs: 5000 }, log });
    const views = await openViews({
      ...{ databaseUrl: database.url, store: wrap(inner), copyLimitMs: LIMIT_MS },
      ...start,
    });
    nodes.push(views);
    return views;
  };
  const append = async (version: string): Promise<void> => {
    const terms = createCommands({ store, committer, codec: journal, decider: termsDecider });
    const at = new Date();
    const effectiveAt = new Date(at.getTime() + 3_600_000);
    const outcome = await terms.execute(
      TERMS_STREAM,
      {
        ...{ type: 'PublishTerms', document: 'terms', version, sha256: version, summary: '' },
        ...{ significant: false, effectiveAt, at },
      },
      { actor: 'test', commandId: version },
    );
    expect(outcome.kind).toBe('accepted');
  };

  beforeAll(async () => {
    database = await createMigratedDatabase();
    store = openLog(database.url);
    committer = createCommitter({ store });
    await append('2026-12-01');
  });
  afterAll(async () => {
    letGo();
    await Promise.all(nodes.map((views) => views.close()));
    await committer.close();
    await Promise.all([store, ...stores].map((one) => one.close()));
    await database.drop();
  });

  it('refuses on that node after the limit, accepts on the other, and accepts again once that node reads the log', async () => {
    const broken = await openNode(gated);
    const healthy = await openNode((inner) => inner);
    for (const { logCopy } of [broken, healthy]) await expect.poll(() => logCopy.isRecent(), SOON).toBe(true);
    // An idle log makes no copy old.
    await sleep(LIMIT_MS + 500);
    for (const { logCopy } of [broken, healthy]) expect(logCopy.isRecent() || (await logCopy.confirm())).toBe(true);

    stuck = true;
    await append('2026-12-02');
    await expect.poll(() => broken.logCopy.isRecent(), SOON).toBe(false);
    expect(await broken.logCopy.confirm()).toBe(false);
    expect(await healthy.logCopy.confirm()).toBe(true);
    expect([broken, healthy].map(({ publishedTerms }) => publishedTerms().length)).toEqual([1, 2]);

    stuck = false;
    letGo();
    await expect.poll(() => broken.logCopy.confirm(), SOON).toBe(true);
    expect(broken.publishedTerms()).toHaveLength(2);
  });
});
