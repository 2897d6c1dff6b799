import { createParser } from 'eventsource-parser';
import type { Call } from './call.ts';
import { asList, field, isThere } from '../json/untyped-json.ts';
import { isFailure } from '../metering/meter.ts';
import { usageIn } from '../metering/usage-dialects.ts';
import type { Endpoint } from '../providers/provider.ts';
import { UpstreamFailed } from '../providers/provider.ts';

type Fields = Record<string, unknown>;

const MAX_CHARS = 64 * 1024 * 1024;

/**
 * One JSON answer made of an event stream that came to a request for no stream. Undefined if the stream ends before its
 * answer does; an error in it is returned as it came.
 */
export const gatherAnswer = async (
  call: Call,
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly json: string } | undefined> => {
  const gathered = createGathered(call.request.endpoint);
  let ending = false;
  try {
    call.heard();
    for await (const piece of body) {
      const { events } = gathered;
      gathered.feed(piece);
      if (!ending && gathered.hasAll) {
        ending = true;
        call.expectEnd(END_WITHIN_MS, 'finished');
      }
      if (!ending && gathered.events > events) call.heard();
    }
    gathered.close();
  } catch (error) {
    // What finished is whole, however its connection ends.
    if (!(error instanceof UpstreamFailed) || gathered.answer() === undefined) throw error;
    if (call.cancelled === 'client_gone' || call.cancelled === 'drained') throw error;
  } finally {
    call.pause();
  }
  const json = gathered.answer();
  return json === undefined ? undefined : { json };
};

/** After all has come, only the end of the connection is awaited. */
const END_WITHIN_MS = 1000;

/** Puts the chunks of a stream together, as the format's own clients do. */
export const createGathered = (endpoint: Endpoint) => {
  const decoder = new TextDecoder();
  const answer: Fields = {};
  const choices = new Map<number, Fields>();
  let usage: unknown;
  let failure: string | undefined;
  let done = false;
  let events = 0;
  let chars = 0;

  const addChunk = (chunk: Fields): void => {
    const reported = usageIn(chunk);
    // After the end a usage counts only if none came before it.
    if (isThere(reported) && (!done || !isThere(usage))) usage = reported;
    if (done) return;
    const { choices: parts, usage: _, ...rest } = chunk;
    for (const [name, value] of Object.entries(rest)) {
      if (isThere(value) || !(name in answer)) answer[name] = value;
    }
    for (const part of asList(parts)) if (typeof part === 'object' && part !== null) addChoice(part as Fields);
  };
  const addChoice = ({ delta, ...part }: Fields): void => {
    const index = typeof part['index'] === 'number' ? part['index'] : 0;
    const choice = choices.get(index) ?? { index };
    choices.set(index, choice);
    merge(choice, delta === undefined ? part : { ...part, message: delta });
  };
  const parser = createParser({
    onEvent: ({ data, event }) => {
      events++;
      if (failure !== undefined) return;
      if (data === '[DONE]') done = true;
      else if (!done && isFailure({ data, event })) failure = data;
      else addChunk(parse(data));
    },
    maxBufferSize: MAX_CHARS,
  });
  const hasFinished = (): boolean =>
    choices.size > 0 && [...choices.values()].every((choice) => isText(choice['finish_reason']));
  const hasAnswer = (): boolean =>
    failure !== undefined || hasFinished() || (done && ([...choices.values()].some(saysAnything) || isThere(usage)));

  return {
    feed: (piece: Uint8Array): void => {
      const text = decoder.decode(piece, { stream: true });
      chars += text.length;
      if (chars > MAX_CHARS) throw new UpstreamFailed('reset', `the stream is longer than ${MAX_CHARS} characters`);
      parser.feed(text);
    },
    /** The last event counts, also if the blank line after it is missing. */
    close: (): void => parser.feed(`${decoder.decode()}\n\n`),
    get events() {
      return events;
    },
    /** Nothing that counts comes any more, but for a usage that is late. */
    get hasAll() {
      return done || failure !== undefined || (hasFinished() && isThere(usage));
    },
    /** Undefined if the answer is not complete. */
    answer: (): string | undefined => {
      if (failure !== undefined) return failure;
      if (!hasAnswer()) return undefined;
      const object = endpoint === '/completions' ? 'text_completion' : 'chat.completion';
      const all = [...choices.entries()].sort(([a], [b]) => a - b).map(([, choice]) => wholeChoice(choice, endpoint));
      return JSON.stringify({
        system_fingerprint: null,
        ...answer,
        object,
        choices: all,
        ...(isThere(usage) ? { usage } : {}),
      });
    },
  };
};

/** What a part repeats rather than continues. */
const isRepeated = (name: string): boolean =>
  /^(?:id|index|type|role|name|format|status|phase|channel|recipient|finish_reason)$|_(?:id|reason)$/.test(name);

/** Texts and lists continue those before them; entries of a list that have an index continue the one of that index. */
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

/** Gemini calls several tools under one index, each with an id of its own. */
const isAnother = (one: Fields, other: Fields): boolean =>
  isText(one['id']) && isText(other['id']) && one['id'] !== other['id'];

const wholeChoice = (choice: Fields, endpoint: Endpoint): Fields => {
  if (endpoint === '/completions') return { text: '', logprobs: null, finish_reason: null, ...choice };
  const message = isObject(choice['message']) ? choice['message'] : {};
  const calls = asList(message['tool_calls']).map((call) => {
    if (!isObject(call)) return call;
    const { index: _, ...rest } = call;
    return { type: 'function', ...rest };
  });
  const said = { role: 'assistant', content: null, refusal: null, ...message };
  return {
    logprobs: null,
    finish_reason: null,
    ...choice,
    message: {
      ...said,
      // A text of nothing beside calls of tools is what a stream begins with.
      ...(calls.length > 0 ? { content: said.content === '' ? null : said.content, tool_calls: calls } : {}),
    },
  };
};

const saysAnything = ({ text, message }: Fields): boolean =>
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
