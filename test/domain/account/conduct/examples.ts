import type { ConductEvent, ContactNote, NoticeEvent } from '../../../../src/domain/account/conduct/events.ts';

type Event = NoticeEvent | ConductEvent | ContactNote;

/** One of every type, and its data as it is on disk. */
export const conductOnDisk: { readonly [T in Event['type']]: readonly [Extract<Event, { type: T }>, string] } = {
  NoticeQueued: [
    {
      ...{ type: 'NoticeQueued', noticeId: 'ntc_1' },
      about: { kind: 'terms', document: 'terms', version: '2026-12-20' },
    },
    '{"noticeId":"ntc_1","about":{"kind":"terms","document":"terms","version":"2026-12-20"}}',
  ],
  NoticeAnswered: [
    { type: 'NoticeAnswered', noticeId: 'ntc_1', outcome: 'accepted' },
    '{"noticeId":"ntc_1","outcome":"accepted"}',
  ],
  ResaleAuthorized: [{ type: 'ResaleAuthorized', reason: 'contract' }, '{"reason":"contract"}'],
  ResaleAuthorizationEnded: [{ type: 'ResaleAuthorizationEnded', reason: 'it ended' }, '{"reason":"it ended"}'],
  ViolationRecorded: [
    {
      ...{ type: 'ViolationRecorded', violationId: 'vio_1', category: 'resale', evidence: ['gen-1', 'key_1'] },
      ...{ consequence: 'warning', reason: 'shared key' },
    },
    '{"violationId":"vio_1","category":"resale","evidence":["gen-1","key_1"],"consequence":"warning","reason":"shared key"}',
  ],
  AccountTerminated: [
    { type: 'AccountTerminated', violationId: 'vio_1', reason: 'resale', forfeited: true },
    '{"violationId":"vio_1","reason":"resale","forfeited":true}',
  ],
  ContactNoted: [
    { type: 'ContactNoted', contactId: 'con_1', topic: 'billing' },
    '{"contactId":"con_1","topic":"billing"}',
  ],
  ContactAnswerNoted: [{ type: 'ContactAnswerNoted', contactId: 'con_1' }, '{"contactId":"con_1"}'],
};
