import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replyBy } from '../../../src/domain/contacts/business-days.ts';

const due = (openedAt: string): string => new Date(replyBy(new Date(openedAt))).toISOString();

describe('the time until which a contact must be answered', () => {
  it.each([
    ['Monday', '2026-11-30T10:00:00.000Z', '2026-12-03T10:00:00.000Z'],
    ['Tuesday', '2026-12-01T10:00:00.000Z', '2026-12-04T10:00:00.000Z'],
    ['Wednesday, over a weekend', '2026-12-02T10:00:00.000Z', '2026-12-07T10:00:00.000Z'],
    ['Thursday', '2026-12-03T23:59:59.999Z', '2026-12-08T23:59:59.999Z'],
    ['Friday', '2026-12-04T15:00:00.000Z', '2026-12-09T15:00:00.000Z'],
    ['Saturday, from Monday on', '2026-12-05T00:00:00.000Z', '2026-12-10T00:00:00.000Z'],
    ['Sunday, from Monday on', '2026-12-06T23:59:59.999Z', '2026-12-10T00:00:00.000Z'],
    ['the end of a year', '2026-12-31T12:00:00.000Z', '2027-01-05T12:00:00.000Z'],
  ])('is three business days after %s', (_, openedAt, answered) => expect(due(openedAt)).toBe(answered));

  it('is never on a weekend, is three to five days later, and never earlier for a later contact', () => {
    const time = fc.date({ min: new Date(0), max: new Date('2999-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(time, fc.nat(10 * 24 * 60 * 60 * 1000), (at, later) => {
        const by = replyBy(at);
        expect([1, 2, 3, 4, 5]).toContain(new Date(by).getUTCDay());
        expect(by - at.getTime()).toBeGreaterThanOrEqual(3 * 24 * 60 * 60 * 1000);
        expect(by - at.getTime()).toBeLessThanOrEqual(5 * 24 * 60 * 60 * 1000);
        expect(replyBy(new Date(at.getTime() + later))).toBeGreaterThanOrEqual(by);
      }),
    );
  });
});
