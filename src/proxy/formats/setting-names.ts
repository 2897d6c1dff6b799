import type { Settings } from './conversation.ts';
import type { Job } from './format.ts';

type Names = Readonly<Partial<Record<keyof Settings, string>>>;

const inOpenAiNames: Names = {
  topP: 'top_p',
  topK: 'top_k',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  toolChoice: 'tool_choice',
  parallelToolCalls: 'parallel_tool_calls',
};

const names: Readonly<Record<string, Names>> = {
  chat: { ...inOpenAiNames, output: 'response_format', thinking: 'reasoning_effort' },
  responses: { ...inOpenAiNames, output: 'text.format', thinking: 'reasoning', verbosity: 'text.verbosity' },
  messages: { ...inOpenAiNames, output: 'output_config.format', stop: 'stop_sequences' },
};

/** The name of a setting in the format of a job, for refusals. */
export const settingName = ({ format }: Pick<Job, 'format'>, setting: keyof Settings): string =>
  names[format.name]?.[setting] ?? setting;
