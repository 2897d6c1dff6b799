import { field } from '../../../json/untyped-json.ts';
import type { Frame, Notice } from '../../format.ts';
import type { OutputItem } from '../output-items.ts';
import { openPart, type EventCounter, type OpenItem } from './stream-events.ts';

/** A stream so far. It changes in place. */
export type StreamState = EventCounter & {
  /** That of the first event: an answer has one id. */
  frame: Frame | undefined;
  /** The response as the provider sent it, if its events are passed on. */
  native: Readonly<Record<string, unknown>> | undefined;
  /** All items so far, by their places in the output. */
  readonly items: OutputItem[];
  /** Those that are not complete, by their places. */
  readonly open: Map<number, OpenItem>;
  finishReason: string | null;
  /** A limit ended the stream, with the reason if it is not a limit of the request. */
  cut: { readonly notice: Notice | undefined } | undefined;
};

export const createStreamState = (): StreamState => ({
  ...{ sequence: 0, frame: undefined, native: undefined, items: [], open: new Map<number, OpenItem>() },
  ...{ finishReason: null, cut: undefined },
});

type Parsed = Readonly<Record<string, unknown>>;

/** Follows an event that is passed on as the provider sent it, so that a limit can end the stream in order. */
export const followEvent = (state: StreamState, event: Parsed): void => {
  const { sequence_number: sequence, output_index: index, item, response, type } = event;
  if (typeof sequence === 'number') state.sequence = sequence + 1;
  if (typeof response === 'object' && response !== null) state.native = response as Parsed;
  if (typeof index !== 'number') return;
  if (type === 'response.output_item.added' || type === 'response.output_item.done') {
    state.items[index] = item as OutputItem;
    if (type === 'response.output_item.done') state.open.delete(index);
    else state.open.set(index, { index, item: item as OutputItem, part: undefined });
  } else {
    const open = state.open.get(index);
    if (open) followPart(open, event);
  }
};

/** Fields of an item that hold its parts, by the field of an event that is the place of a part. */
const lists = [
  ['content_index', 'content'],
  ['summary_index', 'summary'],
] as const;

const followPart = (open: OpenItem, event: Parsed): void => {
  const type = String(event['type']);
  const { delta } = event;
  for (const [index, list] of lists) {
    const place = event[index];
    const parts = open.item[list];
    if (typeof place !== 'number' || !Array.isArray(parts) || typeof event['part'] !== 'object') continue;
    parts[place] = event['part'];
    open.part = type.endsWith('.added') ? place : undefined;
  }
  if (typeof delta !== 'string') return;
  const part = openPart(open);
  if (part) {
    const name = part.type === 'refusal' ? 'refusal' : 'text';
    part[name] = String(field(part, name) ?? '') + delta;
  } else if (type === 'response.function_call_arguments.delta') {
    open.item['arguments'] = String(open.item['arguments'] ?? '') + delta;
  } else if (type === 'response.custom_tool_call_input.delta') {
    open.item['input'] = String(open.item['input'] ?? '') + delta;
  }
};
