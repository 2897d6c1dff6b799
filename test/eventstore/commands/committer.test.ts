import { beforeEach, describe, expect, it } from 'vitest';
import {
  createCommitter,
  RevisionClash,
  type Committed,
  type Committer,
  type StreamEnd,
} from '../../../src/eventstore/committer.ts';
import { LogWentBack } from '../../../src/eventstore/chained-log.ts';
import { EMPTY_STREAM, StoreFull, StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { createHeldStore, type HeldAppend, type HeldStore } from './held-store.ts';
import { anEvent, idsOf, numbers, someEvents } from '../logs.ts';

let store: HeldStore;
let committer: Committer;
/** The streams of the appends that failed, in the order in which they were told. */
let failed: string[];
/** How the store was said to feel; undefined for well. */
let feelings: (string | undefined)[];

beforeEach(() => {
  store = createHeldStore();
  committer = createCommitter({ store, maxRetries: 3, retryMs: 0, changed: (fault) => feelings.push(fault?.message) });
  failed = [];
  feelings = [];
  ends = new Map();
});

/** Where each stream ends, by revision: an append is decided on the end that the one before it leads to. */
let ends: Map<string, StreamEnd>;

const append = (stream: string, revision: number, count: number, failed: () => void): Promise<Committed> => {
  const endAt = (at: number, token?: string): StreamEnd => {
    const end = ends.get(`${stream}@${at}`) ?? { revision: at, token };
    ends.set(`${stream}@${at}`, end);
    return end;
  };
  const [expected, end] = [endAt(revision, `read ${revision}`), endAt(revision + count)];
  return committer.commit({ stream, expected, end, events: someEvents(count), failed });
};

const commit = (stream: string, revision: number, count = 1): Promise<Committed> => {
  const commitment = append(stream, revision, count, () => failed.push(`${stream}@${revision}`));
  commitment.catch(() => undefined); // Each test looks at those that it cares for.
  return commitment;
};

const shapeOf = ({ slices }: HeldAppend) =>
  slices.map(({ stream, expected, events }) => [stream, expected.revision, events.length]);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('appends of one turn of the event loop', () => {
  it('form one batch with one slice per stream', async () => {
    const commits = [commit('a', -1, 2), commit('b', 4), commit('a', 1), commit('a', 2, 3), commit('b', 5)];
    const append = await store.nth(0);
    expect(shapeOf(append)).toEqual([
      ['a', -1, 6],
      ['b', 4, 2],
    ]);
    append.accept();
    const positions = (await Promise.all(commits)).map(({ position }) => position);
    expect(positions).toEqual([2, 7, 3, 6, 8]);
    expect(store.appends).toHaveLength(1);
  });

  it('include those that are added later in the same turn', async () => {
    const first = commit('a', -1);
    await Promise.resolve();
    const second = commit('a', 0);
    await Promise.resolve();
    const third = commit('b', -1);
    const append = await store.nth(0);
    expect(shapeOf(append)).toEqual([
      ['a', -1, 2],
      ['b', -1, 1],
    ]);
    append.accept();
    await Promise.all([first, second, third]);
  });

  it('keeps the events in order', async () => {
    const events = numbers(0, 3).map(() => someEvents(2));
    let expected: StreamEnd = { revision: -1, token: '' };
    for (const some of events) {
      const end: StreamEnd = { revision: expected.revision + 2, token: undefined };
      void committer.commit({ stream: 'a', expected, end, events: some, failed: () => undefined });
      expected = end;
    }
    const { slices, accept } = await store.nth(0);
    expect(idsOf(slices[0]?.events ?? [])).toEqual(idsOf(events.flat()));
    accept();
  });

  it('set the expected token from the answer to the append before', async () => {
    const commits = [commit('a', 3, 2), commit('a', 5), commit('b', -1)];
    const first = await store.nth(0);
    expect(first.slices[0]?.expected).toEqual({ revision: 3, token: 'read 3' });
    commits.push(commit('a', 6));
    first.accept();
    const next = await store.nth(1);
    expect(next.slices.map(({ expected }) => expected)).toEqual([{ revision: 6, token: 'token 3' }]);
    expect([ends.get('a@5')?.token, ends.get('b@0')?.token]).toEqual(['token 2', 'token 4']);
    next.accept();
    await Promise.all(commits);
  });

  it('are not merged if they were decided on different states', async () => {
    const first = commit('a', 3, 2);
    const rival = commit('a', 3);
    const other = commit('b', -1);
    const append = await store.nth(0);
    expect(shapeOf(append)).toEqual([['a', 3, 2]]);
    append.accept();
    await first;
    const next = await store.nth(1);
    expect(shapeOf(next)).toEqual([
      ['a', 3, 1],
      ['b', -1, 1],
    ]);
    next.accept('a');
    await expect(rival).rejects.toBeInstanceOf(RevisionClash);
    await other;
  });

  it('are split if they exceed one batch', async () => {
    const commits = numbers(0, 5).map((n) => commit(`s${n}`, -1, 900));
    for (const n of numbers(0, 3)) {
      const append = await store.nth(n);
      expect(shapeOf(append).map(([stream]) => stream)).toEqual(
        [`s${2 * n}`, `s${2 * n + 1}`].slice(0, n === 2 ? 1 : 2),
      );
      append.accept();
    }
    await Promise.all(commits);
  });

  it('are not merged into a slice that is larger than EventStoreDB accepts', async () => {
    const [start, middle, end] = [EMPTY_STREAM, { revision: 0, token: undefined }, { revision: 1, token: undefined }];
    const large = (expected: StreamEnd, end: StreamEnd): Promise<Committed> => {
      const events = [anEvent({ data: JSON.stringify('x'.repeat(300_000)) })];
      return committer.commit({ stream: 'a', expected, end, events, failed: () => undefined });
    };
    const commits = [large(start, middle), large(middle, end)];
    expect(shapeOf(await store.nth(0))).toEqual([['a', -1, 1]]);
    (await store.nth(0)).accept();
    expect(shapeOf(await store.nth(1))).toEqual([['a', 0, 1]]);
    (await store.nth(1)).accept();
    expect(await Promise.all(commits)).toHaveLength(2);
  });

  it('form a batch alone if one append exceeds it', async () => {
    const commits = [commit('small', -1), commit('huge', -1, 5000), commit('small', 0)];
    for (const n of numbers(0, 3)) (await store.nth(n)).accept();
    await Promise.all(commits);
    expect(store.appends.map(shapeOf)).toEqual([[['small', -1, 1]], [['huge', -1, 5000]], [['small', 0, 1]]]);
  });

  it('may have no events, to check the end of a stream', async () => {
    const commits = [commit('a', 4, 0), commit('a', 4, 2), commit('a', 6, 0)];
    const append = await store.nth(0);
    expect(shapeOf(append)).toEqual([['a', 4, 2]]);
    append.accept();
    await Promise.all(commits);
  });
});

describe('appends that arrive while a batch is under way', () => {
  it('form the next batch', async () => {
    const first = commit('a', -1);
    const append = await store.nth(0);
    const later = [commit('a', 0), commit('b', -1), commit('a', 1)];
    await turn();
    expect(store.appends).toHaveLength(1);
    append.accept();
    await first;
    const next = await store.nth(1);
    expect(shapeOf(next)).toEqual([
      ['a', 0, 2],
      ['b', -1, 1],
    ]);
    next.accept();
    expect((await Promise.all(later)).map(({ position }) => position)).toEqual([2, 4, 3]);
  });

  it('are sent immediately if nothing is under way', async () => {
    for (const n of numbers(0, 3)) {
      const one = commit('a', n - 1);
      (await store.nth(n)).accept();
      await one;
      await turn();
    }
  });
});

describe('a clash', () => {
  it('fails everything that was decided on top of it, even if it would fit by accident', async () => {
    const first = commit('a', -1);
    const append = await store.nth(0);
    const queued = [commit('a', 0), commit('b', -1), commit('a', 1)];
    append.accept('a');
    await expect(first).rejects.toBeInstanceOf(RevisionClash);
    await expect(queued[0]).rejects.toBeInstanceOf(RevisionClash);
    await expect(queued[2]).rejects.toBeInstanceOf(RevisionClash);
    const next = await store.nth(1);
    expect(shapeOf(next)).toEqual([['b', -1, 1]]);
    next.accept();
    await queued[1];
    await committer.close();
    expect(store.appends).toHaveLength(2);
    expect(failed).toEqual(['a@-1', 'a@0', 'a@1']);
  });

  it('fails all parts of the slice', async () => {
    const commits = [commit('a', -1), commit('a', 0), commit('b', -1)];
    (await store.nth(0)).accept('a');
    const outcomes = await Promise.allSettled(commits);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });

  it('calls failed synchronously, so that nothing more is decided on a void state', async () => {
    const order: string[] = [];
    const tell = (what: string) => () => void order.push(what);
    const appendOf = (revision: number, name: string) =>
      append('a', revision, 1, tell(`${name} failed`)).catch(tell(`${name} heard of it`));
    const first = appendOf(-1, 'first');
    const held = await store.nth(0);
    const second = appendOf(0, 'second');
    held.accept('a');
    await Promise.all([first, second]);
    expect(order).toEqual(['first failed', 'second failed', 'first heard of it', 'second heard of it']);
  });

  it('leaves the stream usable for the next decision', async () => {
    const first = commit('a', -1);
    (await store.nth(0)).accept('a');
    await expect(first).rejects.toMatchObject({ code: 'revision_clash', ambiguous: false });
    const again = commit('a', 5);
    (await store.nth(1)).accept();
    await again;
  });
});

describe('a store that is unavailable', () => {
  const broken = new StoreUnavailable('no answer');

  it('is asked again with the same batch', async () => {
    const commits = [commit('a', -1), commit('b', -1)];
    (await store.nth(0)).fail(broken);
    const again = await store.nth(1);
    expect(again.slices).toEqual(store.appends[0]?.slices);
    again.accept();
    await Promise.all(commits);
    expect(failed).toEqual([]);
  });

  it('makes a later clash ambiguous, because the first try may have been written', async () => {
    const first = commit('a', -1);
    (await store.nth(0)).fail(broken);
    (await store.nth(1)).accept('a');
    await expect(first).rejects.toMatchObject({ code: 'revision_clash', ambiguous: true });
  });

  it('is not asked again if the log went back in time, because nothing was written', async () => {
    const first = commit('a', -1);
    (await store.nth(0)).fail(new LogWentBack({ position: 7, hash: 'seen' }));
    await expect(first).rejects.toBeInstanceOf(LogWentBack);
    expect([store.appends.length, failed]).toEqual([1, ['a@-1']]);
  });

  it('reports an unknown outcome if the log went back in time after a try without an answer', async () => {
    const first = commit('a', -1);
    (await store.nth(0)).fail(broken);
    (await store.nth(1)).fail(new LogWentBack({ position: 7, hash: 'seen' }));
    await expect(first).rejects.toMatchObject({ name: 'StoreUnavailable' });
  });

  it('fails the batch after the last try, and everything on top of it', async () => {
    const first = commit('a', -1);
    const append = await store.nth(0);
    const queued = [commit('a', 0), commit('b', -1)];
    append.fail(broken);
    for (const n of numbers(1, 3)) (await store.nth(n)).fail(broken);
    await expect(first).rejects.toBe(broken);
    await expect(queued[0]).rejects.toBe(broken);
    expect(failed).toEqual(['a@-1', 'a@0']);
    const next = await store.nth(4);
    expect(shapeOf(next)).toEqual([['b', -1, 1]]);
    next.accept();
    await queued[1];
  });

  it('is not asked again after another error', async () => {
    const first = commit('a', -1);
    const bug = new TypeError('a bug');
    (await store.nth(0)).fail(bug);
    await expect(first).rejects.toBe(bug);
    expect(failed).toEqual(['a@-1']);
    const next = commit('a', -1);
    (await store.nth(1)).accept();
    await next;
  });
});

describe('a store that is full', () => {
  const full = new StoreFull('no room');
  const broken = new StoreUnavailable('no answer');

  it('is not asked again, and all callers are rejected immediately', async () => {
    const first = commit('a', -1);
    const append = await store.nth(0);
    const queued = commit('a', 0);
    append.fail(full);
    await expect(first).rejects.toBe(full);
    await expect(queued).rejects.toBe(full);
    expect(failed).toEqual(['a@-1', 'a@0']);
    const next = commit('a', -1);
    (await store.nth(1)).accept();
    await next;
  });

  it('does not deny an earlier try, which may have been written', async () => {
    const first = commit('a', -1);
    (await store.nth(0)).fail(broken);
    (await store.nth(1)).fail(full);
    const fault: unknown = await first.catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(StoreUnavailable);
    expect(fault).not.toBeInstanceOf(StoreFull);
    expect(fault).toMatchObject({ message: 'no room', cause: full });
  });

  it('is reported once, and its recovery as well', async () => {
    for (const [n, fault] of [undefined, full, full, broken, undefined, undefined].entries()) {
      // What is broken is asked again, so the next turn is its second try.
      if (n !== 4) void commit('a', -1);
      const append = await store.nth(n);
      if (fault) append.fail(fault);
      else append.accept();
      await turn();
    }
    expect(feelings).toEqual(['no room', 'no answer', undefined]);
  });
});

describe('close', () => {
  it('waits for the appends that were handed over', async () => {
    const first = commit('a', -1);
    const append = await store.nth(0);
    const second = commit('a', 0);
    let closed = false;
    const closing = committer.close().then(() => (closed = true));
    append.accept();
    await first;
    const next = await store.nth(1);
    expect(closed).toBe(false);
    next.accept();
    await second;
    await closing;
    expect(store.appends).toHaveLength(2);
  });

  it('accepts no more', async () => {
    await committer.close();
    await expect(commit('a', -1)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(failed).toEqual(['a@-1']);
    await turn();
    expect(store.appends).toHaveLength(0);
  });
});
