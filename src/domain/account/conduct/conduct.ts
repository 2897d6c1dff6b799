import type {
  ConductEvent,
  ContactNote,
  NoticeAbout,
  NoticeEvent,
  NoticeOutcome,
  ViolationCategory,
  ViolationConsequence,
} from './events.ts';
import { ownersOf, type Members } from '../holder/members.ts';

export type Notice = { readonly about: NoticeAbout; readonly outcome: NoticeOutcome | 'pending' };
export type Violation = { readonly category: ViolationCategory; readonly consequence: ViolationConsequence };

type Termination = {
  readonly violationId: string;
  readonly forfeited: boolean;
  /** The persons who were owners then: roles can change afterwards. */
  readonly owners: readonly string[];
};

/** Acceptances, notices, violations, resale and contacts of an account. */
export type Conduct = {
  readonly notices: ReadonlyMap<string, Notice>;
  readonly mayResell: boolean;
  readonly violations: ReadonlyMap<string, Violation>;
  readonly termination: Termination | null;
  /** The contacts of the holder, and whether each was answered. */
  readonly contacts: ReadonlyMap<string, boolean>;
};

export const noConduct = (): Conduct => ({
  notices: new Map(),
  mayResell: false,
  violations: new Map(),
  termination: null,
  contacts: new Map(),
});

export const evolveConduct = (
  conduct: Conduct,
  event: NoticeEvent | ConductEvent | ContactNote,
  members: Members,
): Conduct => {
  switch (event.type) {
    case 'NoticeQueued': {
      const { noticeId, about } = event;
      return { ...conduct, notices: new Map(conduct.notices).set(noticeId, { about, outcome: 'pending' }) };
    }
    case 'NoticeAnswered': {
      const { noticeId, outcome } = event;
      const notice = conduct.notices.get(noticeId);
      if (!notice) return conduct;
      return { ...conduct, notices: new Map(conduct.notices).set(noticeId, { ...notice, outcome }) };
    }
    case 'ResaleAuthorized':
      return { ...conduct, mayResell: true };
    case 'ResaleAuthorizationEnded':
      return { ...conduct, mayResell: false };
    case 'ViolationRecorded': {
      const { violationId, category, consequence } = event;
      return { ...conduct, violations: new Map(conduct.violations).set(violationId, { category, consequence }) };
    }
    case 'AccountTerminated': {
      const { violationId, forfeited } = event;
      return { ...conduct, termination: { violationId, forfeited, owners: ownersOf(members) } };
    }
    case 'ContactNoted':
      return { ...conduct, contacts: new Map(conduct.contacts).set(event.contactId, false) };
    case 'ContactAnswerNoted':
      return { ...conduct, contacts: new Map(conduct.contacts).set(event.contactId, true) };
  }
};

/** The state of the notice about a version of the terms: `not_due` if none was sent to this account. */
export const noticeOfTerms = ({ notices }: Conduct, version: string): NoticeOutcome | 'pending' | 'not_due' => {
  for (const { about, outcome } of notices.values()) {
    if (about.kind === 'terms' && about.document === 'terms' && about.version === version) return outcome;
  }
  return 'not_due';
};
