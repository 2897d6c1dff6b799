import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { asList, field, isThere } from '../../json/untyped-json.ts';
import { ProviderFailed, type Watch } from '../provider.ts';
import { isFailure } from './chunk.ts';
import { usageIn } from './usage-location.ts';

type Fields = Record<string, unknown>;

const MAX_CHARS = 64 * 1024 * 1024;
/** How long the connection may stay open after the whole answer. */
const END_WITHIN_MS = 1000;

/**
 * Builds one JSON answer from an event stream that the provider sent although none was requested. An error in the
 * stream is returned unchanged. Rejects with ProviderFailed if the stream ends before its answer does.
 */
export const gatherAnswer = async (
  endpoint: string,
  body: AsyncIterable<Uint8Array>,
  watch: Watch,
): Promise<string> => {
  const gathering = createGathering(endpoint === '/completions' ? 'text_completion' : 'chat.completion');
  try {
    watch.heard();
    await readAll(gathering, body, watch);
  } catch (error) {
    // A finished answer is complete, however its connection ends.
    if (!(error instanceof ProviderFailed) || gathering.answer() === undefined || !watch.isWanted) throw error;
  } finally {
    watch.pause();
  }
  const json = gathering.answer();
  if (json === undefined) throw new ProviderFailed('reset', 'the stream ended before its answer did');
  return json;
};

const readAll = async (gathering: Gathering, body: AsyncIterable<Uint8Array>, watch: Watch): Promise<void> => {
  let ending = false;
  for await (const piece of body) {
    const { events } = gathering;
    gathering.feed(piece);
    if (!ending && gathering.hasAll) {
      ending = true;
      watch.expectEnd(END_WITHIN_MS);
    }
    if (!ending && gathering.events > events) watch.heard();
  }
  gathering.close();
};

type Gathering = ReturnType<typeof createGathering>;

/** The type of an answer in one piece. */
export type WholeObject = 'chat.completion' | 'text_completion';

/** The parts of an answer so far. They change in place. */
type Gathered = {
  readonly answer: Fields;
  readonly choices: Map<number, Fields>;
  usage: unknown;
  failure: string | undefined;
  done: boolean;
  events: number;
  chars: number;
};

/** Joins the chunks of a stream as the format's own clients do. */
export const createGathering = (object: WholeObject) => {
  const decoder = new TextDecoder();
  const gathered: Gathered = {
    ...{ answer: {}, choices: new Map<number, Fields>(), usage: undefined, failure: undefined },
    ...{ done: false, events: 0, chars: 0 },
  };
  const parser = createParser({ onEvent: (message) => addMessage(gathered, message), maxBufferSize: MAX_CHARS });
  return {
    feed: (piece: Uint8Array): void => {
      const text = decoder.decode(piece, { stream: true });
      gathered.chars += text.length;
      if (gathered.chars > MAX_CHARS) {
        throw new ProviderFailed('reset', `the stream is longer than ${MAX_CHARS} characters`);
      }
      parser.feed(text);
    },
    /** The last event counts, even without the blank line after it. */
    close: (): void => parser.feed(`${decoder.decode()}\n\n`),
    get events() {
      return gathered.events;
    },
    /** True once nothing can follow, except a late usage. */
    get hasAll() {
      const { done, failure, usage } = gathered;
      return done || failure !== undefined || (hasFinished(gathered) && isThere(usage));
    },
    /** Undefined if the answer is not complete. */
    answer: (): string | undefined => answerOf(gathered, object),
  };
};

const addMessage = (gathered: Gathered, { data, event }: EventSourceMessage): void => {
  gathered.events++;
  if (gathered.failure !== undefined) return;
  if (data === '[DONE]') gathered.done = true;
  else if (!gathered.done && isFailure({ data, event })) gathered.failure = data;
  else addChunk(gathered, parse(data));
};

const addChunk = (gathered: Gathered, chunk: Fields): void => {
  const { answer, done } = gathered;
  const reported = usageIn(chunk);
  // After the end, a usage counts only if none came before it.
  if (isThere(reported) && (!done || !isThere(gathered.usage))) gathered.usage = reported;
  if (done) return;
  const { choices: parts, usage: _, ...rest } = chunk;
  for (const [name, value] of Object.entries(rest)) {
    if (isThere(value) || !(name in answer)) answer[name] = value;
  }
  for (const part of asList(parts)) if (typeof part === 'object' && part !== null) addChoice(gathered, part as Fields);
};

