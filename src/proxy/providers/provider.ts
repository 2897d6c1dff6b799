/** The endpoints of an OpenAI-compatible server that a completion may go to, relative to its base URL. */
export type Endpoint = '/chat/completions' | '/completions' | '/embeddings';

export type UpstreamRequest = {
  readonly endpoint: Endpoint;
  /** The JSON body in the OpenAI wire format, UTF-8. */
  readonly body: Uint8Array;
  /** Aborting it closes the connection, before or after the head of the response has come. */
  readonly signal: AbortSignal;
};

export type UpstreamResponse = {
  readonly status: number;
  readonly contentType: string;
  /** From `retry-after-ms` or `retry-after`, when the upstream sent one. */
  readonly retryAfterMs?: number;
  /** Must be read to its end or left by `return()` (as `for await` does), which closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
};

/**
 * A model provider that speaks the OpenAI wire format. `send` resolves once the head of the response is there, whatever
 * its status; it rejects with UpstreamFailed when no response could be had, and so does reading the body.
 */
export interface Upstream {
  readonly name: string;
  /** What it calls the limit on the output of a chat. */
  readonly outputLimitField: 'max_tokens' | 'max_completion_tokens';
  /** Fields of every chat that is sent to it, whatever the customer sent: they decide the price, or what it keeps. */
  readonly chatFields?: Readonly<Record<string, unknown>>;
  /** Lifetimes in its prompt cache that have the listed price. */
  readonly cacheTtls?: readonly string[];
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  close(): Promise<void>;
}

/** Fault: the upstream could not be reached, was silent for too long, or broke off. */
export class UpstreamFailed extends Error {
  override readonly name = 'UpstreamFailed';
  readonly code: 'connect' | 'timeout' | 'reset';

  constructor(code: 'connect' | 'timeout' | 'reset', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
