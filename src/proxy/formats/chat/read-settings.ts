import { field, isThere, strings } from '../../json/untyped-json.ts';
import type { Conversation, OutputFormat, Settings, ThinkingSetting, ToolChoice } from '../conversation.ts';
import type { Job } from '../format.ts';
import { cannotTranslate, recordOf, refuse } from '../translating.ts';

/** Fields that a job has as properties of its own. */
const ofJob = ['model', 'messages', 'tools', 'stream', 'stream_options', 'n', 'max_tokens', 'max_completion_tokens'];
/** Fields that name the customer or its cache to a provider. Our own values replace them, or nothing does. */
const ofCustomer = ['user', 'metadata', 'store', 'safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'];
/** Fields whose priced value is the default, which is checked when the request is read. */
const priced = ['service_tier', 'speed', 'inference_geo', 'modalities'];
const settingFields = [
  ...['temperature', 'top_p', 'top_k', 'frequency_penalty', 'presence_penalty', 'seed', 'stop', 'tool_choice'],
  ...['parallel_tool_calls', 'response_format', 'reasoning_effort', 'reasoning', 'thinking', 'verbosity'],
];
const known = new Set([...ofJob, ...ofCustomer, ...priced, ...settingFields]);

const isOff = (value: unknown): boolean => !isThere(value) || value === false || value === 0;

/** The settings of a chat; `others` are fields without a neutral meaning. */
export const readSettings = (fields: Job['fields']): Pick<Conversation, 'settings' | 'others'> => ({
  settings: {
    temperature: numberIn(fields, 'temperature'),
    topP: numberIn(fields, 'top_p'),
    topK: numberIn(fields, 'top_k'),
    frequencyPenalty: numberIn(fields, 'frequency_penalty'),
    presencePenalty: numberIn(fields, 'presence_penalty'),
    seed: numberIn(fields, 'seed'),
    stop: isThere(fields['stop']) ? strings(fields['stop']) : undefined,
    toolChoice: toolChoiceOf(fields['tool_choice']),
    parallelToolCalls: typeof fields['parallel_tool_calls'] === 'boolean' ? fields['parallel_tool_calls'] : undefined,
    output: outputOf(fields['response_format']),
    thinking: thinkingOf(fields),
    verbosity: typeof fields['verbosity'] === 'string' ? fields['verbosity'] : undefined,
  } satisfies Settings,
  others: Object.fromEntries(Object.entries(fields).filter(([name, value]) => !known.has(name) && !isOff(value))),
});

const numberIn = (fields: Job['fields'], name: string): number | undefined => {
  const value = fields[name];
  if (!isThere(value)) return undefined;
  return typeof value === 'number' ? value : refuse(name, 'must be a number.');
};

const toolChoiceOf = (choice: unknown): ToolChoice | undefined => {
  if (!isThere(choice)) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { kind: choice };
  const name = field(field(choice, 'function') ?? field(choice, 'custom'), 'name');
  return typeof name === 'string' ? { kind: 'tool', name } : cannotTranslate('tool_choice');
};

const outputOf = (format: unknown): OutputFormat | undefined => {
  const type = field(format, 'type');
  if (!isThere(format) || type === 'text') return undefined;
  if (type === 'json_object') return { kind: 'json' };
  if (type !== 'json_schema') return cannotTranslate('response_format.type');
  const given = field(format, 'json_schema');
  const [name, description] = [field(given, 'name'), field(given, 'description')];
  return {
    kind: 'schema',
    name: typeof name === 'string' ? name : 'answer',
    ...(typeof description === 'string' ? { description } : {}),
    schema: recordOf(field(given, 'schema')),
    ...(field(given, 'strict') === true ? { strict: true } : {}),
  };
};

/** OpenAI's `reasoning_effort`, OpenRouter's `reasoning`, and Anthropic's `thinking`, which several clients send. */
const thinkingOf = (fields: Job['fields']): ThinkingSetting | undefined => {
  const { reasoning_effort: effort, reasoning, thinking } = fields;
  if (isThere(thinking)) return anthropicThinking(thinking, 'thinking');
  if (isThere(reasoning)) {
    const [of, tokens, enabled] = ['effort', 'max_tokens', 'enabled'].map((name) => field(reasoning, name));
    if (enabled === false || of === 'none') return { kind: 'off' };
    if (typeof tokens === 'number') return { kind: 'budget', tokens };
    if (typeof of === 'string') return { kind: 'effort', effort: of };
    return enabled === true ? { kind: 'adaptive' } : undefined;
  }
  if (!isThere(effort)) return undefined;
  if (typeof effort !== 'string') return refuse('reasoning_effort', 'must be a string.');
  return effort === 'none' ? { kind: 'off' } : { kind: 'effort', effort };
};

/** Anthropic's setting: `disabled`, `adaptive`, or `enabled` with a budget. */
export const anthropicThinking = (thinking: unknown, param: string): ThinkingSetting => {
  const [type, tokens] = [field(thinking, 'type'), field(thinking, 'budget_tokens')];
  if (type === 'disabled') return { kind: 'off' };
  if (typeof tokens === 'number') return { kind: 'budget', tokens };
  return type === 'adaptive' || type === 'enabled' ? { kind: 'adaptive' } : cannotTranslate(param);
};
