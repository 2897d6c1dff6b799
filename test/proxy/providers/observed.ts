import { chat } from '../../../src/proxy/formats/chat/chat.ts';
import { isThere } from '../../../src/proxy/json/untyped-json.ts';
import { readUsage, type ReadUsage } from '../../../src/proxy/metering/usage.ts';
import type { AnswerEvent, DeltaEvent, ProviderAnswer } from '../../../src/proxy/providers/provider.ts';
import { request } from '../examples.ts';

/** A message of the assistant in the chat format, whole or assembled from a stream. */
export type ChatMessage = {
  content: string;
  reasoning: string;
  reasoning_details: object[];
  tool_calls: ChatCall[];
};
type ChatCall = { id: string; type: string; function: { name: string; arguments: string }; extra_content?: object };

/** What an answer comes to, in the same terms for a whole answer and for a stream. */
export type Observed = {
  readonly message: ChatMessage;
  readonly finishReason: string | null;
  readonly nativeFinishReason: string | undefined;
  readonly usage: ReadUsage;
  /** The text that is metered as output. */
  readonly billed: string;
  readonly upstreamId: string | null;
  readonly otherTier: boolean;
  /** How a stream ended. */
  readonly last: AnswerEvent | undefined;
};

const frame = { id: 'gen-1', model: 'm', createdAt: new Date(0) };

const plausible = {
  ...{ inputTokens: 100_000, outputTokens: 10_000, inputBound: 50_000, outputBound: 5000 },
  ...{ hidesReasoning: true, hasOutput: true },
};

type Choice = {
  readonly message?: Partial<ChatMessage> & { readonly reasoning_content?: string };
  readonly delta?: Choice['message'];
  readonly finish_reason: string | null;
  readonly native_finish_reason?: string;
};

const add = (message: ChatMessage, part: Choice['message'] = {}): void => {
  message.content += part.content ?? '';
  message.reasoning += part.reasoning ?? part.reasoning_content ?? '';
  message.reasoning_details.push(...(part.reasoning_details ?? []));
  for (const [index, call] of (part.tool_calls ?? []).entries()) {
    const place = (call as { readonly index?: number }).index ?? index;
    const known = message.tool_calls[place];
    if (known) known.function.arguments += call.function.arguments;
    else {
      const { id, type, function: called, extra_content: extra } = call;
      message.tool_calls[place] = { id, type, function: { ...called }, ...(extra ? { extra_content: extra } : {}) };
    }
  }
};

const empty = (): ChatMessage => ({ content: '', reasoning: '', reasoning_details: [], tool_calls: [] });

export const observed = async (answer: ProviderAnswer): Promise<Observed> => {
  if (answer.kind === 'refused') throw new Error(`refused: ${answer.status} ${answer.error.message}`);
  return answer.kind === 'whole' ? observedWhole(answer) : observedStream(answer);
};

const observedWhole = ({ metered, content }: Extract<ProviderAnswer, { readonly kind: 'whole' }>): Observed => {
  const json = typeof content === 'string' ? content : chat.writeAnswer(frame, content, request());
  const [choice] = (JSON.parse(json) as { readonly choices: readonly Choice[] }).choices;
  const message = empty();
  add(message, choice?.message);
  return {
    message,
    finishReason: metered.finishReason,
    nativeFinishReason: choice?.native_finish_reason,
    usage: readUsage(metered.usage, plausible),
    billed: metered.texts.join(''),
    upstreamId: metered.upstreamId,
    otherTier: metered.otherTier ?? false,
    last: undefined,
  };
};

const observedStream = async ({ batches }: Extract<ProviderAnswer, { readonly kind: 'stream' }>): Promise<Observed> => {
  const events: AnswerEvent[] = [];
  for await (const batch of batches) events.push(...batch.events);
  const deltas = events.filter((event): event is DeltaEvent => event.kind === 'delta');
  const parts = deltas.flatMap((delta) => [...delta.parts]);
  const finished = parts.filter(({ finishReason }) => finishReason !== null);
  const reports = events.filter((event) => 'usage' in event && isThere(event.usage));
  return {
    message: assembled(deltas),
    finishReason: finished.at(-1)?.finishReason ?? null,
    nativeFinishReason: finished.at(-1)?.nativeFinishReason,
    usage: readUsage((reports.at(-1) as { readonly usage?: unknown } | undefined)?.usage, plausible),
    billed: parts.map(({ text }) => text).join(''),
    upstreamId: events.flatMap((event) => ('id' in event && event.id !== undefined ? [event.id] : []))[0] ?? null,
    otherTier: events.some((event) => 'otherTier' in event && event.otherTier === true),
    last: events.at(-1),
  };
};

const assembled = (deltas: readonly DeltaEvent[]): ChatMessage => {
  const writer = chat.stream?.open(request());
  const written = deltas.map((delta) => writer?.writeDelta(frame, delta) ?? '').join('');
  const message = empty();
  for (const event of written.split('\n\n').filter((one) => one !== '')) {
    const { choices } = JSON.parse(event.slice('data: '.length)) as { readonly choices: readonly Choice[] };
    for (const { delta } of choices) add(message, delta);
  }
  return message;
};
