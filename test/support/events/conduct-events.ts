import type {
  ConductEvent as OfConduct,
  ContactNote,
  NoticeAbout,
  NoticeEvent,
  NoticeOutcome,
  ViolationCategory,
  ViolationConsequence,
} from '../../../src/domain/account/conduct/events.ts';
import type { Data } from './money-events.ts';

export type ConductEvent = NoticeEvent | OfConduct | ContactNote;

/** Parses notices, violations and contacts of the management API into events. */
export const conductEventOf = (type: ConductEvent['type'], data: Data): ConductEvent => {
  const text = (name: string): string => String(data[name]);
  switch (type) {
    case 'NoticeQueued':
      return { type, noticeId: text('notice_id'), about: aboutOf(data['about'] as Data) };
    case 'NoticeAnswered':
      return { type, noticeId: text('notice_id'), outcome: text('outcome') as NoticeOutcome };
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
      return { type, reason: text('reason') };
    case 'ViolationRecorded':
      return {
        ...{ type, violationId: text('violation_id'), category: text('category') as ViolationCategory },
        evidence: data['evidence'] as readonly string[],
        ...{ consequence: text('consequence') as ViolationConsequence, reason: text('reason') },
      };
    case 'AccountTerminated':
      return {
        ...{ type, violationId: text('violation_id'), reason: text('reason'), forfeited: data['forfeited'] === true },
      };
    case 'ContactNoted':
      return { type, contactId: text('contact_id'), topic: text('topic') };
    case 'ContactAnswerNoted':
      return { type, contactId: text('contact_id') };
  }
};

const aboutOf = (about: Data): NoticeAbout =>
  about['kind'] === 'delisting'
    ? {
        ...{ kind: 'delisting', model: String(about['model']) },
        effectiveFrom: Date.parse(String(about['effective_from'])),
      }
    : (about as NoticeAbout);
