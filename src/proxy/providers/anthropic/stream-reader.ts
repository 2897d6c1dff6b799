import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { eventText } from '../../formats/messages/stream-writer.ts';
import { finishReasonOf } from '../../formats/messages/stop-reasons.ts';
import { asList, field, isThere } from '../../json/untyped-json.ts';
import { isOtherTier } from '../service-tier.ts';
import { refusedWithin } from '../errors/refusal.ts';
import type { AnswerEvent, Batch, DeltaEvent, Piece } from '../provider.ts';
import { createInputReader, type InputReader } from '../custom-tools.ts';
import { parse, refusalIn, type Reading } from './message.ts';
import { textOfBlock, textOfDelta } from './output-text.ts';
import { usageAfter, withIterations } from './usage.ts';

/** The limit of a whole answer, because an event is buffered until its end. */
const MAX_EVENT_CHARS = 64 * 1024 * 1024;
const nothing: AnswerEvent = { kind: 'report' };
const endless: AnswerEvent = { kind: 'failed', refusal: undefined };

/** A tool call whose block is open. */
type OpenCall = {
  readonly call: number;
  /** Of a custom tool: reads its input from the arguments. */
  readonly input: InputReader | undefined;
  hasArguments: boolean;
};

/** The state of a stream. It changes in place. */
type State = Reading & {
  phase: 'open' | 'done' | 'failed';
  hasBegun: boolean;
  usage: Readonly<Record<string, unknown>>;
  /** By the index of the block. */
  readonly calls: Map<unknown, OpenCall>;
  callCount: number;
  events: AnswerEvent[];
};

/**
 * Reads the events of a Messages stream, one batch for each piece of its body. `message_delta` and `message_stop` are
 * withheld, because the format writes the end with the cost; so are errors, which may be about our account.
 */
export async function* readBatches(body: AsyncIterable<Uint8Array>, reading: Reading): AsyncGenerator<Batch> {
  const decoder = new TextDecoder();
  const state: State = {
    ...reading,
    ...{ phase: 'open', hasBegun: false, usage: {}, calls: new Map(), callCount: 0, events: [] },
  };
  const parser = createParser({
    onEvent: (message) => state.events.push(readEvent(state, message)),
    maxBufferSize: MAX_EVENT_CHARS,
    onError: ({ type }) => {
      if (type !== 'max-buffer-size-exceeded') return;
      if (state.phase === 'open') state.events.push(endless);
      state.phase = 'failed';
    },
  });
  for await (const piece of body) {
    state.events = [];
    parser.feed(decoder.decode(piece, { stream: true }));
    yield { events: state.events };
  }
  // The last event counts, even without the blank line after it.
  state.events = [];
  parser.feed(`${decoder.decode()}\n\n`);
  yield { events: state.events };
}

const readEvent = (state: State, { data: json, event }: EventSourceMessage): AnswerEvent => {
  if (state.phase !== 'open') return nothing;
  const data = parse(json);
  const type = field(data, 'type');
  if (type === 'error' || event === 'error') {
    state.phase = 'failed';
    return { kind: 'failed', refusal: refusedWithin(json) };
  }
  if (typeof type !== 'string') return nothing;
  switch (type) {
    case 'message_start':
      return begun(state, data, json);
    case 'content_block_start':
      return passing(state, type, json, textOfBlock(field(data, 'content_block')), startPieces(state, data));
    case 'content_block_delta':
      return passing(state, type, json, textOfDelta(field(data, 'delta')), deltaPieces(state, data));
    case 'content_block_stop':
      return passing(state, type, json, '', stopPieces(state, data));
    case 'message_delta':
      return ended(state, data);
    case 'message_stop':
      state.phase = 'done';
      return { kind: 'done' };
    default:
      // A ping, or an event that Anthropic adds later.
      return passing(state, type, json, '', []);
  }
};

/** An event with content or structure. In another dialect, an event without pieces is not sent to the customer. */
const passing = (state: State, type: string, json: string, text: string, pieces: readonly Piece[]): AnswerEvent => {
  const isEmpty = text === '' && pieces.length === 0;
  if (isEmpty && !state.isNative) return nothing;
  const parts = isEmpty ? [] : [{ choice: 0, text, finishReason: null, pieces }];
  return {
    kind: 'delta',
    parts,
    wire: state.isNative ? () => eventText(type, json.replaceAll('\n', ' ')) : undefined,
  };
};

