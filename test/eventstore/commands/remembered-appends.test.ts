import { describe, expect, it } from 'vitest';
import type { SliceResult } from '../../../src/eventstore/event-store.ts';
import { createRememberedAppends } from '../../../src/eventstore/remembered-appends.ts';
import { anEvent, idsOf, numbers, slice } from '../logs.ts';

const FREQUENT = new Set(['CreditsReserved']);
const now = (): Date => new Date('2026-01-01T00:00:00Z');

const appended = (firstPosition: number, count: number): SliceResult => ({
  ...{ kind: 'appended', time: new Date(0) },
  written: numbers(firstPosition, count).map((position) => ({ position, token: `token ${position}` })),
});

describe('remembered appends', () => {
  it('are the durable ones, each with its place', () => {
    const remembered = createRememberedAppends(FREQUENT, now);
    const [a, b, c] = [anEvent(), anEvent(), anEvent()];
    remembered.add(
      [slice('one', 4, a, b), slice('two', -1, c), slice('three', 0)],
      [appended(10, 2), { kind: 'clash' }, appended(0, 0)],
    );
    expect(remembered.all()).toMatchObject([
      { id: a.id, stream: 'one', revision: 5, position: 10 },
      { id: b.id, stream: 'one', revision: 6, position: 11 },
    ]);
  });

  it('are returned as they were written, whatever characters their data has', () => {
    const remembered = createRememberedAppends(FREQUENT, now);
    const event = anEvent({
      type: 'KeyIssued',
      version: 2,
      data: JSON.stringify({ name: 'a b\nc ✓ "quoted" \u0000' }),
    });
    remembered.add([slice('account-acc_1', -1, event)], [appended(7, 1)]);
    const { id, type, version, data } = event;
    const place = { position: 7, stream: 'account-acc_1', revision: 0, time: new Date(0) };
    expect(remembered.all()).toEqual([{ ...place, id, type, version, data }]);
  });

  it('are bounded, and events of frequent types do not displace the others', () => {
    const remembered = createRememberedAppends(FREQUENT, now, 10_000);
    const issued = anEvent({ type: 'KeyIssued' });
    remembered.add([slice('one', -1, issued)], [appended(1, 1)]);
    const held = numbers(0, 1000).map(() => anEvent({ type: 'CreditsReserved' }));
    held.forEach((event, n) => remembered.add([slice('one', n, event)], [appended(n + 2, 1)]));
    const all = remembered.all();
    expect(all.length).toBeLessThan(100);
    expect(all[0]?.id).toBe(issued.id);
    expect(all.at(-1)?.id).toBe(held.at(-1)?.id);
  });

  it('are forgotten by their ids', () => {
    const remembered = createRememberedAppends(FREQUENT, now);
    const events = numbers(0, 3).map(() => anEvent());
    remembered.add([slice('one', -1, ...events)], [appended(1, 3)]);
    remembered.forget(new Set(idsOf(events.slice(1))));
    expect(idsOf(remembered.all())).toEqual(idsOf(events.slice(0, 1)));
  });
});
