import type { NoticeAbout, NoticeOutcome, ViolationCategory, ViolationConsequence } from './events.ts';

/** The commands about notices, resale, violations and contacts. */
export type ConductCommand =
  | { readonly type: 'QueueNotice'; readonly noticeId: string; readonly about: NoticeAbout }
  | { readonly type: 'AnswerNotice'; readonly noticeId: string; readonly outcome: NoticeOutcome }
  | { readonly type: 'AuthorizeResale'; readonly reason: string }
  | { readonly type: 'EndResaleAuthorization'; readonly reason: string }
  /** `forfeit` applies to a termination only: the remaining paid credits are forfeited. */
  | {
      readonly type: 'RecordViolation';
      readonly violationId: string;
      readonly category: ViolationCategory;
      readonly evidence: readonly string[];
      readonly consequence: ViolationConsequence;
      readonly reason: string;
      readonly forfeit: boolean;
    }
  | { readonly type: 'NoteContact'; readonly contactId: string; readonly topic: string }
  | { readonly type: 'NoteContactAnswer'; readonly contactId: string };
