import { asList, field, strings } from '../../../json/untyped-json.ts';
import type { StreamFormat } from '../../format.ts';
import { withArguments, type OutputItem } from '../output-items.ts';
import {
  addArguments,
  addItem,
  addPart,
  addText,
  closeItem,
  closePart,
  writeEvent,
  type EventCounter,
  type OpenItem,
} from './stream-events.ts';

/** A whole response as the stream of its events. */
export const streamFromAnswer: StreamFormat['fromAnswer'] = (body) => {
  const { usage, ...response } = JSON.parse(body) as Readonly<Record<string, unknown>>;
  const counter: EventCounter = { sequence: 0 };
  const begun = { ...response, status: 'in_progress', output: [], incomplete_details: null };
  const first = ['response.created', 'response.in_progress'].map((type) =>
    writeEvent(counter, type, { response: begun }),
  );
  const items = asList(response['output']).map((item, index) => eventsOf(counter, item as OutputItem, index));
  // The parsed cost is a float, so it is written from its text.
  const settled = { ...(usage as object), cost: JSON.rawJSON(String(field(usage, 'cost_usd'))) };
  const last = writeEvent(counter, `response.${String(response['status'])}`, {
    response: { ...response, usage: settled },
  });
  return [...first, ...items, last].join('');
};

const eventsOf = (counter: EventCounter, item: OutputItem, index: number): string => {
  const { content, summary, arguments: text, input } = item;
  const [isMessage, isReasoning] = [item.type === 'message', item.type === 'reasoning'];
  const begun: OutputItem = {
    ...item,
    ...(item.status === undefined ? {} : { status: 'in_progress' }),
    ...(isMessage ? { content: [] } : {}),
    ...(isReasoning ? { summary: [] } : {}),
    ...(typeof text === 'string' ? { arguments: '' } : {}),
    ...(typeof input === 'string' ? { input: '' } : {}),
  };
  const open: OpenItem = { index, item: begun, part: undefined };
  const added = addItem(counter, open);
  const parts = asList(isMessage ? content : isReasoning ? summary : []).map((part) =>
    eventsOfPart(counter, open, part),
  );
  const called = [...strings(typeof text === 'string' ? text : input)].map((all) => {
    withArguments(begun, all);
    return addArguments(counter, open, all);
  });
  if (isMessage) begun['content'] = content;
  const status = item.status === 'incomplete' ? 'incomplete' : 'completed';
  return [added, ...parts, ...called, closeItem(counter, open, status)].join('');
};

const eventsOfPart = (counter: EventCounter, open: OpenItem, part: unknown): string => {
  const name = field(part, 'type') === 'refusal' ? 'refusal' : 'text';
  const begun = addPart(counter, open, { ...(part as object), [name]: '' });
  return begun + addText(counter, open, String(field(part, name))) + closePart(counter, open);
};
