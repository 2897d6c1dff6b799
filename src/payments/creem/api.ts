import { errors, Pool, type Dispatcher } from 'undici';
import type { z } from 'zod';
import { PartnerFailed } from '../partner.ts';

type ApiOptions = {
  /** With its version path: `https://api.creem.io/v1`. From configuration only. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The longest time for one call, from the connection to the end of the answer. */
  readonly answerWithinMs: number;
};

type ApiCall = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/** An answer that is no fault: a success, or a refusal of this call. */
type ApiAnswer<Value> =
  { readonly kind: 'ok'; readonly value: Value } | { readonly kind: 'refused'; readonly status: number };

export type CreemApi = {
  /** Rejects with PartnerFailed. Neither bodies nor addresses with a query are in its message. */
  call<Value>(schema: z.ZodType<Value>, call: ApiCall): Promise<ApiAnswer<Value>>;
  close(): Promise<void>;
};

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const CONNECTIONS = 16;

/** The refusals that concern the call and not us: invalid fields, not found, a conflict, a state that forbids it. */
const REFUSALS = new Set([400, 404, 409, 422]);

export const createCreemApi = ({ baseUrl, apiKey, answerWithinMs }: ApiOptions): CreemApi => {
  const { origin, pathname } = new URL(baseUrl);
  const prefix = pathname.replace(/\/+$/, '');
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    connectTimeout: Math.min(10_000, answerWithinMs),
    headersTimeout: answerWithinMs,
    bodyTimeout: answerWithinMs,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  const exchange = async ({ method, path, query, body }: ApiCall): Promise<{ status: number; text: string }> => {
    const signal = AbortSignal.timeout(answerWithinMs);
    const options: Dispatcher.RequestOptions = {
      ...{ method, path: prefix + path, signal },
      headers: { 'x-api-key': apiKey, accept: 'application/json', 'content-type': 'application/json' },
      ...(query === undefined ? {} : { query: { ...query } }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    try {
      const { statusCode, body: answer } = await pool.request(options);
      return { status: statusCode, text: await answer.text() };
    } catch (error) {
      throw faultOf(error, `${method} ${path}`);
    }
  };
  return {
    call: async (schema, call) => {
      const what = `${call.method} ${call.path}`;
      const { status, text } = await exchange(call);
      if (REFUSALS.has(status)) return { kind: 'refused', status };
      if (status === 401 || status === 403) {
        throw new PartnerFailed('rejects_us', `Creem rejected our API key: ${what} was answered with ${status}`);
      }
      if (status < 200 || status > 299) {
        throw new PartnerFailed('unavailable', `${what} was answered by Creem with ${status}`);
      }
      return { kind: 'ok', value: read(schema, text, what) };
    },
    close: () => pool.destroy(),
  };
};

const read = <Value>(schema: z.ZodType<Value>, text: string, what: string): Value => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new PartnerFailed('unreadable', `the answer of Creem to ${what} is not JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'body').join(', ');
  throw new PartnerFailed('unreadable', `the answer of Creem to ${what} has missing or unknown fields: ${fields}`);
};

const UNREACHABLE = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

const faultOf = (error: unknown, what: string): PartnerFailed => {
  const { name, code = '' } = error as NodeJS.ErrnoException;
  if (error instanceof errors.ConnectTimeoutError || UNREACHABLE.test(code)) {
    return new PartnerFailed('unreachable', `Creem cannot be reached for ${what}`);
  }
  const isTimeout =
    name === 'TimeoutError' || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
  if (isTimeout) return new PartnerFailed('timeout', `Creem did not answer ${what} in time`);
  return new PartnerFailed('broke_off', `the connection to Creem broke off during ${what}: ${code || name}`);
};
