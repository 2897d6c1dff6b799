/** The path of an endpoint, relative to the base URL of its server. */
export type Endpoint = `/${string}`;

export type TransportRequest = {
  readonly endpoint: Endpoint;
  /** JSON, UTF-8. */
  readonly body: Uint8Array;
  /** Aborting it closes the connection, before or after the head of the response. */
  readonly signal: AbortSignal;
};

export type TransportResponse = {
  readonly status: number;
  readonly contentType: string;
  /** From `retry-after-ms` or `retry-after`. */
  readonly retryAfterMs?: number;
  /** Must be read to its end or closed by `return()` (as `for await` does), which closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
};

/**
 * Sends requests to such a server. `send` resolves with the head of the response, whatever its status. It rejects with
 * ProviderFailed if no response was received. Reading the body rejects likewise.
 */
export type Transport = {
  send(request: TransportRequest): Promise<TransportResponse>;
  close(): Promise<void>;
};
