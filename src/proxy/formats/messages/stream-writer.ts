import { parseExact } from '../../json/exact-json.ts';
import { asList, field, isThere } from '../../json/untyped-json.ts';
import { noUsage } from '../../../domain/money.ts';
import type { Piece } from '../../providers/answer.ts';
import type { Frame, Job, Notice, Settlement, StreamWriter } from '../format.ts';
import { writtenSignature } from '../signatures.ts';
import { noUsageYet, settledUsage } from './messages-usage.ts';
import { stopReasonOf } from './stop-reasons.ts';
import { messageFrame, textBlock, thinkingBlock, toolBlock } from './write-message.ts';

/** An event of a Messages stream. The SDKs ignore events without a name. */
export const eventText = (name: string, json: string): string => `event: ${name}\ndata: ${json}\n\n`;

const event = (type: string, members: object): string => eventText(type, JSON.stringify({ type, ...members }));

/** What was written so far. It changes in place. */
type Writing = {
  hasBegun: boolean;
  /** The block that is not closed yet. */
  open: { readonly index: number; readonly kind: 'text' | 'thinking' | 'tool_call' | 'native' } | undefined;
  nextIndex: number;
  /** The blocks of tool calls, by the index of the call. */
  readonly calls: Map<number, number>;
  finishReason: string | null;
  cut: { readonly notice: Notice | undefined } | undefined;
};

/** Writes one stream in Anthropic's shape. Blocks open and close in order; the end carries the usage with the cost. */
export const createStreamWriter = (_job: Job): StreamWriter => {
  const writing: Writing = {
    ...{ hasBegun: false, open: undefined, nextIndex: 0, calls: new Map(), finishReason: null, cut: undefined },
  };
  return {
    writeDelta: (frame, { wire, parts }) => {
      for (const { finishReason } of parts) writing.finishReason = finishReason ?? writing.finishReason;
      if (wire) return followed(writing, wire());
      const pieces = parts.flatMap((part) => part.pieces ?? []);
      return pieces.length === 0
        ? ''
        : begin(writing, frame) + pieces.map((piece) => pieceText(writing, piece)).join('');
    },
    writeCut: (_frame, _choices, notice) => {
      writing.cut = { notice };
      return '';
    },
    writeEnd: (frame, settlement, usageChunk) =>
      begin(writing, frame) +
      close(writing) +
      endText(writing, settlement ?? nothing, usageChunk) +
      event('message_stop', {}),
    // No `message_stop` follows, so that clients do not take the message for complete.
    writeError: (problem) => eventText('error', problem),
  };
};

const nothing: Settlement = { charged: 0n, usage: noUsage };

const begin = (writing: Writing, frame: Frame): string => {
  if (writing.hasBegun) return '';
  writing.hasBegun = true;
  return event('message_start', { message: { ...messageFrame(frame), content: [], usage: noUsageYet } });
};

const DELTA = 'event: content_block_delta';

/** Passes an event of the provider on, and follows which block is open, so that a cut can close it. */
const followed = (writing: Writing, text: string): string => {
  if (text === '' || text.startsWith(DELTA)) return text;
  const data = JSON.parse(text.slice(text.indexOf('\ndata: ') + '\ndata: '.length)) as unknown;
  const [type, index] = [field(data, 'type'), Number(field(data, 'index'))];
  if (type === 'message_start') writing.hasBegun = true;
  if (type === 'content_block_start') {
    writing.open = { index, kind: 'native' };
    writing.nextIndex = index + 1;
    if (field(field(data, 'content_block'), 'type') === 'tool_use') writing.calls.set(writing.calls.size, index);
  }
  if (type === 'content_block_stop' && writing.open?.index === index) writing.open = undefined;
  return text;
};

const close = (writing: Writing): string => {
  const { open } = writing;
  writing.open = undefined;
  return open ? event('content_block_stop', { index: open.index }) : '';
};

const start = (writing: Writing, kind: 'text' | 'thinking' | 'tool_call', block: object): string => {
  const closed = close(writing);
  const index = writing.nextIndex++;
  writing.open = { index, kind };
  return closed + event('content_block_start', { index, content_block: block });
};

const delta = (index: number | undefined, type: string, members: object): string =>
  event('content_block_delta', { index, delta: { type, ...members } });

const pieceText = (writing: Writing, piece: Piece): string => {
  switch (piece.kind) {
    case 'text':
    case 'refusal': {
      if (piece.text === '') return '';
      const started = writing.open?.kind === 'text' ? '' : start(writing, 'text', textBlock(''));
      return started + delta(writing.open?.index, 'text_delta', { text: piece.text });
    }
    case 'thinking':
      return thinkingText(writing, piece);
    case 'tool_call':
      return callText(writing, piece);
  }
};

