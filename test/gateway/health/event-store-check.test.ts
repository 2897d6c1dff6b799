import { describe, expect, it, vi } from 'vitest';
import { StoreFull, StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { eventStoreCheck, type EventStoreStore } from '../../../src/gateway/health/event-store-check.ts';

/** A node where all is well, but for what a test changes. */
const node = () => {
  const is = {
    copyLag: { events: 0, ms: 0 },
    alarm: undefined as EventStoreStore['standing']['alarm'],
    answers: vi.fn((_: { append: boolean }) => Promise.resolve()),
    appends: { fault: undefined as Error | undefined, waitingMs: 0, succeededMs: Infinity },
  };
  const store: EventStoreStore = {
    get copyLag() {
      return is.copyLag;
    },
    standing: {
      get alarm() {
        return is.alarm;
      },
      answers: (question) => is.answers(question),
    },
  };
  const { look } = eventStoreCheck(store, () => is.appends);
  return { is, look };
};

const fine = { ok: true, behind: 0, behind_ms: 0 };

describe('the check of EventStoreDB', () => {
  it('succeeds while it answers, and appends nothing', async () => {
    const { is, look } = node();
    expect(await look()).toEqual(fine);
    expect(is.answers).toHaveBeenCalledExactlyOnceWith({ append: false });
  });

  it.each([
    [new StoreUnavailable('away at secret@host'), 'EventStoreDB cannot be reached'],
    [new StoreFull('full'), 'the disk of EventStoreDB is full'],
  ])('fails if it does not answer: %s', async (fault, reason) => {
    const { is, look } = node();
    is.answers.mockRejectedValueOnce(fault);
    expect(await look()).toEqual({ ...fine, ok: false, reason });
    expect(await look()).toEqual(fine);
  });

  it('fails if an append waits for its answer', async () => {
    const { is, look } = node();
    is.appends = { ...is.appends, waitingMs: 3000 };
    expect(await look()).toMatchObject({ ok: false, reason: 'EventStoreDB does not answer appends' });
  });

  it('fails after an append has failed, until one could be made again, without requests', async () => {
    const { is, look } = node();
    is.appends = { ...is.appends, fault: new StoreUnavailable('away') };
    is.answers.mockRejectedValueOnce(new StoreUnavailable('read-only'));
    expect(await look()).toMatchObject({ ok: false, reason: 'EventStoreDB takes no appends' });
    expect(await look()).toEqual(fine);
    expect(await look()).toEqual(fine);
    expect(is.answers.mock.calls.map(([{ append }]) => append)).toEqual([true, true, false]);
  });

  it('shows how far the copy is behind, and fails when holds are refused for that', async () => {
    const { is, look } = node();
    is.copyLag = { events: 3, ms: 4999.6 };
    expect(await look()).toEqual({ ok: true, behind: 3, behind_ms: 5000 });
    is.copyLag = { events: 9, ms: 5001 };
    expect(await look()).toEqual({
      ...{ ok: false, reason: 'the copy of the log in PostgreSQL is behind' },
      ...{ behind: 9, behind_ms: 5001 },
    });
  });

  it.each([
    ['other_history', 'the streams in EventStoreDB do not continue what was copied'],
    ['metadata_set', 'the metadata of a stream in EventStoreDB limit it'],
  ] as const)('fails on the alarm %s', async (alarm, reason) => {
    const { is, look } = node();
    is.alarm = alarm;
    expect(await look()).toEqual({ ...fine, ok: false, reason });
  });
});
