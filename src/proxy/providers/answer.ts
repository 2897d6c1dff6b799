import type { AssistantPart, Signature } from '../formats/conversation.ts';

/** A provider's refusal of a request. */
export type Refusal = {
  /** The HTTP status that the provider sent, or would have sent. */
  readonly status: number;
  /**
   * `request`: the request caused it. `account`: it is about our account at the provider, which the operator must fix.
   */
  readonly cause: 'request' | 'account' | 'overload' | 'timeout' | 'failure';
  /** For the customer. It must not name our account. */
  readonly error: ProviderError;
  readonly retryAfterMs?: number;
  /** Whether it came within a response of status 200. */
  readonly within?: boolean;
};

export type ProviderError = {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
};

/** What was metered of a complete answer, or of a stream so far. */
export type Metered = {
  readonly upstreamId: string | null;
  readonly finishReason: string | null;
  /** As the provider reported it, unchecked; undefined if it reported none. */
  readonly usage: unknown;
  /** A usage from before the output, unchecked. Its input counts if no other usage came. */
  readonly usageAtStart?: unknown;
  /** The output text of each choice, in memory only. It is counted if the provider does not report its usage. */
  readonly texts: readonly string[];
  /** The part of it that came after the usage, which therefore cannot include it. */
  readonly unreported?: readonly string[];
  /** If the customer disconnected before the end: what came before that, and what came later. */
  readonly delivered?: readonly string[];
  readonly undelivered?: readonly string[];
  /** The provider served the request in another tier than the one that is priced. */
  readonly otherTier?: boolean;
};

/** Events that arrived together. */
export type Batch = {
  readonly events: readonly AnswerEvent[];
  /** The bytes of all its deltas as received, if they may be passed on unchanged and past the writer of the format. */
  readonly bytes?: Uint8Array | undefined;
};

export type AnswerEvent = DeltaEvent | ReportEvent | FailedEvent | DoneEvent;

/** What any event may report beside its content. */
type Report = {
  readonly id?: string | undefined;
  readonly otherTier?: boolean;
  /** The usage so far, unchecked. It includes the content of its own event. */
  readonly usage?: unknown;
  /** A usage from before the output, unchecked: its input is that of the whole answer. */
  readonly usageAtStart?: unknown;
  /** In the wire shape of the job's format: the event that carries the usage, if the customer asked for it. */
  readonly usageChunk?: unknown;
};

/** Content for the customer. */
export type DeltaEvent = Report & {
  readonly kind: 'delta';
  readonly parts: readonly DeltaPart[];
  /** The event in the wire shape of the job's format. If it is undefined, the format writes `parts`. */
  readonly wire: (() => string) | undefined;
  /** The event as parsed JSON, if it has a wire shape and the writer of the format keeps state. */
  readonly parsed?: Readonly<Record<string, unknown>>;
};

export type DeltaPart = {
  readonly choice: number;
  /** All text of the part that is billed as output: content, reasoning, refusals, tool arguments. */
  readonly text: string;
  readonly finishReason: string | null;
  /** Required if the event has no `wire`, or if the writer of the format keeps state. */
  readonly pieces?: readonly Piece[];
  /** The finish reason as the provider names it, if the names differ. */
  readonly nativeFinishReason?: string;
};

/**
 * A piece of a message. Pieces of one kind that follow each other are one part; a signature ends its part, and each tool
 * call has an index of its own.
 */
export type Piece =
  | { readonly kind: 'text' | 'refusal'; readonly text: string }
  | {
      readonly kind: 'thinking';
      readonly text: string;
      readonly signature?: Signature;
      readonly redacted?: boolean;
    }
  | {
      readonly kind: 'tool_call';
      readonly index: number;
      /** In the first piece of a call. */
      readonly id?: string;
      readonly name?: string;
      readonly arguments?: string;
      /** In every piece of a call of a custom tool, whose arguments are text. */
      readonly custom?: boolean;
    };

/** An event without content. It restarts the idle timer. */
export type ReportEvent = Report & { readonly kind: 'report' };
/** The stream failed. `refusal` if the request caused it. */
export type FailedEvent = Report & { readonly kind: 'failed'; readonly refusal: Refusal | undefined };
/** The stream is complete. Only a usage may follow. */
export type DoneEvent = { readonly kind: 'done' };

/** An answer in no particular wire format: one message for each choice. */
export type NeutralAnswer = {
  readonly choices: readonly {
    readonly parts: readonly AssistantPart[];
    /** In OpenAI's words: `stop`, `length`, `tool_calls`, `content_filter`. */
    readonly finishReason: string | null;
    readonly nativeFinishReason?: string;
  }[];
};
