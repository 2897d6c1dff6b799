import type { BadRequest, Job } from '../formats/format.ts';
import type { SoldModel } from '../metering/model-facts.ts';
import type { Batch, Metered, NeutralAnswer, Refusal } from './answer.ts';

export type * from './answer.ts';

/** A model provider, with any wire format. */
export interface Provider {
  /** Its name in the price book. */
  readonly name: string;
  /** Why it cannot run a job, or not at the listed price; undefined if it can. Called before credits are held. */
  unsupported(job: Job): BadRequest | undefined;
  /**
   * Requests one answer. A stream resolves with its first event or soon after its head; every other answer once it is
   * complete. Rejects with ProviderFailed if no answer was received, and with the signal's reason if that aborted.
   */
  ask(request: ProviderRequest): Promise<ProviderAnswer>;
  /**
   * Counts the input tokens of a job, at no charge. Undefined if the provider has no such count, or not for jobs of this
   * format. Rejects like `ask`.
   */
  countTokens?(request: Pick<ProviderRequest, 'job' | 'model' | 'signal'>): Promise<TokenCount | undefined>;
  close(): Promise<void>;
}

export type ProviderRequest = {
  readonly job: Job;
  /** The provider's own name of the model. */
  readonly model: string;
  /** The limit on the output of each choice that credits set, if the customer set none. */
  readonly outputCap: number | undefined;
  /** What the catalogue states about the model, for a wire format in which a request must state it. */
  readonly sold?: Pick<SoldModel, 'maxOutputTokens'> | undefined;
  /** Aborting it ends the connection at any time. */
  readonly signal: AbortSignal;
  readonly watch: Watch;
};

/** The time limits of a request. A provider that reads an answer to its end before it returns it reports progress here. */
export type Watch = {
  /** Data arrived: restarts the idle timer. */
  heard(): void;
  /** Stops the idle timer. */
  pause(): void;
  /** The answer is complete; its connection must end within so many ms. */
  expectEnd(withinMs: number): void;
  /** False once the answer is no longer needed. */
  readonly isWanted: boolean;
};

export type ProviderAnswer =
  | ({ readonly kind: 'refused' } & Refusal)
  | {
      readonly kind: 'whole';
      readonly metered: Metered;
      /** The JSON of the job's format, or a neutral answer that the format writes. */
      readonly content: string | NeutralAnswer;
    }
  | { readonly kind: 'stream'; readonly batches: AsyncIterable<Batch> };

export type TokenCount =
  { readonly kind: 'counted'; readonly inputTokens: number } | ({ readonly kind: 'refused' } & Refusal);

/** Fault: the provider could not be reached, was silent for too long, or broke off. */
export class ProviderFailed extends Error {
  override readonly name = 'ProviderFailed';
  readonly code: 'connect' | 'timeout' | 'reset';

  constructor(code: 'connect' | 'timeout' | 'reset', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
