import type { ProviderError, Refusal } from '../provider.ts';
import { isAboutUs, noReason, readError, statusOfRequestError } from './provider-error.ts';

/**
 * Maps an error status to its cause. 401, 402 and 403 are about our account at the provider, and 429 about all
 * customers together; so are the same errors under another status. Their messages are not for the customer.
 */
export const refusalOf = (status: number, body: string, retryAfterMs: number | undefined): Refusal => {
  const refused = (cause: Refusal['cause'], error: ProviderError = noReason): Refusal => {
    const later = cause === 'request' || cause === 'account' ? undefined : retryAfterMs;
    return { status, cause, error, ...(later === undefined ? {} : { retryAfterMs: later }) };
  };
  if (status === 401 || status === 402 || status === 403) return refused('account');
  if (status === 429 || status === 503 || status === 529) return refused('overload');
  if (status === 408 || status === 504) return refused('timeout');
  if (status < 400 || status >= 500) return refused('failure');
  const error = readError(body);
  if (!isAboutUs(error)) return refused('request', error);
  // A request that is too large fails again. The limit of our account that it exceeds is not for the customer.
  return refused(status === 413 ? 'request' : 'account');
};

/**
 * Reads an error with status 200, in place of an answer or as an event, as if it had an error status. Undefined unless
 * the request caused it.
 */
export const refusedWithin = (body: string): Refusal | undefined => {
  const status = statusOfRequestError(body);
  const refusal = status === undefined ? undefined : refusalOf(status, body, undefined);
  return refusal?.cause === 'request' ? { ...refusal, within: true } : undefined;
};