/** Some gateways begin a message twice; the second one would make the SDKs fail. */
const begun = (state: State, data: unknown, json: string): AnswerEvent => {
  const message = field(data, 'message');
  const usage = field(message, 'usage');
  state.usage = usageAfter(state.usage, usage);
  if (state.hasBegun) return nothing;
  state.hasBegun = true;
  const id = field(message, 'id');
  // The first event may already have content.
  const blocks = asList(field(message, 'content'));
  const read = passing(state, 'message_start', json, blocks.map(textOfBlock).join(''), blocks.flatMap(textPieces));
  return {
    ...read,
    ...(typeof id === 'string' && id !== '' ? { id } : {}),
    ...(isThere(usage) ? { usageAtStart: usage } : {}),
    ...(isOtherTier({ usage }) ? { otherTier: true } : {}),
  } as AnswerEvent;
};

const textPieces = (block: unknown): readonly Piece[] => {
  const [text, thinking] = [field(block, 'text'), field(block, 'thinking')];
  if (typeof thinking === 'string' && thinking !== '') return [{ kind: 'thinking', text: thinking }];
  return typeof text === 'string' && text !== '' ? [{ kind: 'text', text }] : [];
};

const signed = (value: unknown): Piece => ({
  ...{ kind: 'thinking', text: '' },
  signature: { from: 'anthropic', value: String(value) },
});

const startPieces = (state: State, data: unknown): readonly Piece[] => {
  const block = field(data, 'content_block');
  const type = field(block, 'type');
  if (type === 'redacted_thinking') return [{ ...signed(field(block, 'data')), redacted: true } as Piece];
  if (type !== 'tool_use') return textPieces(block);
  const [id, name, given] = [String(field(block, 'id')), String(field(block, 'name')), field(block, 'input')];
  const input = state.customTools.has(name) ? createInputReader() : undefined;
  const open: OpenCall = { call: state.callCount++, input, hasArguments: false };
  state.calls.set(field(data, 'index'), open);
  const started: Piece = { kind: 'tool_call', index: open.call, id, name, ...(input ? { custom: true } : {}) };
  const isGiven = typeof given === 'object' && given !== null && Object.keys(given).length > 0;
  return isGiven ? [started, ...callPieces(open, JSON.stringify(given))] : [started];
};

const callPieces = (open: OpenCall, json: string): readonly Piece[] => {
  const { call, input } = open;
  if (json !== '') open.hasArguments = true;
  return argumentPieces(call, input ? input.read(json) : json, input !== undefined);
};

const argumentPieces = (index: number, text: string, isCustom: boolean): readonly Piece[] =>
  text === '' ? [] : [{ kind: 'tool_call', index, arguments: text, ...(isCustom ? { custom: true } : {}) }];

const deltaPieces = (state: State, data: unknown): readonly Piece[] => {
  const delta = field(data, 'delta');
  const json = field(delta, 'partial_json');
  const open = state.calls.get(field(data, 'index'));
  if (typeof json === 'string' && open) return callPieces(open, json);
  const signature = field(delta, 'signature');
  return typeof signature === 'string' ? [signed(signature)] : textPieces(delta);
};

/** A call without arguments streams none, and clients parse them as JSON. */
const stopPieces = (state: State, data: unknown): readonly Piece[] => {
  const index = field(data, 'index');
  const open = state.calls.get(index);
  state.calls.delete(index);
  if (!open) return [];
  const { call, input, hasArguments } = open;
  if (input) return argumentPieces(call, input.end(), true);
  return hasArguments ? [] : argumentPieces(call, '{}', false);
};

/** The stop reason, and the usage of the whole message. The format writes both once the charge is known. */
const ended = (state: State, data: unknown): AnswerEvent => {
  const delta = field(data, 'delta');
  const [reason, report] = [field(delta, 'stop_reason'), field(data, 'usage')];
  state.usage = usageAfter(state.usage, report);
  const chunk = state.isNative ? { usageChunk: data } : {};
  const usage = isThere(report) ? { usage: withIterations(state.usage), ...chunk } : {};
  if (typeof reason !== 'string') return { kind: 'report', ...usage };
  const part = { choice: 0, text: '', finishReason: finishReasonOf(reason), nativeFinishReason: reason };
  const event: DeltaEvent = {
    kind: 'delta',
    parts: [{ ...part, pieces: refusalIn(delta) }],
    wire: state.isNative ? () => '' : undefined,
    ...usage,
  };
  return isOtherTier({ usage: report }) ? { ...event, otherTier: true } : event;
};
