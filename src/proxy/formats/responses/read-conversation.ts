import { asList, field, isThere } from '../../json/untyped-json.ts';
import type { Conversation, Message, OutputFormat, Settings, ThinkingSetting } from '../conversation.ts';
import type { BadRequest, Job } from '../format.ts';
import { cannotTranslate, recordOf, refuse, translating } from '../translating.ts';
import { readInput } from './read-items.ts';
import { namedTools, readToolChoice } from './tools.ts';

/** Reads a request as a conversation in no dialect. */
export const readConversation = (fields: Job['fields']): Conversation | BadRequest =>
  translating(() => {
    const all = [...namedTools(fields).values()].map(({ tool }) => tool);
    const { tools, toolChoice } = readToolChoice(fields['tool_choice'], all);
    const { parallel_tool_calls: parallel, text, reasoning } = fields;
    const verbosity = field(text, 'verbosity');
    const settings: Settings = {
      temperature: numberIn(fields, 'temperature'),
      topP: numberIn(fields, 'top_p'),
      toolChoice,
      parallelToolCalls: typeof parallel === 'boolean' ? parallel : undefined,
      output: outputOf(field(text, 'format')),
      thinking: thinkingOf(reasoning),
      verbosity: typeof verbosity === 'string' ? verbosity : undefined,
    };
    return {
      messages: [...instructionsOf(fields), ...readInput(fields['input'])],
      ...{ tools, settings, others: othersOf(fields) },
    };
  });

const instructionsOf = ({ instructions }: Job['fields']): readonly Message[] => {
  if (!isThere(instructions) || instructions === '') return [];
  if (typeof instructions !== 'string') return refuse('instructions', 'must be a string.');
  return [{ role: 'system', parts: [{ kind: 'text', text: instructions }] }];
};

const numberIn = (fields: Job['fields'], name: string): number | undefined => {
  const value = fields[name];
  if (!isThere(value)) return undefined;
  return typeof value === 'number' ? value : refuse(name, 'must be a number.');
};

const outputOf = (format: unknown): OutputFormat | undefined => {
  const type = field(format, 'type');
  if (!isThere(format) || type === 'text') return undefined;
  if (type === 'json_object') return { kind: 'json' };
  if (type !== 'json_schema') return cannotTranslate('text.format.type');
  const [name, description] = [field(format, 'name'), field(format, 'description')];
  return {
    kind: 'schema',
    name: typeof name === 'string' ? name : 'answer',
    ...(typeof description === 'string' ? { description } : {}),
    schema: recordOf(field(format, 'schema')),
    ...(field(format, 'strict') === true ? { strict: true } : {}),
  };
};

/** Which summary is wanted is not carried over: reasoning is returned as the provider returns it. */
const thinkingOf = (reasoning: unknown): ThinkingSetting | undefined => {
  const effort = field(reasoning, 'effort');
  if (!isThere(effort)) return undefined;
  if (typeof effort !== 'string') return refuse('reasoning.effort', 'must be a string.');
  return effort === 'none' ? { kind: 'off' } : { kind: 'effort', effort };
};

/** Fields that decide the answer and have no counterpart in other dialects. */
const othersOf = (fields: Job['fields']): Conversation['others'] => {
  const { top_logprobs: logprobs, truncation, include, simulate } = fields;
  return {
    ...(isThere(logprobs) && logprobs !== 0 ? { top_logprobs: logprobs } : {}),
    // The provider would leave out the middle of a conversation that is too long.
    ...(isThere(truncation) && truncation !== 'disabled' ? { truncation } : {}),
    ...(asList(include).includes('message.output_text.logprobs') ? { include } : {}),
    ...(isThere(simulate) ? { simulate } : {}),
  };
};
