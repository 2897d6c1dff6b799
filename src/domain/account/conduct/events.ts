/** Which text, price or end of sale a notice is about. `effectiveFrom` is in ms since the epoch. */
export type NoticeAbout =
  | { readonly kind: 'terms'; readonly document: string; readonly version: string }
  | { readonly kind: 'price'; readonly model: string; readonly version: number }
  | { readonly kind: 'delisting'; readonly model: string; readonly effectiveFrom: number };

/** What the mail server answered: whether it accepted the mail of at least one owner. */
export const noticeOutcomes = ['accepted', 'failed'] as const;
export type NoticeOutcome = (typeof noticeOutcomes)[number];

export type NoticeEvent =
  /** finance: nothing, like all events of notices. Mails to the owners are queued before a change takes effect. */
  | { readonly type: 'NoticeQueued'; readonly noticeId: string; readonly about: NoticeAbout }
  /** Whether a mail server accepted it. It does not show that someone read it. */
  | { readonly type: 'NoticeAnswered'; readonly noticeId: string; readonly outcome: NoticeOutcome };

/** The clauses of the terms that a holder can violate. */
export const violationCategories = ['illegal_content', 'circumvention', 'resale', 'provider_policy', 'damage'] as const;
export type ViolationCategory = (typeof violationCategories)[number];

export const violationConsequences = ['none', 'warning', 'suspension', 'termination'] as const;
export type ViolationConsequence = (typeof violationConsequences)[number];

export type ConductEvent =
  /** finance: nothing. The holder may resell or share access, which the terms forbid otherwise. */
  | { readonly type: 'ResaleAuthorized'; readonly reason: string }
  | { readonly type: 'ResaleAuthorizationEnded'; readonly reason: string }
  /** finance: nothing. `evidence` is ids of generations, keys and contacts: content is never stored. The consequence follows in the same append. */
  | {
      readonly type: 'ViolationRecorded';
      readonly violationId: string;
      readonly category: ViolationCategory;
      readonly evidence: readonly string[];
      readonly consequence: ViolationConsequence;
      readonly reason: string;
    }
  /**
   * finance: nothing. The account ends because of the violation: `AccountClosed` follows in the same append, unless it was
   * closed before, and `CreditsForfeited` for each paid lot if `forfeited`.
   */
  | {
      readonly type: 'AccountTerminated';
      readonly violationId: string;
      readonly reason: string;
      readonly forfeited: boolean;
    };

export type ContactNote =
  /** finance: nothing. A contact with support belongs to this account. Its text is in the stream of the contact. */
  | { readonly type: 'ContactNoted'; readonly contactId: string; readonly topic: string }
  | { readonly type: 'ContactAnswerNoted'; readonly contactId: string };
