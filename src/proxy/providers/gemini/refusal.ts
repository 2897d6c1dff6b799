import { asList, field } from '../../json/untyped-json.ts';
import { isAboutUs, noReason } from '../errors/provider-error.ts';
import type { ProviderError, Refusal } from '../provider.ts';
import { parseChunk } from './chunk.ts';

/** https://cloud.google.com/apis/design/errors: `error.status`, by what caused it. */
const causes: Readonly<Record<string, Refusal['cause']>> = {
  INVALID_ARGUMENT: 'request',
  OUT_OF_RANGE: 'request',
  NOT_FOUND: 'request',
  ALREADY_EXISTS: 'request',
  // The location of our server is not supported, or our project has no billing.
  FAILED_PRECONDITION: 'account',
  UNAUTHENTICATED: 'account',
  PERMISSION_DENIED: 'account',
  RESOURCE_EXHAUSTED: 'overload',
  UNAVAILABLE: 'overload',
  DEADLINE_EXCEEDED: 'timeout',
  INTERNAL: 'failure',
  ABORTED: 'failure',
  CANCELLED: 'failure',
  DATA_LOSS: 'failure',
  UNKNOWN: 'failure',
  UNIMPLEMENTED: 'failure',
};

/** For an error that is not in Google's format, such as a proxy's. */
const causeOfStatus = (status: number): Refusal['cause'] => {
  if (status === 401 || status === 402 || status === 403) return 'account';
  if (status === 429 || status === 503) return 'overload';
  if (status === 408 || status === 504) return 'timeout';
  return status >= 400 && status < 500 ? 'request' : 'failure';
};

/** Google's names of our key and our project. */
const namesUs = /\bAIza[\w-]{10,}|\bapi_key:|\bprojects?[/ ]\d+|\bconsumer\b/i;

/** Reads an error response. The message is for the customer only if the request caused the error. */
export const refusalOf = (status: number, body: string, retryAfterMs: number | undefined): Refusal => {
  const error = field(parseChunk(body), 'error');
  const [name, message, details] = [field(error, 'status'), field(error, 'message'), field(error, 'details')];
  const known = typeof name === 'string' && Object.hasOwn(causes, name) ? causes[name] : undefined;
  const read = errorOf(typeof message === 'string' ? message : '');
  const cause = known ?? causeOfStatus(status);
  if (cause === 'request') {
    return isOfKey(details) || isAboutUs(read) || namesUs.test(read.message)
      ? { status, cause: 'account', error: noReason }
      : { status, cause, error: read };
  }
  const later = cause === 'account' ? undefined : (retryDelayOf(details) ?? retryAfterMs);
  return { status, cause, error: noReason, ...(later === undefined ? {} : { retryAfterMs: later }) };
};

/** An error in place of an answer, or as an event of a stream. Undefined unless the request caused it. */
export const refusedWithin = (body: string): Refusal | undefined => {
  const code = field(field(parseChunk(body), 'error'), 'code');
  const refusal = refusalOf(typeof code === 'number' ? code : 500, body, undefined);
  return refusal.cause === 'request' ? { ...refusal, within: true } : undefined;
};

const errorOf = (message: string): ProviderError => ({
  ...noReason,
  ...(message === '' ? {} : { message }),
  ...(/\binput token count\b.*\bexceeds\b/i.test(message) ? { code: 'context_length_exceeded' } : {}),
});

/** Google answers 400 to an invalid key. */
const isOfKey = (details: unknown): boolean =>
  asList(details).some((detail) => /^(?:API_KEY|ACCESS_TOKEN|SERVICE)_/.test(String(field(detail, 'reason'))));

/** `google.rpc.RetryInfo`: a duration such as `34.07s`. */
const retryDelayOf = (details: unknown): number | undefined => {
  for (const detail of asList(details)) {
    const [, seconds] = /^(\d+(?:\.\d+)?)s$/.exec(String(field(detail, 'retryDelay'))) ?? [];
    if (seconds !== undefined) return Math.ceil(Number(seconds) * 1000);
  }
  return undefined;
};
