const shortages = {
  key_limit_exceeded: {
    code: 'key_limit_exceeded',
    message: 'This API key has reached its spending limit, so the answer ends here.',
  },
  account_limit_exceeded: {
    code: 'account_limit_exceeded',
    message: 'This account has reached its spending limit, so the answer ends here.',
  },
  limit_held_by_concurrent_requests: {
    code: 'limit_held_by_concurrent_requests',
    message: 'The rest of the spending limit is held by other requests under way, so the answer ends here.',
  },
  insufficient_credits: {
    code: 'credit_balance_exhausted',
    message: 'Your credit ran out, so the answer ends here. Top up, and ask for the rest.',
  },
  credits_held_by_concurrent_requests: {
    code: 'credits_held_by_concurrent_requests',
    message: 'The rest of your credit is held by other requests under way, so the answer ends here.',
  },
};

/** Why credits, or a limit on spending, end a stream. */
export type Shortage = keyof typeof shortages;
export const isShortage = (why: string | undefined): why is Shortage =>
  why !== undefined && Object.hasOwn(shortages, why);

/** The error that the customer receives beside the answer. */
export const shortageError = (shortage: Shortage) => ({
  ...shortages[shortage],
  type: 'insufficient_quota',
  param: null,
});

export const streamTooLong = {
  code: 'stream_too_long',
  message: 'The stream took longer than any may, so the answer ends here.',
  type: 'upstream_error',
  param: null,
};

const accessEnds = ['account_closed', 'account_suspended', 'key_revoked', 'key_expired'] as const;
/** Why a customer may not continue a stream that is in progress. */
export type AccessEnd = (typeof accessEnds)[number];
export const isAccessEnd = (why: string | undefined): why is AccessEnd => accessEnds.some((one) => one === why);

/** The provider ignores the output limit of the request: the stream ends one step past that limit. */
export const BEYOND_LIMIT = 'beyond_limit';
