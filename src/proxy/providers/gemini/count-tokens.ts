import { field } from '../../json/untyped-json.ts';
import { readErrorText, readText } from '../http/response-text.ts';
import type { Transport } from '../http/transport.ts';
import { ProviderFailed, type Provider } from '../provider.ts';
import { parseChunk } from './chunk.ts';
import { refusalOf } from './refusal.ts';
import { countBodyFor, whyUnsupported } from './request-body.ts';

const MAX_BYTES = 64 * 1024;

/** Counts the tokens of a conversation with Google's countTokens, which is free. */
export const createTokenCount =
  (transport: Transport): NonNullable<Provider['countTokens']> =>
  async (request) => {
    const { job, model, signal } = request;
    if (whyUnsupported(job)) return undefined;
    signal.throwIfAborted();
    const endpoint = `/models/${encodeURIComponent(model)}:countTokens` as const;
    const response = await transport.send({ endpoint, body: countBodyFor(request), signal });
    const { status, retryAfterMs } = response;
    if (status < 200 || status >= 300) {
      return { kind: 'refused', ...refusalOf(status, await readErrorText(response, signal), retryAfterMs) };
    }
    const inputTokens = field(parseChunk(await readText(response, MAX_BYTES)), 'totalTokens');
    if (!Number.isSafeInteger(inputTokens) || Number(inputTokens) < 0) {
      throw new ProviderFailed('reset', 'the response is not a valid count of tokens');
    }
    return { kind: 'counted', inputTokens: Number(inputTokens) };
  };
