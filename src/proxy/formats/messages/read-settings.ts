import { anthropicThinking } from '../chat/read-settings.ts';
import type { OutputFormat, Settings, ThinkingSetting, ToolChoice } from '../conversation.ts';
import type { Job } from '../format.ts';
import { cannotTranslate, recordOf, refuse } from '../translating.ts';
import { field, isThere, strings } from '../../json/untyped-json.ts';

type Fields = Job['fields'];

/** The settings of a Messages request. */
export const readSettings = (fields: Fields): Settings => {
  const choice = fields['tool_choice'];
  return {
    temperature: numberIn(fields, 'temperature'),
    topP: numberIn(fields, 'top_p'),
    topK: numberIn(fields, 'top_k'),
    stop: isThere(fields['stop_sequences']) ? strings(fields['stop_sequences']) : undefined,
    toolChoice: toolChoiceOf(choice),
    parallelToolCalls: field(choice, 'disable_parallel_tool_use') === true ? false : undefined,
    output: outputOf(fields['output_config']),
    thinking: thinkingOf(fields),
  };
};

const numberIn = (fields: Fields, name: string): number | undefined => {
  const value = fields[name];
  if (!isThere(value)) return undefined;
  return typeof value === 'number' ? value : refuse(name, 'must be a number.');
};

const toolChoiceOf = (choice: unknown): ToolChoice | undefined => {
  if (!isThere(choice)) return undefined;
  const [type, name] = [field(choice, 'type'), field(choice, 'name')];
  if (type === 'auto' || type === 'none') return { kind: type };
  if (type === 'any') return { kind: 'required' };
  return type === 'tool' && typeof name === 'string' ? { kind: 'tool', name } : cannotTranslate('tool_choice');
};

const outputOf = (config: unknown): OutputFormat | undefined => {
  for (const [name, value] of Object.entries(recordOf(config))) {
    if (name !== 'format' && name !== 'effort' && isThere(value)) return cannotTranslate(`output_config.${name}`);
  }
  const format = field(config, 'format');
  if (!isThere(format)) return undefined;
  if (field(format, 'type') !== 'json_schema') return cannotTranslate('output_config.format.type');
  // Anthropic guarantees that the answer is of the schema.
  return { kind: 'schema', name: 'answer', schema: recordOf(field(format, 'schema')), strict: true };
};

/** A budget is more precise than an effort, and an effort more than `adaptive`. */
const thinkingOf = (fields: Fields): ThinkingSetting | undefined => {
  const { thinking, output_config: config } = fields;
  const effort = field(config, 'effort');
  const set = isThere(thinking) ? anthropicThinking(thinking, 'thinking') : undefined;
  if (set && set.kind !== 'adaptive') return set;
  if (!isThere(effort)) return set;
  return typeof effort === 'string' ? { kind: 'effort', effort } : refuse('output_config.effort', 'must be a string.');
};
