import type { ContentPart, OutputItem } from '../output-items.ts';

/** An item of a stream that is not complete. It changes in place. */
export type OpenItem = {
  /** Its place in the output. */
  readonly index: number;
  readonly item: OutputItem;
  /** The place of its part that is not complete. */
  part: number | undefined;
};

/** Writes events of a stream and counts them. It changes in place. */
export type EventCounter = { sequence: number };

export const writeEvent = (counter: EventCounter, type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: counter.sequence++, ...fields })}\n\n`;

/** The item that an event is about. */
const placeOf = ({ item, index }: OpenItem) => ({ item_id: item.id, output_index: index });

export const addItem = (counter: EventCounter, { index, item }: OpenItem): string =>
  writeEvent(counter, 'response.output_item.added', { output_index: index, item });

/** Begins a part of a message, or the summary of reasoning. */
export const addPart = (counter: EventCounter, open: OpenItem, part: object): string => {
  const parts = partsOf(open.item);
  open.part = parts.length;
  const event =
    open.item.type === 'message'
      ? writeEvent(counter, 'response.content_part.added', { ...placeOf(open), content_index: open.part, part })
      : writeEvent(counter, 'response.reasoning_summary_part.added', {
          ...{ ...placeOf(open), summary_index: open.part, part },
        });
  parts.push({ ...part });
  return event;
};

const partsOf = (item: OutputItem): object[] =>
  (item.type === 'message' ? item['content'] : item['summary']) as object[];

/** The part of an item that is not complete. */
export const openPart = ({ item, part }: OpenItem): ContentPart | undefined =>
  part === undefined ? undefined : (partsOf(item)[part] as ContentPart | undefined);

/** Adds text to the part that is not complete. */
export const addText = (counter: EventCounter, open: OpenItem, delta: string): string => {
  const part = openPart(open);
  if (!part) return '';
  const [place, index] = [placeOf(open), open.part];
  if (part.type === 'refusal') {
    part['refusal'] = String(part['refusal']) + delta;
    return writeEvent(counter, 'response.refusal.delta', { ...place, content_index: index, delta });
  }
  part['text'] = String(part['text']) + delta;
  return open.item.type === 'message'
    ? writeEvent(counter, 'response.output_text.delta', { ...place, content_index: index, delta, logprobs: [] })
    : writeEvent(counter, 'response.reasoning_summary_text.delta', { ...place, summary_index: index, delta });
};

/** Ends the part that is not complete. */
export const closePart = (counter: EventCounter, open: OpenItem): string => {
  const part = openPart(open);
  if (!part) return '';
  const [place, index] = [placeOf(open), open.part];
  open.part = undefined;
  if (open.item.type !== 'message') {
    const summary = { ...place, summary_index: index };
    return (
      writeEvent(counter, 'response.reasoning_summary_text.done', { ...summary, text: part['text'] }) +
      writeEvent(counter, 'response.reasoning_summary_part.done', { ...summary, part })
    );
  }
  const content = { ...place, content_index: index };
  const text =
    part.type === 'refusal'
      ? writeEvent(counter, 'response.refusal.done', { ...content, refusal: part['refusal'] })
      : writeEvent(counter, 'response.output_text.done', { ...content, text: part['text'], logprobs: [] });
  return text + writeEvent(counter, 'response.content_part.done', { ...content, part });
};

/** Continues a part, or ends it and begins another. */
export const continuePart = (
  counter: EventCounter,
  open: OpenItem,
  part: ContentPart | object,
  text: string,
): string => {
  const type = (part as { readonly type?: unknown }).type;
  if (openPart(open)?.type === type) return addText(counter, open, text);
  return closePart(counter, open) + addPart(counter, open, part) + (text === '' ? '' : addText(counter, open, text));
};

/** A piece of the arguments of a call. Those of a search have no events. */
export const addArguments = (counter: EventCounter, open: OpenItem, delta: string): string => {
  if (delta === '') return '';
  switch (open.item.type) {
    case 'function_call':
      return writeEvent(counter, 'response.function_call_arguments.delta', { ...placeOf(open), delta });
    case 'custom_tool_call':
      return writeEvent(counter, 'response.custom_tool_call_input.delta', { ...placeOf(open), delta });
    default:
      return '';
  }
};

/** Ends an item, with the events that end its parts. */
export const closeItem = (counter: EventCounter, open: OpenItem, status: 'completed' | 'incomplete'): string => {
  const { item, index } = open;
  const parts = closePart(counter, open) + closeArguments(counter, open);
  if (item.status !== undefined) item.status = status;
  return parts + writeEvent(counter, 'response.output_item.done', { output_index: index, item });
};

const closeArguments = (counter: EventCounter, open: OpenItem): string => {
  const { type, name, arguments: text, input } = open.item;
  if (type === 'function_call') {
    return writeEvent(counter, 'response.function_call_arguments.done', { ...placeOf(open), name, arguments: text });
  }
  return type === 'custom_tool_call'
    ? writeEvent(counter, 'response.custom_tool_call_input.done', { ...placeOf(open), input })
    : '';
};
