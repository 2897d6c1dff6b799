import type { Message, Tool } from '../../../src/proxy/formats/conversation.ts';
import type { Asked, Call, Turn } from './turn.ts';

type Json = Readonly<Record<string, unknown>>;

const textOf = ({ parts }: Message): string => parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');

/** The messages after the last one of the user. */
const step = ({ messages }: Asked): readonly Message[] =>
  messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1);

/**
 * A tiny model for conversations: it calls the tools that the text of the user names, or else the first one; once it has
 * their results, it answers with them; without tools it repeats the text, or returns JSON of the schema.
 */
export const converse = (asked: Asked): Turn => {
  const turn = answerOf(asked);
  const { thinking, texts = [], calls = [] } = turn;
  const called = calls.map(({ name, arguments: args }) => ({ name, args }));
  const usage = {
    input: tokens(JSON.stringify([asked.messages, asked.tools])),
    output: tokens(texts.join('')) + (calls.length > 0 ? tokens(JSON.stringify(called)) : 0),
    reasoning: tokens(thinking?.text ?? ''),
  };
  return { ...turn, usage };
};

/** About as many as a provider counts, so that the gateway accepts the usage. */
const tokens = (text: string): number => Math.ceil(text.length / 6);

const answerOf = (asked: Asked): Turn => {
  const { settings, messages } = asked;
  const results = step(asked).filter(({ role }) => role === 'tool');
  const thinks = settings.thinking !== undefined && settings.thinking.kind !== 'off';
  const thinking = thinks ? { thinking: { text: 'Let me see. ', signature: `sig-${messages.length}` } } : {};
  if (results.length > 0) return { ...thinking, texts: words(`The result is ${results.map(textOf).join(', ')}.`) };
  const calls = callsOf(asked);
  if (calls.length > 0) return { ...thinking, calls };
  if (settings.output?.kind === 'schema') {
    return { ...thinking, texts: words(JSON.stringify(exampleOf(settings.output.schema, ''))) };
  }
  return { ...thinking, texts: words(`You wrote: ${lastText(asked)}`) };
};

const lastText = ({ messages }: Asked): string => {
  const last = messages.findLast(({ role }) => role === 'user');
  return last ? textOf(last) : '';
};

const words = (text: string): readonly string[] => text.split(/(?<= )/);

const callsOf = (asked: Asked): readonly Call[] => {
  const { tools, settings, messages } = asked;
  const { toolChoice: choice } = settings;
  if (choice?.kind === 'none') return [];
  const text = lastText(asked);
  const named = tools.filter(({ name }) => (choice?.kind === 'tool' ? choice.name === name : text.includes(name)));
  return (named.length > 0 ? named : tools.slice(0, 1)).map((tool, index) => ({
    id: `call_${messages.length}_${index}`,
    name: tool.name,
    arguments: exampleOf(schemaOf(tool), text) as object,
    ...(index === 0 ? { signature: `sig-call-${messages.length}` } : {}),
  }));
};

const schemaOf = (tool: Tool): Json => (tool.kind === 'function' ? (tool.schema ?? {}) : {});

/** A value that a JSON Schema allows. Strings are the last word of the text. */
const exampleOf = (schema: unknown, text: string): unknown => {
  const { type, properties = {}, items, enum: values } = (schema ?? {}) as Json & { readonly enum?: unknown[] };
  if (Array.isArray(values)) return values[0] as unknown;
  switch (Array.isArray(type) ? (type[0] as unknown) : type) {
    case 'string':
      return /[\p{L}\d]+(?=\P{L}*$)/u.exec(text)?.[0] ?? 'text';
    case 'number':
    case 'integer':
      return 7;
    case 'boolean':
      return true;
    case 'array':
      return [exampleOf(items, text)];
    default:
      return Object.fromEntries(
        Object.entries(properties as Json).map(([name, value]) => [name, exampleOf(value, text)]),
      );
  }
};
