/** What came of a request, as far as it came. */
export type Answer = {
  /** Undefined where the connection broke before the head of an answer. */
  readonly status: number | undefined;
  readonly headers: Headers;
  readonly body: string;
  /** Whether the connection ended as it should. */
  readonly whole: boolean;
};

export type Sent = {
  readonly answer: Promise<Answer>;
  /** Of the answer, once its head has come. */
  status(): number | undefined;
  /** How many chunks with words have come so far. */
  words(): number;
  /** Whether the answer is complete for the customer: `[DONE]`, or all of the body. */
  acknowledged(): boolean;
  leave(): void;
};

type Gateway = { readonly url: string };

export const send = (
  { url }: Gateway,
  apiKey: string,
  path: string,
  body: unknown,
  more: Readonly<Record<string, string>> = {},
): Sent => {
  const left = new AbortController();
  let text = '';
  let whole = false;
  let status: number | undefined;
  const read = async (): Promise<Answer> => {
    let headers = new Headers();
    try {
      const response = await fetch(`${url}/v1${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...more },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        signal: left.signal,
      });
      ({ status, headers } = response);
      const decoder = new TextDecoder();
      for await (const bytes of response.body ?? []) text += decoder.decode(bytes as Uint8Array, { stream: true });
      whole = true;
    } catch {
      // Told by `whole`.
    }
    return { status, headers, body: text, whole };
  };
  return {
    answer: read(),
    status: () => status,
    words: () => text.match(WORDS)?.length ?? 0,
    acknowledged: () => (text.startsWith('data:') ? text.includes('data: [DONE]') : whole),
    leave: () => left.abort(),
  };
};

/** What a customer was told to have paid, once the answer is complete; undefined before. */
export const costUsdOf = ({ body, whole, status }: Answer): string | undefined => {
  if (status !== 200) return undefined;
  if (!body.startsWith('data:')) return whole ? costIn(body) : undefined;
  const events = body.split('\n\n').filter((event) => event.startsWith('data: {'));
  return body.includes('data: [DONE]') ? costIn((events.at(-1) ?? '').slice('data: '.length)) : undefined;
};

const costIn = (json: string): string | undefined =>
  (JSON.parse(json) as { usage?: { cost_usd?: string } }).usage?.cost_usd;

export const generationOf = ({ headers }: Answer): string => headers.get('x-kissapi-generation-id') ?? '';

export type ErrorBody = { readonly error: { readonly code: string; readonly type: string; readonly message: string } };
export const errorOf = ({ body }: Answer): ErrorBody['error'] => (JSON.parse(body) as ErrorBody).error;

/** The error chunk that a stream ended with. */
export const errorChunkOf = ({ body }: Answer): ErrorBody['error'] | undefined => {
  const last = body.split('\n\n').findLast((event) => event.startsWith('data: {')) ?? 'data: {}';
  return (JSON.parse(last.slice('data: '.length)) as Partial<ErrorBody>).error;
};

/** What a stream said, as far as it came. */
export const wordsOf = ({ body }: Answer): string =>
  body
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)) as Chunk)
    .map(({ choices }) => choices?.[0]?.delta?.content ?? '')
    .join('');

type Chunk = { readonly choices?: readonly { readonly delta?: { readonly content?: string } }[] };

/** A piece of text in a stream of a chat, of messages, or of responses. */
const WORDS = /"delta":\{"content":"|"type":"text_delta"|"type":"response\.output_text\.delta"/g;
