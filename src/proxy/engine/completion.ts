import type { AccountRefusal, ReserveCredits } from '../../domain/account/decide.ts';
import type { PriceVersion } from '../../domain/prices/price-book.ts';
import type { Format } from '../formats/format.ts';
import type { ModelFacts } from '../metering/model-facts.ts';
import type { TokenCounter } from '../metering/token-counter.ts';
import type { Provider } from '../providers/provider.ts';
import type { KeptHealth } from '../routing/health.ts';
import type { Catalogue } from '../routing/plan.ts';
import type { Sticky } from '../routing/sticky.ts';
import type { Call, CallOptions } from './call.ts';
import type { RecordedBy } from './idempotency.ts';
import type { ExecuteOnAccount } from './ledger.ts';
import type { CompletionProblem } from './problem.ts';
import type { Sink } from './relay.ts';
import type { Whole } from './whole-answer.ts';

/** A customer's request for a completion. */
export type Asked = {
  /** A time-ordered UUID; the generation's id and the ids of its commands derive from it. */
  readonly uuid: string;
  readonly accountId: string;
  readonly keyId: string;
  /** The path of a format. */
  readonly endpoint: string;
  readonly body: Buffer;
  /** At most one request under the same key is charged. */
  readonly idempotencyKey?: string | undefined;
  /** Aborted when the customer's connection closes before the answer is complete. */
  readonly gone: AbortSignal;
  /** Called when credits are held: from then on the generation has a receipt, whatever the response. */
  readonly held?: (generationId: string) => void;
  /** Reserves memory that the request needs beside its body. False if none is left. */
  readonly takeMemory?: (bytes: number) => boolean;
};

/** An attempt without an answer. Its hold was refused, or was released. */
export type FailedAttempt = {
  readonly generationId: string;
  readonly provider: string;
  readonly model: string;
  readonly reason: string;
};

export type Answer =
  | Extract<HeldAnswer, { readonly kind: 'problem' }>
  | (Exclude<HeldAnswer, { readonly kind: 'problem' }> & {
      /** The provider of the attempt that answered. */
      readonly provider: string;
      /** The attempts before it, in order. */
      readonly failed: readonly FailedAttempt[];
    });

/** The outcome of one attempt. */
export type HeldAnswer =
  | { readonly kind: 'problem'; readonly problem: CompletionProblem }
  | (Whole & { readonly outputCap?: number })
  /** `relay` must be called even if the client has disconnected, because it settles the charge. */
  | {
      readonly kind: 'stream';
      readonly generationId: string;
      readonly relay: (sink: Sink) => Promise<void>;
      readonly outputCap?: number;
    };

export type CompletionsOptions = Pick<CallOptions, 'maxStreamMs' | 'usageAfterLeavingMs'> & {
  /** Keyed by endpoint. */
  readonly formats: ReadonlyMap<string, Format>;
  /** Keyed by name in the price book. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly findPrice: (model: string, at: Date) => PriceVersion | undefined;
  /** Since when a model is off sale, if it was on sale before. */
  readonly findDelisting?: (model: string, at: Date) => { readonly effectiveFrom: Date } | undefined;
  /** What the catalogue states about a model beside its price. */
  readonly factsOf?: (price: PriceVersion) => ModelFacts | undefined;
  /** What a provider does with requests; undefined if it is unknown. */
  readonly policyOf?: Catalogue['policyOf'];
  /** Recent failures and speed of the providers. */
  readonly health?: KeptHealth;
  readonly sticky?: Sticky;
  readonly execute: ExecuteOnAccount;
  /** Why the account would refuse a hold. Nothing is held or recorded. */
  readonly refusalOf?: (accountId: string, command: ReserveCredits) => Promise<AccountRefusal | undefined>;
  readonly recordedBy: RecordedBy;
  /** Derives the command ids of requests under an idempotency key. */
  readonly idempotencySecret: string;
  /** Counts prompts before they are forwarded. A long prompt may take a second, and others queue behind it. */
  readonly promptTokens: TokenCounter;
  /** Counts the output of streams, which wait for the count. */
  readonly tokens: TokenCounter;
  readonly runId: () => string;
  /** The terms in force, which a request accepts. */
  readonly termsToAccept?: () => ReserveCredits['terms'];
  /** True until an operator acknowledges what the log has lost. No new request is accepted until then. */
  readonly isPaused: () => boolean;
  /** Prices and terms are those of this node's copy of the log, which must not be too old. */
  readonly logCopy: {
    readonly isRecent: () => boolean;
    /** Compares it with the log. Rejects if the log cannot be read. */
    readonly confirm: () => Promise<boolean>;
  };
  readonly now: () => Date;
  /** How long a provider's stream may go without data; comments do not count as data. */
  readonly idleTimeoutMs: number;
  /** A provider answered with an error. */
  readonly upstreamRefused: (refusal: UpstreamRefusal) => void;
};

/** `rejectsOurAccount`: the error is about our account at the provider, which the operator must fix. */
export type UpstreamRefusal = {
  readonly upstream: string;
  readonly status: number;
  readonly rejectsOurAccount: boolean;
};

/**
 * Emptied when the call has ended. A Set or Map that grows anew under steady use keeps the entries of its former tables until
 * old objects are collected, so an entry must not lead to all that belongs to a request.
 */
export type RunningCall = { call: Call | undefined };

/** The completions of this process that have not ended. It changes in place. */
export type Running = {
  draining: boolean;
  readonly calls: Set<RunningCall>;
  /** Includes requests without a call so far, because they may be writing to the log. */
  readonly generations: Set<string>;
  /** The generation has ended. */
  over(generationId: string): void;
};
