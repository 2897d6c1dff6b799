import type { RecordedEvent } from '@eventstore/db-client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ForeignEvent,
  openEvent,
  sealEvent,
  type Sealing,
} from '../../../src/eventstore/eventstoredb/connection/envelope.ts';
import type { NewEvent } from '../../../src/eventstore/event-store.ts';
import { contentHash } from '../../../src/eventstore/integrity/chain.ts';
import { expectedToken } from '../integrity/expected-hash.ts';
import { anEvent } from '../logs.ts';

const PREFIX = 'kissapi-1a2b3c4d.';
const CREATED = new Date('2026-11-30T12:00:00.123Z');

const seal = (event: NewEvent, sealing: Partial<Sealing> = {}, stream = 'acc', revision = 3) =>
  sealEvent(event, { stream, named: PREFIX + stream, revision }, { previous: 'aa', ...sealing });

/** What the client returns for an event that was appended. */
const recorded = (sealed: ReturnType<typeof seal>, stream = 'acc', revision = 3): RecordedEvent =>
  ({
    ...sealed.event,
    ...{ streamId: PREFIX + stream, revision: BigInt(revision), created: CREATED, isJson: false },
  }) as unknown as RecordedEvent;

const json = fc.json({ stringUnit: 'binary' });

describe('the envelope of an event in EventStoreDB', () => {
  it('returns every byte of data and metadata, the id, the version and the token', () =>
    fc.assert(
      fc.property(json, json, fc.nat(), fc.string(), (data, metadata, version, previous) => {
        const event = anEvent({ data, metadata, version });
        const sealed = seal(event, { previous });
        const opened = openEvent(recorded(sealed), PREFIX, 42n);
        expect(opened).toEqual({
          ...{ ...event, stream: 'acc', revision: 3, time: CREATED, commit: 42, previous, at: undefined },
          token: sealed.token,
          content: contentHash(event, 'acc', 3),
        });
        expect(sealed.token).toBe(expectedToken(previous, opened));
      }),
    ));

  it('is these bytes, permanently', () => {
    const event = { id: 'c0ffee00-0000-4000-8000-000000000001', type: 'T', version: 2, data: '"é"', metadata: '{}' };
    const { data } = seal(event, { movedMs: 5 }).event as unknown as { data: Uint8Array };
    expect(Buffer.from(data).toString()).toBe(
      '{"id":"c0ffee00-0000-4000-8000-000000000001","version":2,"previous":"aa","data":4,"moved":5}\n"é"{}',
    );
  });

  it('adds to the time of the server how far the clock of the log was moved', () => {
    const sealed = seal(anEvent(), { movedMs: 86_400_000 });
    expect(openEvent(recorded(sealed), PREFIX, 0n).time).toEqual(new Date(CREATED.getTime() + 86_400_000));
  });

  it('keeps the place, the time and the token that an event had before', () => {
    const at = { position: 7, time: 1000, token: 'bb' };
    const opened = openEvent(recorded(seal(anEvent(), { at })), PREFIX, 0n);
    expect(opened).toMatchObject({ at, time: new Date(1000), token: 'bb' });
  });

  it('has the same id on the server only for the same content at the same place', () => {
    const event = anEvent();
    const ids = [
      seal(event),
      seal(event, { previous: 'ab' }),
      seal({ ...event, data: '{}' }),
      seal({ ...event, type: 'Other' }),
      seal(event, {}, 'other'),
      seal(event, {}, 'acc', 4),
    ].map((sealed) => sealed.event.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(seal(event).event.id).toBe(ids[0]);
  });

  it.each([
    ['JSON', Buffer.from('{"a":1}')],
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('no header\n{}')],
  ])('of another program is refused: %s', (_, data) => {
    const foreign = { ...recorded(seal(anEvent())), data } as unknown as RecordedEvent;
    expect(() => openEvent(foreign, PREFIX, 0n)).toThrow(ForeignEvent);
  });
});
