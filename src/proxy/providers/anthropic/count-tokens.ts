import { field } from '../../json/untyped-json.ts';
import { readErrorText, readText } from '../http/response-text.ts';
import type { Transport } from '../http/transport.ts';
import { refusalOf } from '../errors/refusal.ts';
import { ProviderFailed, type Provider } from '../provider.ts';
import { countBody, isNative } from './native-body.ts';

const MAX_BYTES = 64 * 1024;

/** Forwards a body of POST /messages/count_tokens. Jobs of other formats are not counted. */
export const createTokenCount =
  (transport: Transport): NonNullable<Provider['countTokens']> =>
  async ({ job, model, signal }) => {
    if (!isNative(job)) return undefined;
    signal.throwIfAborted();
    const body = countBody({ job, model });
    const response = await transport.send({ endpoint: '/messages/count_tokens', body, signal });
    const { status, retryAfterMs } = response;
    if (status < 200 || status >= 300) {
      return { kind: 'refused', ...refusalOf(status, await readErrorText(response, signal), retryAfterMs) };
    }
    const inputTokens = countIn(await readText(response, MAX_BYTES));
    if (inputTokens === undefined) throw new ProviderFailed('reset', 'the response is not a valid count of tokens');
    return { kind: 'counted', inputTokens };
  };

const countIn = (json: string): number | undefined => {
  try {
    const count = field(JSON.parse(json), 'input_tokens');
    return Number.isSafeInteger(count) && Number(count) >= 0 ? Number(count) : undefined;
  } catch {
    return undefined;
  }
};
