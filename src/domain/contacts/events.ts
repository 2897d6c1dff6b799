/** What a contact is about. */
export const contactTopics = [
  ...(['question', 'billing', 'refund', 'close_account', 'security', 'abuse', 'privacy', 'other'] as const),
] as const;
export type ContactTopic = (typeof contactTopics)[number];

/** `mail`: the answer was sent to the writer. `elsewhere`: staff only noted what was answered. */
export const answerWays = ['mail', 'elsewhere'] as const;
export type AnswerWay = (typeof answerWays)[number];

export const closingReasons = ['answered', 'spam', 'duplicate', 'expired'] as const;
export type ClosingReason = (typeof closingReasons)[number];

/**
 * The events of one contact with support. Names and fields are on disk permanently. What was written is sealed: with the
 * key of the account, or of the contact if a stranger wrote.
 */
export type ContactEvent =
  /** finance: nothing. `personId` is null if a stranger wrote. `replyBy` is in ms since the epoch. */
  | {
      readonly type: 'ContactOpened';
      readonly accountId: string | null;
      readonly personId: string | null;
      readonly topic: ContactTopic;
      /** What the contact concerns and its text; of a stranger also the name and the address. */
      readonly sealed: string;
      readonly replyBy: number;
    }
  /** finance: nothing. A stranger's contact belongs to an account, and is erased with it. */
  | { readonly type: 'ContactLinked'; readonly accountId: string }
  /** finance: nothing. */
  | { readonly type: 'ContactAnswered'; readonly how: AnswerWay; readonly sealed: string }
  /** finance: nothing. `expired`: its text was erased before it was closed. */
  | { readonly type: 'ContactClosed'; readonly reason: ClosingReason };
