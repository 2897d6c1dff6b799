/** An error that the API can return. docs/errors.md is made from these. */
export type ProblemEntry = {
  /** The `code` in the response, if it differs from the name of the entry. */
  readonly code?: string;
  readonly status: number;
  readonly type: string;
  /** What is wrong. With `action` it is the default message. */
  readonly meaning: string;
  /** What the client can do about it. */
  readonly action: string;
  readonly shouldRetry: boolean;
  readonly retryAfterMs?: number;
};

export const invalid = (status: number, meaning: string, action: string) =>
  ({ status, type: 'invalid_request_error', meaning, action, shouldRetry: false }) satisfies ProblemEntry;
export const forbidden = (meaning: string, action: string) =>
  ({ status: 403, type: 'permission_error', meaning, action, shouldRetry: false }) satisfies ProblemEntry;
export const unavailable = (retryAfterMs: number, meaning: string, action: string) => ({
  ...{ status: 503, type: 'service_unavailable_error', meaning, action },
  ...{ shouldRetry: true, retryAfterMs },
});
export const tooMany = (retryAfterMs: number, meaning: string, action: string) => ({
  ...{ status: 429, type: 'rate_limit_error', meaning, action },
  ...{ shouldRetry: true, retryAfterMs },
});
export const overLimit = (meaning: string, action: string) =>
  ({ status: 402, type: 'insufficient_quota', meaning, action, shouldRetry: false }) satisfies ProblemEntry;
export const heldByOthers = (meaning: string) => ({
  ...overLimit(meaning, 'Try again when they have ended.'),
  ...{ shouldRetry: true, retryAfterMs: 1000 },
});
