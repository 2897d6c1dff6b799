import type { Piece } from '../../../providers/answer.ts';
import type { Frame, Job, Settlement, StreamWriter } from '../../format.ts';
import type { ToolNames } from '../output-items.ts';
import { createPieceWriter, type PieceWriter } from './piece-writer.ts';
import { baseId, endedAs, responseOf, usageWithCost, type ResponseState } from '../response-object.ts';
import { closeItem, writeEvent } from './stream-events.ts';
import { createStreamState, followEvent, type StreamState } from './stream-state.ts';

/** Writes one stream: from pieces, or as the provider sent it in this format. */
export const openStream = (job: Job, names: ToolNames): StreamWriter => {
  const state = createStreamState();
  let pieces: PieceWriter | undefined;
  /** The first events of a stream that is written from pieces. */
  const begin = (frame: Frame): string => {
    if (state.frame || state.native) return '';
    state.frame = frame;
    const response = responseOf(frame, job, { status: 'in_progress', output: [] });
    return (
      writeEvent(state, 'response.created', { response }) + writeEvent(state, 'response.in_progress', { response })
    );
  };
  const writerOf = (frame: Frame): PieceWriter => (pieces ??= createPieceWriter(state, baseId(frame), names));
  const writePart = (frame: Frame, all: readonly Piece[], finishReason: string | null): string => {
    const writer = writerOf(frame);
    const written = all.map((piece) => writer.write(piece)).join('');
    if (finishReason === null) return written;
    state.finishReason = finishReason;
    return written + writer.close(finishReason === 'length' ? 'incomplete' : 'completed');
  };
  return {
    writeDelta: (frame, { wire, parsed, parts }) => {
      if (wire) {
        if (parsed) followEvent(state, parsed);
        return wire();
      }
      return begin(frame) + parts.map((part) => writePart(frame, part.pieces ?? [], part.finishReason)).join('');
    },
    writeCut: (frame, _, notice) => {
      const begun = begin(frame);
      state.cut = { notice };
      return begun + (pieces ? pieces.close('incomplete') : closeNative(state));
    },
    writeEnd: (frame, settlement, usageChunk) => {
      if (!state.cut && typeof usageChunk === 'object' && usageChunk !== null) {
        return nativeEnd(usageChunk as Readonly<Record<string, unknown>>, settlement);
      }
      const begun = begin(frame);
      return begun + (pieces?.close('completed') ?? '') + lastEvent(state, job, settlement);
    },
    writeError: (problem) => {
      const { error } = JSON.parse(problem) as { readonly error: object };
      return writeEvent(state, 'error', { error, ...error, type: 'error' });
    },
  };
};

const closeNative = (state: StreamState): string =>
  [...state.open.values()].map((open) => closeItem(state, open, 'incomplete')).join('');

/** The last event as the provider sent it, with the cost in its usage. */
const nativeEnd = (chunk: Readonly<Record<string, unknown>>, settlement: Settlement | undefined): string => {
  const response = chunk['response'] as object;
  const settled = settlement ? { ...response, usage: usageWithCost(settlement) } : response;
  const { type } = chunk;
  return `event: ${String(type)}\ndata: ${JSON.stringify({ type, ...chunk, response: settled })}\n\n`;
};

const lastEvent = (state: StreamState, job: Job, settlement: Settlement | undefined): string => {
  const { cut, native, frame, items } = state;
  const { status, incompleteReason } = endedAs(cut ? 'length' : state.finishReason);
  const ended: ResponseState = { ...{ status, incompleteReason, settlement }, output: items, notice: cut?.notice };
  const response = native ? nativeResponse(native, ended) : frame && responseOf(frame, job, ended);
  return writeEvent(state, `response.${status}`, { response });
};

/** A response of the provider that ends before the provider ended it. */
const nativeResponse = (
  native: Readonly<Record<string, unknown>>,
  { status, output, incompleteReason, notice, settlement }: ResponseState,
): object => ({
  ...native,
  ...{ status, output, incomplete_details: incompleteReason === undefined ? null : { reason: incompleteReason } },
  ...(settlement ? { usage: usageWithCost(settlement) } : {}),
  ...(notice ? { kissapi: { generation_id: notice.generationId, error: notice.error } } : {}),
});
