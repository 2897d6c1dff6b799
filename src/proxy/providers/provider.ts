import type { BadRequest, Job, NeutralAnswer } from '../formats/format.ts';

/** A model provider, whatever wire format it speaks. */
export interface Provider {
  /** Its name in the price book. */
  readonly name: string;
  /** Why it cannot carry a job out, or not at the listed price; undefined if it can. Called before credits are held. */
  unsupported(job: Job): BadRequest | undefined;
  /**
   * Asks for one answer. A stream resolves with its first event or soon after its head; every other answer once it is
   * complete. Rejects with ProviderFailed if no answer could be had, and with the signal's reason if that aborted.
   */
  ask(request: ProviderRequest): Promise<ProviderAnswer>;
  close(): Promise<void>;
}

export type ProviderRequest = {
  readonly job: Job;
  /** The provider's own name of the model. */
  readonly model: string;
  /** The limit on the output of each choice that credits set, where the customer set none. */
  readonly outputCap: number | undefined;
  /** Aborting it ends the connection at any time. */
  readonly signal: AbortSignal;
  readonly watch: Watch;
};

/** The time limits of a request. A provider that reads an answer to its end before it returns it reports progress here. */
export type Watch = {
  /** Data arrived: the idle time starts anew. */
  heard(): void;
  /** The idle time stops. */
  pause(): void;
  /** The answer is complete; its connection must end within so many ms. */
  expectEnd(withinMs: number): void;
  /** False once nobody needs the answer. */
  readonly isWanted: boolean;
};

export type ProviderAnswer =
  | ({ readonly kind: 'refused' } & Refusal)
  | {
      readonly kind: 'whole';
      readonly metered: Metered;
      /** The JSON of the job's format; or the answer in no wire shape, which the format then writes. */
      readonly content: string | NeutralAnswer;
    }
  | { readonly kind: 'stream'; readonly batches: AsyncIterable<Batch> };

/** A provider's refusal of a request. */
export type Refusal = {
  /** The HTTP status that the provider sent, or would have sent. */
  readonly status: number;
  /** `request`: the request caused it. `account`: it is about our account at the provider, which the operator must mend. */
  readonly cause: 'request' | 'account' | 'overload' | 'timeout' | 'failure';
  /** For the customer. Its words must not name our account. */
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

/** What is known of a complete answer, or of a stream so far. */
export type Metered = {
  readonly upstreamId: string | null;
  readonly finishReason: string | null;
  /** As the provider reported it, unchecked; undefined if it reported none. */
  readonly usage: unknown;
  /** The output text of each choice, in memory only, to be counted if the provider does not report how much it was. */
  readonly texts: readonly string[];
  /** The part of it that came after the usage, which therefore cannot include it. */
  readonly unreported?: readonly string[];
  /** If the customer left before the end: what came before, and what came later. */
  readonly delivered?: readonly string[];
  readonly undelivered?: readonly string[];
  /** The provider served the request in another tier than the one that is priced. */
  readonly otherTier?: boolean;
};

/** Events that arrived together. */
export type Batch = {
  readonly events: readonly AnswerEvent[];
  /** The bytes of all its deltas as they came, if the customer may get exactly these. */
  readonly bytes?: Uint8Array | undefined;
};

export type AnswerEvent = DeltaEvent | ReportEvent | FailedEvent | DoneEvent;

/** What any event may report beside its content. */
type Report = {
  readonly id?: string | undefined;
  readonly otherTier?: boolean;
  /** The usage so far, unchecked. It includes the content of its own event. */
  readonly usage?: unknown;
  /** In the wire shape of the job's format: the event that carries the usage, for a customer who asked for it. */
  readonly usageChunk?: unknown;
};

/** Content for the customer. */
export type DeltaEvent = Report & {
  readonly kind: 'delta';
  readonly parts: readonly DeltaPart[];
  /** The event in the wire shape of the job's format. If it is undefined, the format writes `parts`. */
  readonly wire: (() => string) | undefined;
};

export type DeltaPart = {
  readonly choice: number;
  /** All text of the part that is billed as output: content, reasoning, refusals, arguments of tools. */
  readonly text: string;
  readonly finishReason: string | null;
  /** Must be there if the event has no `wire`. */
  readonly message?: MessageDelta;
};

export type MessageDelta = {
  readonly content?: string;
  readonly reasoning?: string;
  readonly toolCalls?: readonly {
    readonly index: number;
    readonly id?: string;
    readonly name?: string;
    readonly arguments?: string;
  }[];
};

/** An event without content. It counts as a sign of life. */
export type ReportEvent = Report & { readonly kind: 'report' };
/** The stream failed. `refusal` if the request caused it. */
export type FailedEvent = Report & { readonly kind: 'failed'; readonly refusal: Refusal | undefined };
/** The stream is complete. Only a usage may follow. */
export type DoneEvent = { readonly kind: 'done' };

/** Fault: the provider could not be reached, was silent for too long, or broke off. */
export class ProviderFailed extends Error {
  override readonly name = 'ProviderFailed';
  readonly code: 'connect' | 'timeout' | 'reset';

  constructor(code: 'connect' | 'timeout' | 'reset', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