const addChoice = ({ choices }: Gathered, { delta, ...part }: Fields): void => {
  const index = typeof part['index'] === 'number' ? part['index'] : 0;
  const choice = choices.get(index) ?? { index };
  choices.set(index, choice);
  merge(choice, delta === undefined ? part : { ...part, message: delta });
};

const hasFinished = ({ choices }: Gathered): boolean =>
  choices.size > 0 && [...choices.values()].every((choice) => isText(choice['finish_reason']));

const hasAnswer = (gathered: Gathered): boolean =>
  hasFinished(gathered) ||
  (gathered.done && ([...gathered.choices.values()].some(hasContent) || isThere(gathered.usage)));

const answerOf = (gathered: Gathered, object: WholeObject): string | undefined => {
  const { answer, choices, usage, failure } = gathered;
  if (failure !== undefined) return failure;
  if (!hasAnswer(gathered)) return undefined;
  return JSON.stringify({
    system_fingerprint: null,
    ...answer,
    object,
    choices: [...choices.entries()].sort(([a], [b]) => a - b).map(([, choice]) => wholeChoice(choice, object)),
    ...(isThere(usage) ? { usage } : {}),
  });
};

/** Fields that each part repeats, rather than continues. */
const isRepeated = (name: string): boolean =>
  /^(?:id|index|type|role|name|format|status|phase|channel|recipient|finish_reason)$|_(?:id|reason)$/.test(name);

/** Texts and lists continue the earlier ones; entries of a list with an index continue the entry of that index. */
const merge = (into: Fields, part: Fields): void => {
  for (const [name, value] of Object.entries(part)) {
    const before = Object.hasOwn(into, name) ? into[name] : undefined;
    if (!isThere(value)) into[name] = before ?? value;
    else if (Array.isArray(value)) into[name] = mergeLists(asList(before), value);
    else if (isText(value) && isText(before)) into[name] = isRepeated(name) ? value : before + value;
    else if (isObject(value)) {
      const inner: Fields = isObject(before) ? before : {};
      merge(inner, value);
      into[name] = inner;
    } else if (value !== '' || before === undefined || before === null) into[name] = value;
  }
};

const mergeLists = (before: readonly unknown[], more: readonly unknown[]): unknown[] => {
  const list = [...before];
  for (const item of more) {
    const index = field(item, 'index');
    const place = typeof index === 'number' ? list.findIndex((one) => field(one, 'index') === index) : -1;
    const same = list[place];
    if (isObject(same) && isObject(item) && !isAnother(same, item)) merge(same, item);
    else if (isObject(item)) {
      const copy: Fields = {};
      merge(copy, item);
      list.push(copy);
    } else list.push(item);
  }
  return list;
};

/** Gemini sends several tool calls under one index, each with its own id. */
const isAnother = (one: Fields, other: Fields): boolean =>
  isText(one['id']) && isText(other['id']) && one['id'] !== other['id'];

const wholeChoice = (choice: Fields, object: WholeObject): Fields => {
  if (object === 'text_completion') return { text: '', logprobs: null, finish_reason: null, ...choice };
  const message = isObject(choice['message']) ? choice['message'] : {};
  const calls = asList(message['tool_calls']).map((call) => {
    if (!isObject(call)) return call;
    const { index: _, ...rest } = call;
    return { type: 'function', ...rest };
  });
  const whole = { role: 'assistant', content: null, refusal: null, ...message };
  return {
    logprobs: null,
    finish_reason: null,
    ...choice,
    message: {
      ...whole,
      // A stream of tool calls begins with an empty content.
      ...(calls.length > 0 ? { content: whole.content === '' ? null : whole.content, tool_calls: calls } : {}),
    },
  };
};

const hasContent = ({ text, message }: Fields): boolean =>
  isText(text) ||
  (isObject(message) && Object.entries(message).some(([name, value]) => name !== 'role' && isFilled(value)));

const isFilled = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : isThere(value) && value !== '';
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parse = (json: string): Fields => {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
};
