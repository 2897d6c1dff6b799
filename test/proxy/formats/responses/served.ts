import type { Answer } from '../../../../src/proxy/engine/completions.ts';
import OpenAI from 'openai';
import type { Response as WholeResponse, ResponseStreamEvent } from 'openai/resources/responses/responses';
import type { TransportResponse } from '../../../../src/proxy/providers/http/transport.ts';
import type { Dialect } from '../../../../src/proxy/providers/openai/dialects.ts';
import { KEY_ID, openAccount } from '../../engine/account.ts';
import { engineOf } from '../../engine/engine-of.ts';
import { createTestProvider, like, price, sinkOf, streamOf } from '../../examples.ts';

export type Served = {
  readonly credits?: bigint;
  readonly dialect?: Dialect;
  /** What the provider answers: the text of a stream, or the JSON of a whole answer. */
  readonly answer: string | Partial<TransportResponse>;
};

const request = { model: 'm', input: 'How are you?' };

/** A provider with OpenAI's responses. */
export const native: Dialect = { outputLimitField: 'max_completion_tokens', responses: true };
const chats: Dialect = { outputLimitField: 'max_tokens' };

const sold = { ...price, ...like('gpt-4o'), maxOutputTokens: 5000 };

/** One request in this format, from the customer's body to the last byte. */
export const serve = async (fields: object, { credits = 1_000_000_000n, dialect = chats, answer }: Served) => {
  const account = openAccount(credits);
  const isStream = typeof answer === 'string' && /^(?:data|event|:)/.test(answer);
  const response =
    typeof answer === 'string' ? (isStream ? streamOf([answer]) : { body: streamOf([answer]).body }) : answer;
  const upstream = createTestProvider(() => response, dialect);
  const completions = engineOf(account, { test: upstream }, { findPrice: () => sold });
  const answered: Answer = await completions.complete({
    ...{ uuid: '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d', accountId: 'acc_1', keyId: KEY_ID },
    ...{ endpoint: '/responses', gone: new AbortController().signal },
    body: Buffer.from(JSON.stringify({ ...request, ...fields })),
  });
  let written = '';
  const sink = {
    ...sinkOf((passing) => void (written += typeof passing === 'string' ? passing : Buffer.from(passing).toString())),
    fail: (_: unknown, write?: (problem: string) => string) => {
      const error = { message: 'It broke.', type: 'upstream_error', param: null, code: 'upstream_error' };
      written += write?.(JSON.stringify({ error })) ?? '';
      return undefined;
    },
  };
  if (answered.kind === 'stream') await answered.relay(sink);
  if (answered.kind === 'whole') written = answered.body;
  return { answered, written, account, upstream };
};

const clientOf = (written: string): OpenAI => {
  const contentType = written.startsWith('{') ? 'application/json' : 'text/event-stream';
  const fetch = () => Promise.resolve(new Response(written, { headers: { 'content-type': contentType } }));
  return new OpenAI({ apiKey: 'k', baseURL: 'http://test/v1', fetch, maxRetries: 0 });
};

/** A whole answer as OpenAI's client reads it. */
export const wholeBySdk = (written: string): Promise<WholeResponse> => clientOf(written).responses.create(request);

/** A stream as OpenAI's client reads it: its events, and the response that it builds of them. */
export const streamBySdk = async (written: string) => {
  const events: ResponseStreamEvent[] = [];
  for await (const event of await clientOf(written).responses.create({ ...request, stream: true })) events.push(event);
  const stream = clientOf(written).responses.stream(request);
  return { events, types: events.map(({ type }) => type), response: await stream.finalResponse() };
};
