import type { ConductEvent, ContactNote, NoticeAbout, NoticeEvent } from '../../../../domain/account/conduct/events.ts';

/** As `dataOf`, for notices, violations and contacts. */
export const conductDataOf = (event: NoticeEvent | ConductEvent | ContactNote) => {
  switch (event.type) {
    case 'NoticeQueued':
      return { notice_id: event.noticeId, about: viewAbout(event.about) };
    case 'NoticeAnswered':
      return { notice_id: event.noticeId, outcome: event.outcome };
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
      return { reason: event.reason };
    case 'ViolationRecorded': {
      const { violationId, category, evidence, consequence, reason } = event;
      return { violation_id: violationId, category, evidence: [...evidence], consequence, reason };
    }
    case 'AccountTerminated':
      return { violation_id: event.violationId, reason: event.reason, forfeited: event.forfeited };
    case 'ContactNoted':
      return { contact_id: event.contactId, topic: event.topic };
    case 'ContactAnswerNoted':
      return { contact_id: event.contactId };
  }
};

export const viewAbout = (about: NoticeAbout) =>
  about.kind === 'delisting'
    ? { kind: about.kind, model: about.model, effective_from: new Date(about.effectiveFrom).toISOString() }
    : about;
