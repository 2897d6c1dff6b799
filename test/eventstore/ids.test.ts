import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { derivedId, eventId } from '../../src/eventstore/ids.ts';

// RFC 9562: version 8 in the 13th digit, variant 10 in the 17th.
const uuidV8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the id of an event', () => {
  it('is a UUID for any command id', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(), (commandId, n) => {
        expect(eventId(commandId, n)).toMatch(uuidV8);
      }),
    ));

  it('never changes, so that commands in existing logs are found', () => {
    expect(eventId('019a0000-1234-7abc-8def-0123456789ab/settle', 0)).toBe('019a0000-1234-8a54-811e-de07dd56ab55');
    expect(eventId('creem:evt_1', 1)).toBe('8704e9ab-d14b-873b-8e64-56f9d237f527');
  });

  it('differs for each command and each of its events', () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.string(), fc.nat(9)), { selector: String, minLength: 2 }), (pairs) => {
        const ids = pairs.map(([commandId, n]) => eventId(commandId, n));
        expect(new Set(ids).size).toBe(ids.length);
      }),
    ));

  it('is time-ordered if the command id is', () =>
    fc.assert(
      fc.property(fc.uuid({ version: 7 }), fc.uuid({ version: 7 }), fc.nat(9), (one, other, n) => {
        const ids = [eventId(`${one}/reserve`, n), eventId(`${other}/settle`, n)];
        expect(ids.map((id) => id.slice(0, 13))).toEqual([one.slice(0, 13), other.slice(0, 13)]);
      }),
    ));

  it('takes no time from a UUID without a time', () => {
    const random = 'f47ac10b-58cc-4372-a567-0e02b2c3d479';
    expect(eventId(random, 0).slice(0, 13)).not.toBe(random.slice(0, 13));
  });
});

describe('the id of what a command creates', () => {
  it('is the same for the same command', () => expect(derivedId('lot', 'cmd')).toBe(derivedId('lot', 'cmd')));
  it('never changes', () => expect(derivedId('lot', 'cmd')).toBe('lot_6a03718a4819700b688f7c9f'));
  it('has a prefix for its kind', () => expect(derivedId('key', 'cmd')).toMatch(/^key_[0-9a-f]{24}$/));
  it('differs for other commands and other kinds', () => {
    const ids = [derivedId('lot', 'cmd'), derivedId('lot', 'cmd2'), derivedId('key', 'cmd')];
    expect(new Set(ids.map((id) => id.slice(4))).size).toBe(3);
  });
});
