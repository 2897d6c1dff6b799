import { isBadRequest, unsupported, type Job } from '../../../../src/proxy/formats/format.ts';
import {
  ProviderFailed,
  type AnswerEvent,
  type Batch,
  type Metered,
  type Provider,
  type Refusal,
} from '../../../../src/proxy/providers/provider.ts';

/** One line of the toy's wire format. */
export type Line = readonly ['say', string] | readonly ['end', string] | readonly ['count', number, number];

/** A line of the toy's request: the role and the text of a message. */
type Asked = readonly { readonly role: string; readonly text: string }[];

type ToyRefusal = 'request' | 'key' | 'busy';

/** What a server of the toy answers: lines, or why not. A broken connection rejects. */
export type ToyServer = (asked: Asked, signal: AbortSignal) => AsyncIterable<Line> | { readonly no: ToyRefusal };

/** A provider with a wire format of its own. It shows that the port suffices: the engine does not know it. */
export const createToyProvider = (server: ToyServer): Provider => ({
  name: 'toy',
  unsupported: (job) => {
    const conversation = job.conversation();
    if (!conversation) return unsupported('model', 'has conversations only.');
    if (isBadRequest(conversation)) return conversation;
    if (job.choices > 1) return unsupported('n', 'must be 1 with this model.');
    const { settings, others } = conversation;
    const set = Object.entries({ ...settings, ...others }).filter(([, value]) => value !== undefined);
    const [setting] = set.map(([name]) => name).filter((name) => name !== 'simulate');
    return setting === undefined ? undefined : unsupported(setting, 'is not known to this model. Leave it out.');
  },
  ask: async ({ job, signal }) => {
    signal.throwIfAborted();
    const answered = server(askedIn(job), signal);
    if ('no' in answered) return { kind: 'refused', ...refusals[answered.no] };
    if (job.streamed) return { kind: 'stream', batches: batchesOf(answered, signal) };
    const lines: Line[] = [];
    for await (const line of answered) lines.push(line);
    const metered = meteredOf(lines);
    const { finishReason } = metered;
    return {
      kind: 'whole',
      metered,
      content: { choices: [{ parts: [{ kind: 'text', text: textOf(lines) }], finishReason }] },
    };
  },
  close: () => Promise.resolve(),
});

const error = { message: 'The provider refused the request.', type: 'toy', param: null, code: null };
const refusals: Readonly<Record<ToyRefusal, Refusal>> = {
  request: { status: 400, cause: 'request', error: { ...error, message: 'That is no question.' } },
  key: { status: 403, cause: 'account', error },
  busy: { status: 503, cause: 'overload', error, retryAfterMs: 2000 },
};

const askedIn = (job: Job): Asked => {
  const conversation = job.conversation();
  if (!conversation || isBadRequest(conversation)) throw new Error('The job was not checked by unsupported().');
  return conversation.messages.map(({ role, parts }) => ({
    role,
    text: parts.map((part) => (part.kind === 'text' ? part.text : '')).join(''),
  }));
};

async function* batchesOf(lines: AsyncIterable<Line>, signal: AbortSignal): AsyncGenerator<Batch> {
  for await (const line of lines) {
    signal.throwIfAborted();
    yield { events: [eventOf(line)] };
  }
  yield { events: [{ kind: 'done' }] };
}

const eventOf = (line: Line): AnswerEvent => {
  const part = { choice: 0, text: '', finishReason: null };
  switch (line[0]) {
    case 'say':
      return {
        kind: 'delta',
        parts: [{ ...part, text: line[1], pieces: [{ kind: 'text', text: line[1] }] }],
        wire: undefined,
      };
    case 'end':
      return { kind: 'delta', parts: [{ ...part, finishReason: line[1], pieces: [] }], wire: undefined };
    case 'count':
      return { kind: 'report', usage: { input_tokens: line[1], output_tokens: line[2] } };
  }
};

const textOf = (lines: readonly Line[]): string => lines.map((line) => (line[0] === 'say' ? line[1] : '')).join('');

const meteredOf = (lines: readonly Line[]): Metered => {
  const end = lines.find((line) => line[0] === 'end');
  const count = lines.find((line) => line[0] === 'count');
  if (!end) throw new ProviderFailed('reset', 'the answer has no end');
  return {
    upstreamId: null,
    finishReason: end[1],
    usage: count && { input_tokens: count[1], output_tokens: count[2] },
    texts: [textOf(lines)],
  };
};