/** A signature ends its block. Google's signature without a text is about the next part, so it has a block of its own. */
const thinkingText = (writing: Writing, piece: Extract<Piece, { readonly kind: 'thinking' }>): string => {
  const { text, signature, redacted } = piece;
  if (redacted === true) return start(writing, 'thinking', thinkingBlock(piece)) + close(writing);
  if (text === '' && !signature) return '';
  const isOwn = text === '' && signature?.from === 'gemini';
  const continues = writing.open?.kind === 'thinking' && !isOwn;
  const started = continues ? '' : start(writing, 'thinking', thinkingBlock({ text: '' }));
  const thought = text === '' ? '' : delta(writing.open?.index, 'thinking_delta', { thinking: text });
  if (!signature) return started + thought;
  const signed = delta(writing.open?.index, 'signature_delta', { signature: writtenSignature(signature, 'anthropic') });
  return started + thought + signed + close(writing);
};

const callText = (writing: Writing, piece: Extract<Piece, { readonly kind: 'tool_call' }>): string => {
  const { index: call, id, name = '', arguments: json = '' } = piece;
  const known = writing.calls.get(call);
  let started = '';
  if (known === undefined) {
    started = start(writing, 'tool_call', toolBlock(id ?? `call_${call}`, name));
    writing.calls.set(call, writing.nextIndex - 1);
  }
  return json === '' ? started : started + delta(writing.calls.get(call), 'input_json_delta', { partial_json: json });
};

const endText = (writing: Writing, settlement: Settlement, usageChunk: unknown): string => {
  const { cut, finishReason, calls } = writing;
  const usage = settledUsage(settlement);
  if (!cut && isThere(usageChunk))
    return eventText('message_delta', JSON.stringify({ ...(usageChunk as object), usage }));
  const stopReason = cut ? 'max_tokens' : stopReasonOf(finishReason, calls.size > 0);
  const notice = cut?.notice && { kissapi: { generation_id: cut.notice.generationId, error: cut.notice.error } };
  const ending = { stop_reason: stopReason, stop_sequence: null, stop_details: null, container: null };
  return event('message_delta', { delta: ending, usage, ...notice });
};

/** A whole answer, with its settlement, as a stream. */
export const streamOfAnswer = (body: string): string => {
  const { content, usage, stop_reason, stop_sequence, stop_details, container, kissapi, ...message } = parseExact(
    body,
  ) as Readonly<Record<string, unknown>>;
  const { cost: _, cost_usd: costUsd, ...begun } = usage as Readonly<Record<string, unknown>>;
  const settled = { ...begun, cost: JSON.rawJSON(String(costUsd)), cost_usd: costUsd };
  const blocks = asList(content).map((block, index) => blockEvents(block, index));
  const ending = { stop_reason, stop_sequence, stop_details, container };
  const none = { stop_reason: null, stop_sequence: null, stop_details: null, container: container ?? null };
  return [
    event('message_start', { message: { ...message, ...none, content: [], usage: { ...begun, output_tokens: 0 } } }),
    ...blocks,
    event('message_delta', { delta: ending, usage: settled, ...(isThere(kissapi) ? { kissapi } : {}) }),
    event('message_stop', {}),
  ].join('');
};

const blockEvents = (block: unknown, index: number): string => {
  const [empty, ...deltas] = piecesOf(block);
  const events = deltas.map((piece) => event('content_block_delta', { index, delta: piece }));
  return [
    event('content_block_start', { index, content_block: empty }),
    ...events,
    event('content_block_stop', { index }),
  ].join('');
};

/** The block as it begins, and the deltas that fill it. */
const piecesOf = (block: unknown): readonly [object, ...object[]] => {
  const whole = block as Readonly<Record<string, unknown>>;
  switch (whole['type']) {
    case 'text':
      return [
        { ...whole, text: '' },
        { type: 'text_delta', text: whole['text'] },
      ];
    case 'thinking': {
      const { thinking, signature } = whole;
      const signed = signature === '' ? [] : [{ type: 'signature_delta', signature }];
      return [{ ...whole, thinking: '', signature: '' }, { type: 'thinking_delta', thinking }, ...signed];
    }
    case 'tool_use':
      return [
        { ...whole, input: {} },
        { type: 'input_json_delta', partial_json: JSON.stringify(whole['input'] ?? {}) },
      ];
    default:
      return [whole];
  }
};
